"""PostgreSQL that crashes, restarts, ends sessions, is full, is locked or takes nobody in: a pause, and no record."""

import asyncio
import math
import os
import random
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from sluice.client import ApiClient
from sluice.errors import ApiError
from tests import samples
from tests.faults.hurts import HURTS
from tests.faults.jobs import Case, events, submitted, until
from tests.faults.proxy import standing_before
from tests.stack import Stack, create_schema, kill

RECORDS = 15_000
LEASE_SECONDS = 2.0
_QUICK_SECONDS = 5.0


async def _assert_one_attempt(case: Case) -> None:
    """The worker waited, and went on with what it held: exact, and no crash counted."""
    await case.whole()
    row = await case.row()
    assert (1, 0) == (row["attempt"], row["crashes"])


async def _copying(stack: Stack) -> int:
    """The session that is in the middle of a COPY into `record`."""
    async with asyncio.timeout(30):
        while True:
            rows = await stack.query(
                "SELECT pid FROM pg_stat_progress_copy WHERE datname = current_database()"
                " AND relid = 'record'::regclass"
            )
            if rows:
                return int(rows[0]["pid"])
            await asyncio.sleep(0.01)


async def test_a_database_hurt_in_the_middle_of_a_copy_costs_pauses(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """The COPY trickles, so that it is under way when each blow falls; every batch is done again, under the same attempt."""
    chance.shuffle(HURTS)
    await stack.query("CHECKPOINT")  # what other tests have written need not be recovered in this one
    async with standing_before(stack.services.database_url) as proxy:
        stack.start_worker(database_url=proxy.url(stack.services.database_url))
        case = await submitted(stack, client, tmp_path, RECORDS)
        for hurt in HURTS:
            await case.beyond(await _patiently(case.index))
            proxy.to_server.bytes_per_second = 60_000
            has_repeated = partial(_has_repeated, stack, _repeated(stack))
            await hurt(stack, await _copying(stack))
            await until(has_repeated)
            proxy.to_server.bytes_per_second = math.inf
            await _patiently(case.index)
        await _assert_one_attempt(case)


async def test_sessions_ended_before_their_commits_cost_batches_done_twice(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Every row is there, and the checkpoint perhaps, but no COMMIT: nothing of it stays, and it is loaded again."""
    first, second = chance.sample(range(1, 20), 2)
    stack.start_worker(faults=f"after_copy=pause:1@{first};after_fence=pause:1@{second}")
    case = await submitted(stack, client, tmp_path, RECORDS)

    for _ in range(2):
        await until(lambda: _end_idle_session(case))
    await _assert_one_attempt(case)

    assert 2 == _repeated(stack)


async def _end_idle_session(case: Case) -> bool:
    """Ends the session that loads the job, if it has been inside a transaction with nothing to do for a while."""
    return bool(
        await case.stack.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = $1 AND state = 'idle in transaction'"
            " AND clock_timestamp() - state_change > interval '0.4 s'", f"sluice {case.uuid.hex}",
        )
    )  # fmt: skip


def _repeated(stack: Stack) -> int:
    return len(events(stack, "batch not loaded, trying again"))


async def _has_repeated(stack: Stack, already: int) -> bool:
    return _repeated(stack) > already


async def _patiently(ask: Callable[[], Awaitable[int]]) -> int:
    """The answer of a database that may be starting."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await ask()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.05)


async def test_a_locked_table_behind_a_slow_link_does_not_cost_the_lease(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """50 to 200 ms away, and `record` locked for three leases: the heartbeat goes on, the worker that waits gets nothing."""
    async with standing_before(stack.services.database_url) as proxy:
        stack.start_worker(database_url=proxy.url(stack.services.database_url))
        case = await submitted(stack, client, tmp_path, RECORDS)
        await case.beyond(0)
        proxy.to_server.latency, proxy.to_client.latency = (chance.uniform(0.025, 0.1) for _ in range(2))
        stack.start_worker()

        locker = await asyncpg.connect(stack.services.database_url)
        async with locker.transaction():
            await locker.execute("LOCK TABLE record")
            reached = await case.index()
            await asyncio.sleep(3 * LEASE_SECONDS)
            assert reached == await case.index()
        await locker.close()
        proxy.to_server.latency = proxy.to_client.latency = 0.0
        await _assert_one_attempt(case)

    assert 2 == stack.log.count('"worker ready"')


@asynccontextmanager
async def _plain_user(stack: Stack) -> AsyncIterator[str]:
    """The database's URL for a user like any other: no limit of connections holds for the embedded server's own."""
    name = f"plain_{uuid4().hex}"
    await stack.query(f"CREATE ROLE {name} LOGIN PASSWORD 'plain'")
    await stack.query(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    place = stack.services.database_url.rpartition("@")[2]
    yield f"postgresql://{name}:plain@{place}"


async def _refuse(stack: Stack) -> None:
    """From now on there are too many connections: those that are there end, and nobody else comes in."""
    name = stack.services.database_url.rpartition("/")[2]
    await stack.query(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    await stack.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename LIKE 'plain%'"
    )


async def test_too_many_connections_are_told_at_once_and_waited_for(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """The API says UNAVAILABLE and 503 and does not hang; the worker backs off, longer than its lease, and goes on."""
    async with _plain_user(stack) as url, httpx.AsyncClient(trust_env=False) as http:
        kill(stack.processes[0])
        stack.start("api", database_url=url)
        await until(lambda: _answers(http, stack, 200))
        stack.start_worker(database_url=url, faults="after_commit=pause:1@3")
        case = await submitted(stack, client, tmp_path, RECORDS)
        await case.beyond(0)

        await _refuse(stack)
        began = time.monotonic()
        with pytest.raises(ApiError, match="try again"):
            await create_schema(client, fields=samples.FIELDS)
        assert await _answers(http, stack, 503)
        seconds = time.monotonic() - began
        await asyncio.sleep(2 * LEASE_SECONDS)
        await stack.query(f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT -1")
        await _assert_one_attempt(case)
        assert await _answers(http, stack, 200)

    assert seconds < _QUICK_SECONDS
    assert "TooManyConnectionsError" in stack.log


async def _answers(http: httpx.AsyncClient, stack: Stack, status: int) -> bool:
    try:
        return (await http.get(f"{stack.url}/health")).status_code == status
    except httpx.TransportError:
        return False


@asynccontextmanager
async def _small_disk(stack: Stack, folder: Path) -> AsyncIterator[Path]:
    """`record` lies on a disk of 24 MB; skips the test where no such disk can be made."""
    disk = folder / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or (await asyncio.to_thread(subprocess.run, mounting)).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        await _move_to(stack, disk)
        yield disk
    finally:
        for process in stack.processes:
            kill(process)
        await stack.query("ALTER TABLE record SET TABLESPACE pg_default")
        await stack.query("ALTER INDEX record_pkey SET TABLESPACE pg_default")
        await stack.query("DROP TABLESPACE IF EXISTS small")
        await asyncio.to_thread(subprocess.run, ["umount", str(disk)], check=True)


async def _move_to(stack: Stack, disk: Path) -> None:
    [row] = await stack.query("SELECT current_setting('data_directory') AS folder")
    owner = Path(row["folder"]).stat()
    place = disk / "tablespace"
    place.mkdir()
    os.chown(place, owner.st_uid, owner.st_gid)
    for parent in (disk, *disk.parents):  # the server may run as another user
        if parent != Path(parent.root):
            parent.chmod(parent.stat().st_mode | 0o011)
    await stack.query(f"CREATE TABLESPACE small LOCATION '{place}'")
    await stack.query("ALTER TABLE record SET TABLESPACE small")
    await stack.query("ALTER INDEX record_pkey SET TABLESPACE small")


async def test_a_full_disk_pauses_the_job_until_there_is_room(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """53100 is no failure of the file: the worker tries again for longer than its lease, and goes on when there is room."""
    async with _small_disk(stack, tmp_path) as disk:
        stack.start_worker(faults="after_commit=pause:1@3")
        case = await submitted(stack, client, tmp_path, RECORDS)
        await case.beyond(0)
        ballast = disk / "ballast"
        _fill(ballast)

        await until(lambda: _says(stack, "DiskFullError"))
        await asyncio.sleep(2 * LEASE_SECONDS)
        status = (await case.row())["status"]
        ballast.unlink()
        await _assert_one_attempt(case)

    assert "PROCESSING" == status


def _fill(ballast: Path) -> None:
    """Takes whatever room there is left."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(65_536))


async def _says(stack: Stack, words: str) -> bool:
    return words in stack.log
