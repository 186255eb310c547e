"""Settings from the environment, and how we connect to the database that they name."""

import asyncio
import ssl
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError
from tortoise.context import TortoiseContext

from settings import Settings, settings, tortoise_config
from sluice.endpoints import Services


def _credentials(url: str) -> dict[str, Any]:
    credentials: dict[str, Any] = tortoise_config(url)["connections"]["default"]["credentials"]
    return credentials


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and shells set variables to nothing."""
    for name in ("PORT", "STORAGE_DIR", "DATABASE_URL"):
        monkeypatch.setenv(f"SLUICE_{name}", "")
    monkeypatch.setenv("SLUICE_DATA_DIR", "data")

    read = Settings()

    assert (8000, None, None) == (read.port, read.storage_dir, read.database_url)
    assert "data/files" == str(read.files_dir)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:p@h:1/d", ("u", "p", "h", 1, "d")),
        ("postgres://u:p@h/d", ("u", "p", "h", 5432, "d")),
        ("postgresql://a%40b:p%2F%3A%25%5B@h/my%20d", ("a@b", "p/:%[", "h", 5432, "my d")),
        ("postgresql://u@[::1]:7/d", ("u", None, "::1", 7, "d")),
        ("postgresql:///d", (None, None, None, 5432, "d")),
        ("postgresql://h", (None, None, "h", 5432, None)),
    ],
)
def test_the_parts_of_a_url_are_decoded(url: str, place: tuple[Any, ...]) -> None:
    """User, password and database may hold what a URL may not."""
    found = _credentials(url)

    assert place == tuple(found[part] for part in ("user", "password", "host", "port", "database"))


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://u:s3cret@h/d?sslmode=require&connect_timeout=3&x=1", "connect_timeout, x"),
        ("postgresql://u:s3cret@h/d?sslmode=maybe", "sslmode"),
        ("postgresql://u:s3cret@h:port/d", "port"),
        ("mysql://u:s3cret@h/d", "postgresql://"),
        ("postgresql://u:s3cret@[h/d", "URL"),
    ],
    ids=["unknown parameters", "unknown sslmode", "port", "scheme", "bracket"],
)
def test_a_url_that_makes_no_sense_is_refused(url: str, named: str) -> None:
    """By name, without its password; also as a setting."""
    with pytest.raises(ValueError, match=named) as refused:
        tortoise_config(url)
    with pytest.raises(ValidationError) as refused_setting:
        Settings(database_url=url)

    assert "s3cret" not in str(refused.value) + str(refused_setting.value)


@pytest.mark.parametrize("url", ["http://h", "redis://h:port", "h:6379"])
def test_a_redis_url_that_makes_no_sense_is_refused(url: str) -> None:
    """Before anything connects."""
    with pytest.raises(ValidationError, match="redis_url"):
        Settings(redis_url=url)


@pytest.mark.parametrize(
    "url", ["api.example.com", "ftp://h", "https://", "https://u@h", "https://h/?a=1", "https://h:x"]
)
def test_a_public_url_that_makes_no_sense_is_refused(url: str) -> None:
    """Links would lead nowhere."""
    with pytest.raises(ValidationError, match="public_url"):
        Settings(public_url=url)


def test_a_public_url_may_have_a_path() -> None:
    """Behind a proxy."""
    assert "https://h:1/sluice" == Settings(public_url="https://h:1/sluice/").public_url


async def test_connections_are_ours_and_have_deadlines(services: Services) -> None:
    """Named, with an end to idle transactions, also on a server that we have not set up."""
    async with TortoiseContext() as tortoise:
        await tortoise.init(config=tortoise_config(services.database_url))
        database = tortoise.connections.get("default")
        rows = await database.execute_query_dict(
            "SELECT current_setting('application_name') AS name,"
            " (SELECT setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout') AS idle"
        )

    assert [{"name": "sluice", "idle": str(int(settings.lease_seconds * 1_000))}] == rows


def test_the_pool_has_limits() -> None:
    """At most ten connections, each made and used with a deadline."""
    found = _credentials("postgresql://u:p@h/d")

    assert (1, 10, 5.0, 15.0) == tuple(
        found[option] for option in ("minsize", "maxsize", "timeout", "command_timeout")
    )
    assert "ssl" not in found


async def test_a_server_that_hangs_does_not_hang_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and says nothing."""
    monkeypatch.setattr("settings.CONNECT_SECONDS", 0.2)

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(20)
        finally:
            writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"postgresql://u:p@127.0.0.1:{server.sockets[0].getsockname()[1]}/d"
    async with asyncio.timeout(5), TortoiseContext() as tortoise:
        await tortoise.init(config=tortoise_config(url))
        with pytest.raises(TimeoutError):
            await tortoise.connections.get("default").execute_query("SELECT 1")
    server.close()


async def test_a_statement_that_hangs_does_not_hang_us(services: Services) -> None:
    """It ends with the error that means: try again."""
    async with TortoiseContext() as tortoise:
        await tortoise.init(config=tortoise_config(services.database_url, command_seconds=0.1))
        with pytest.raises(TimeoutError):
            await tortoise.connections.get("default").execute_query("SELECT pg_sleep(20)")


async def test_sslmode_is_asyncpgs_ssl(services: Services) -> None:
    """`require` is refused by a server without TLS; `disable` is content."""
    for mode, fails in (("require", True), ("disable", False)):
        async with TortoiseContext() as tortoise:
            await tortoise.init(config=tortoise_config(f"{services.database_url}?sslmode={mode}"))
            database = tortoise.connections.get("default")
            if fails:
                with pytest.raises((OSError, ssl.SSLError, asyncpg.PostgresError)):
                    await database.execute_query("SELECT 1")
            else:
                await database.execute_query("SELECT 1")
