"""PostgreSQL and Redis from wheels: real servers in a folder of the test's own."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from sluice import binaries, embedded, processes
from sluice.endpoints import Services
from sluice.errors import AlreadyServing, StartFailed
from sluice.postgres_server import PostgresServer


async def _query(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def _query_soon(url: str, statement: str) -> object:
    """While the server comes back."""
    async with asyncio.timeout(15):
        while True:
            try:
                return await _query(url, statement)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deep, with a space: too long for a socket's path, and not to be split by a shell."""
    return tmp_path_factory.mktemp("data dir") / ("deep" * 25)


async def test_servers_answer_and_keep_their_urls_and_data(data_dir: Path) -> None:
    """A second start on the same folder finds what the first left."""
    async with embedded.services(data_dir) as first:
        assert str(await _query(first.database_url, "SHOW server_version")).startswith("18.")
        assert "on" == await _query(first.database_url, "SHOW fsync")
        assert "UTF8" == await _query(first.database_url, "SHOW server_encoding")
        await _query(first.database_url, "CREATE TABLE kept (a int)")
        async with Redis.from_url(first.redis_url) as redis:
            assert await redis.ping()
            assert {"appendonly": "no"} == await redis.config_get("appendonly")
            assert {"save": ""} == await redis.config_get("save")
    async with embedded.services(data_dir) as second:
        assert first == second
        assert 0 == await _query(second.database_url, "SELECT count(*) FROM kept")
    assert [] == list((data_dir / "run").iterdir())


async def test_killed_postgres_comes_back_with_its_data(data_dir: Path) -> None:
    """kill -9, a stale pid file and crash recovery included."""
    async with embedded.services(data_dir) as services:
        await _query(services.database_url, "CREATE TABLE committed AS SELECT 42 AS a")
        pid = processes.read_pid(data_dir / "run/postgres.pid")
        assert pid
        os.kill(pid, signal.SIGKILL)

        assert 42 == await _query_soon(services.database_url, "SELECT a FROM committed")


async def test_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Whoever comes second is told, and harms nothing."""
    given = Services("postgresql://elsewhere", "redis://elsewhere")
    async with embedded.services(tmp_path, given.database_url, given.redis_url) as services:
        assert given == services
        with pytest.raises(AlreadyServing, match="stop it, or set SLUICE_DATA_DIR"):
            async with embedded.services(tmp_path):
                pass


@pytest.mark.parametrize("what", ["database_url", "redis_url"])
async def test_nobody_enters_without_the_password(services: Services, what: str) -> None:
    """Other users of the machine can reach the port."""
    url: str = getattr(services, what)
    open_url = url.replace(url.split(":")[2].split("@")[0], "wrong")

    with pytest.raises(Exception, match=r"(?i)password"):  # noqa: PT012
        if what == "database_url":
            await _query(open_url, "SELECT 1")
        else:
            async with Redis.from_url(open_url) as redis:
                await redis.ping()


async def test_pid_that_another_program_has_now_does_not_stop_postgres(
    data_dir: Path, services: Services
) -> None:
    """In a container, the number of a killed server is soon somebody else's; here, another server's process."""
    async with embedded.services(data_dir):
        pass
    other = await asyncpg.connect(services.database_url)
    (data_dir / "postgres/18/postmaster.pid").write_text(
        f"{other.get_server_pid()}\n{data_dir / 'postgres/18'}\n"
    )

    async with embedded.services(data_dir) as started:
        assert 1 == await _query(started.database_url, "SELECT 1")
    await other.close()


async def test_damaged_cluster_says_what_postgres_said(tmp_path: Path) -> None:
    """The last line of its log, and where the rest is."""
    postgres = PostgresServer(tmp_path)
    await postgres.prepare()
    (tmp_path / "postgres/18/global/pg_control").unlink()

    with pytest.raises(StartFailed, match=r"postgres ended at its start: .*more in .*postgres\.log"):
        async with embedded.services(tmp_path):
            pass


def test_missing_wheel_says_what_to_set() -> None:
    """As in the container image, which has no embedded servers."""
    with pytest.raises(StartFailed, match="set SLUICE_DATABASE_URL to a server of yours"):
        binaries.packaged("no_such_package", "bin/postgres", instead="SLUICE_DATABASE_URL")


def test_running_serves_code_that_is_not_async(tmp_path: Path) -> None:
    """The same servers from a plain `with`."""
    with embedded.running(tmp_path) as services:
        assert 1 == asyncio.run(_query(services.database_url, "SELECT 1"))
