"""Workers that die, stop or lose their servers: the job goes on from its last batch, exactly."""

import asyncio
import base64
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import psutil
import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.check import assert_exact
from tests.stack import Stack, create_schema, finished, interrupt, kill, reader_children, running, submit

RECORDS = 120_000


@pytest.fixture
async def stack(services: Services, tmp_path: Path) -> AsyncIterator[Stack]:
    """A Sluice with one worker, many batches, and leases of two seconds."""
    async with running(services, tmp_path, batch_records="1000") as stack:
        yield stack


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of a partner of its own."""
    async with await stack.partner() as client:
        yield client


async def _submitted(client: ApiClient, folder: Path) -> str:
    schema_id = await create_schema(client, fields=samples.FIELDS)
    return await submit(client, schema_id, samples.write(folder / "o.csv", RECORDS))


def _uuid(job_id: str) -> UUID:
    return UUID(base64.b64decode(job_id).decode().partition(":")[2])


def _claimed_at(stack: Stack) -> list[int]:
    """The record index at which each claim began, as the workers' logs tell."""
    events = [json.loads(line) for line in stack.log.splitlines() if line.startswith("{")]
    return [event["index"] for event in events if event["event"] == "job claimed"]


async def _read(stack: Stack, job_id: str) -> int:
    [job] = await stack.query("SELECT next_index FROM job WHERE id = $1", _uuid(job_id))
    return int(job["next_index"])


async def _under_way(stack: Stack, job_id: str, *, beyond: int = 0) -> int:
    """Waits until batches beyond that record are committed; how far the job is by then."""
    async with asyncio.timeout(30):
        while (index := await _read(stack, job_id)) <= beyond:
            await asyncio.sleep(0.01)
    return index


async def test_a_killed_workers_job_goes_on_from_its_last_batch(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """kill -9 in the middle: the next worker does not begin anew, and nothing is lost or doubled."""
    job_id = await _submitted(client, tmp_path)
    reached = await _under_way(stack, job_id)

    kill(stack.processes[-1])
    await asyncio.sleep(0.3)  # a COMMIT that was under way may still arrive
    reached = await _read(stack, job_id)
    stack.start_worker()
    job = await finished(client, job_id)

    assert ("COMPLETED", str(RECORDS)) == (job["status"], job["progress"]["recordsRead"])
    assert [0, reached] == _claimed_at(stack)
    await assert_exact(stack, _uuid(job_id))


async def test_a_worker_that_is_asked_to_stop_hands_its_job_back(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """SIGTERM in the middle: exit 0 within five seconds, and the next worker goes on at once, not after the lease."""
    job_id = await _submitted(client, tmp_path)
    await _under_way(stack, job_id)

    code, seconds = await asyncio.to_thread(interrupt, stack.processes[-1])
    [handed] = await stack.query("SELECT status, crashes, lease_until FROM job WHERE id = $1", _uuid(job_id))
    stack.start_worker()
    job = await finished(client, job_id)

    assert 0 == code
    assert seconds < 5
    assert ("PENDING", 0, None) == tuple(handed)
    assert "COMPLETED" == job["status"]
    await assert_exact(stack, _uuid(job_id))


async def test_a_reader_child_that_is_killed_is_started_again(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """The worker lives, starts another reader at the last batch, and the job completes under the same attempt."""
    job_id = await _submitted(client, tmp_path)
    await _under_way(stack, job_id)

    killed = 0
    for child in reader_children(stack.processes[-1]):
        child.kill()
        killed += 1
    job = await finished(client, job_id)

    [row] = await stack.query("SELECT attempt FROM job WHERE id = $1", _uuid(job_id))
    assert killed > 0
    assert ("COMPLETED", 1) == (job["status"], row["attempt"])
    assert stack.processes[-1].poll() is None
    await assert_exact(stack, _uuid(job_id))


async def test_any_process_below_a_worker_may_be_killed(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Without its fork server, its resource tracker and its reader, all at once, the worker completes this job and the next."""
    job_id = await _submitted(client, tmp_path)
    await _under_way(stack, job_id)

    worker = stack.processes[-1]
    for process in psutil.Process(worker.pid).children(recursive=True):
        process.kill()
    job = await finished(client, job_id)
    schema_id = await create_schema(client, fields=samples.FIELDS)
    following = await finished(
        client, await submit(client, schema_id, samples.write(tmp_path / "next.csv", 10))
    )

    assert ["COMPLETED", "COMPLETED"] == [job["status"], following["status"]]
    assert worker.poll() is None
    await assert_exact(stack, _uuid(job_id))


async def test_two_workers_share_the_jobs_but_never_one_job(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Six files and two workers: each job is claimed once."""
    stack.start_worker()
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "o.csv", 20_000)
    jobs = [await submit(client, schema_id, path) for _ in range(6)]

    for job_id in jobs:
        assert "COMPLETED" == (await finished(client, job_id))["status"]
        await assert_exact(stack, _uuid(job_id))

    attempts = await stack.query("SELECT attempt FROM job")
    assert [1] * 6 == [row["attempt"] for row in attempts]


async def test_jobs_run_without_redis(services: Services, tmp_path: Path) -> None:
    """API and worker start and work while Redis is away: submitFile answers fast, and a sweep finds the job in 3 s."""
    async with running(services, tmp_path) as stack:
        environment = stack.environment
        for process in stack.processes:
            kill(process)
        environment["SLUICE_REDIS_URL"] = "redis://127.0.0.1:1/0"
        stack.start("api")
        stack.start_worker()
        async with await stack.partner() as client:
            schema_id = await _when_up(client)
            path = samples.write(tmp_path / "o.csv", 100)
            began = time.monotonic()
            job_id = await submit(client, schema_id, path)
            answered = time.monotonic() - began
            job = await finished(client, job_id)

    [row] = await stack.query("SELECT started_at - created_at AS wait FROM job")
    assert answered < 0.7
    assert "COMPLETED" == job["status"]
    assert row["wait"].total_seconds() < 3


async def _when_up(client: ApiClient) -> str:
    from sluice.errors import Unreachable

    async with asyncio.timeout(30):
        while True:
            try:
                return await create_schema(client, fields=samples.FIELDS)
            except Unreachable:
                await asyncio.sleep(0.1)


async def test_sessions_that_are_ended_at_random_cost_nothing(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """For four seconds every session of the worker is ended as it comes; the same attempt goes on, exactly."""
    job_id = await _submitted(client, tmp_path)
    await _under_way(stack, job_id)

    ended, deadline = 0, time.monotonic() + 4
    while time.monotonic() < deadline:
        rows = await stack.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        ended += len(rows)
        await asyncio.sleep(random.uniform(0.01, 0.2))
    job = await finished(client, job_id)

    assert ended > 10
    assert ("COMPLETED", str(RECORDS)) == (job["status"], job["progress"]["recordsRead"])
    await assert_exact(stack, _uuid(job_id))


async def test_a_database_that_crashes_costs_a_pause(stack: Stack, client: ApiClient, tmp_path: Path) -> None:
    """A backend killed with -9 takes all of PostgreSQL through recovery, twice; the worker waits and goes on."""
    await stack.query("CHECKPOINT")  # what other tests have written need not be recovered in this one
    job_id = await _submitted(client, tmp_path)
    for _ in range(2):
        await _under_way(stack, job_id, beyond=await _read_patiently(stack, job_id))
        [backend] = await stack.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1"
        )
        psutil.Process(backend["pid"]).kill()
        await _read_patiently(stack, job_id)
    job = await finished(client, job_id)

    assert ("COMPLETED", str(RECORDS)) == (job["status"], job["progress"]["recordsRead"])
    assert stack.processes[-1].poll() is None
    await assert_exact(stack, _uuid(job_id))


async def _read_patiently(stack: Stack, job_id: str) -> int:
    async with asyncio.timeout(30):
        while True:
            try:
                return await _read(stack, job_id)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)


async def test_a_frozen_workers_job_goes_on_elsewhere_and_it_writes_nothing_when_it_thaws(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """SIGSTOP for longer than the lease, wherever it strikes; then SIGCONT while the successor works."""
    job_id = await _submitted(client, tmp_path)
    await _under_way(stack, job_id)
    frozen = stack.processes[-1]

    os.kill(frozen.pid, signal.SIGSTOP)
    reached = await _read(stack, job_id)
    stack.start_worker()
    await _under_way(stack, job_id, beyond=reached + 5_000)
    os.kill(frozen.pid, signal.SIGCONT)
    job = await finished(client, job_id)

    [row] = await stack.query("SELECT attempt FROM job WHERE id = $1", _uuid(job_id))
    assert ("COMPLETED", 2) == (job["status"], row["attempt"])
    await assert_exact(stack, _uuid(job_id))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(Path.unlink, "FILE_MISSING", id="deleted"),
        pytest.param(lambda file: file.write_bytes(b"id\n"), "FILE_CHANGED", id="truncated"),
    ],
)
async def test_a_stored_file_that_is_not_what_was_sent_fails_the_job(
    stack: Stack, client: ApiClient, tmp_path: Path, damage: Callable[[Path], object], code: str
) -> None:
    """A file that is gone or has another size is not read; the message says to submit it again."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    kill(stack.processes[-1])
    job_id = await submit(client, schema_id, samples.write(tmp_path / "o.csv", 10))
    [stored] = (stack.folder / "files").iterdir()
    damage(stored)

    stack.start_worker()
    job = await finished(client, job_id)

    assert ("FAILED", code) == (job["status"], job["failure"]["code"])
    assert "submit it again" in job["failure"]["message"]


async def test_a_storage_that_is_away_is_waited_for(stack: Stack, client: ApiClient, tmp_path: Path) -> None:
    """A volume that is not mounted has lost no file: no job fails of it, and the job goes on when it is back."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    kill(stack.processes[-1])
    job_id = await submit(client, schema_id, samples.write(tmp_path / "o.csv", 10))
    folder = stack.folder / "files"
    folder.rename(stack.folder / "elsewhere")

    stack.start_worker()
    async with asyncio.timeout(20):
        while "file not readable, trying again" not in stack.log:
            await asyncio.sleep(0.05)
    (stack.folder / "elsewhere").rename(folder)
    job = await finished(client, job_id)

    assert "COMPLETED" == job["status"]
    await assert_exact(stack, _uuid(job_id))


async def test_a_poison_file_ends_after_three_crashes_of_its_worker(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Three leases that run out in a row with no batch in between: FAILED, WORKER_CRASHED, with the record range."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    kill(stack.processes[-1])
    job_id = await submit(client, schema_id, samples.write(tmp_path / "o.csv", 10))
    await stack.query(
        "UPDATE job SET status = 'PROCESSING', attempt = 3, crashes = 2, lease_until = clock_timestamp()"
        " WHERE id = $1", _uuid(job_id),
    )  # fmt: skip

    stack.start_worker()
    job = await finished(client, job_id)

    assert ("FAILED", "WORKER_CRASHED", "0") == (
        job["status"], job["failure"]["code"], job["failure"]["recordIndex"]
    )  # fmt: skip
