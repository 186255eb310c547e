"""Fair among partners, with real workers: turns, small jobs beside big ones, and two lanes that die, stop and wait well."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models.job import SMALL_BYTES
from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.check import assert_as_in_file
from tests.faults.jobs import events, until, uuid_of
from tests.stack import Stack, create_schema, finished, interrupt, kill, running, submit

BIG_RECORDS = 90_000
"""Enough for a file that is not small any more."""
LONG = "reader_batch=pause:10@3"
"""Each reader that comes to a third batch takes ten seconds for it; small files of one batch are read at once."""


@pytest.fixture
async def stack(services: Services, tmp_path: Path) -> AsyncIterator[Stack]:
    """An API without workers, with leases of two seconds."""
    async with running(services, tmp_path, workers=0, batch_records="5000") as stack:
        yield stack


class Sender:
    """A partner, and what it has submitted."""

    def __init__(self, stack: Stack, client: ApiClient, schema_id: str, folder: Path) -> None:
        self._stack, self.client, self._schema_id, self._folder = stack, client, schema_id, folder

    async def submits(self, records: int) -> str:
        """The id of the job of a file with so many records."""
        path = self._folder / f"{records}.csv"
        if not path.exists():
            samples.write(path, records)
        return await submit(self.client, self._schema_id, path)

    async def is_whole(self, job_id: str, records: int) -> dict[str, Any]:
        """The job's row, once it is COMPLETED, with exactly what its file says."""
        assert "COMPLETED" == (await finished(self.client, job_id))["status"]
        await assert_as_in_file(self._stack, uuid_of(job_id), self._folder / f"{records}.csv")
        return await _row(self._stack, job_id)


@pytest.fixture
async def senders(stack: Stack, tmp_path: Path) -> AsyncIterator[list[Sender]]:
    """Three partners."""
    async with AsyncExitStack() as exits:
        made = []
        for name in ("A", "B", "C"):
            client = await exits.enter_async_context(await stack.partner(name))
            made.append(Sender(stack, client, await create_schema(client, fields=samples.FIELDS), tmp_path))
        yield made


async def _row(stack: Stack, job_id: str) -> dict[str, Any]:
    [row] = await stack.query("SELECT * FROM job WHERE id = $1", uuid_of(job_id))
    return dict(row)


async def _is_held(stack: Stack, *job_ids: str) -> bool:
    """Whether each of these long jobs has loaded its first two batches, so that it pauses now."""
    ids = [uuid_of(job_id) for job_id in job_ids]
    rows = await stack.query("SELECT FROM job WHERE id = ANY($1) AND next_index = 10000", ids)
    return len(rows) == len(ids)


def _seconds_to_start(row: dict[str, Any]) -> float:
    return float((row["started_at"] - row["created_at"]).total_seconds())


async def _ready(stack: Stack, workers: int) -> None:
    async def are_ready() -> bool:
        return len(events(stack, "worker ready")) >= workers

    await until(are_ready)


async def test_small_jobs_of_three_partners_are_claimed_in_turns(stack: Stack, senders: list[Sender]) -> None:
    """The first submits 20, then the second 20, then the third 20: each claim is for who has the fewest running.

    How many of whose jobs have ended says little: whoever has a slow one leaves the other lanes to the rest.
    """
    owners: dict[UUID, int] = {}
    for number, sender in enumerate(senders):
        for _ in range(20):
            owners[uuid_of(await sender.submits(10))] = number

    for _ in range(2):
        stack.start_worker()
    await until(lambda: _all_done(stack), 60)

    history = await stack.query("SELECT job_id, status FROM job_history ORDER BY seq")
    claims, fair = _claims(owners, [(row["job_id"], row["status"]) for row in history])
    assert 60 == len(claims)
    assert {0, 1, 2} == set(claims[:6])
    # Claims at the very same moment see the same state; one partner after the other, hardly a claim would be fair.
    assert fair >= 48
    assert [1] * 60 == [row["attempt"] for row in await stack.query("SELECT attempt FROM job")]


def _claims(owners: dict[UUID, int], history: list[tuple[UUID, str]]) -> tuple[list[int], int]:
    """Whose jobs were claimed, in order, and how many of the claims were for one of those with the fewest running."""
    states: dict[UUID, str] = {}
    claims, fair = [], 0
    for job_id, status in history:
        if status == "PROCESSING" and states[job_id] == "PENDING":
            waiting = {owners[id] for id, state in states.items() if state == "PENDING"}
            running = Counter(owners[id] for id, state in states.items() if state == "PROCESSING")
            claims.append(owners[job_id])
            fair += running[owners[job_id]] == min(running[owner] for owner in waiting)
        states[job_id] = status
    return claims, fair


async def _all_done(stack: Stack) -> bool:
    return not await stack.query("SELECT FROM job WHERE finished_at IS NULL")


async def test_a_small_job_starts_while_every_worker_has_a_big_one(
    stack: Stack, senders: list[Sender]
) -> None:
    """Two workers held by long jobs of one partner: another's small jobs start within a second; a big one has to wait."""
    owner, other, third = senders
    workers = [stack.start_worker(faults=LONG) for _ in range(2)]
    hogs = [await owner.submits(BIG_RECORDS) for _ in workers]
    assert (await _row(stack, hogs[0]))["size_bytes"] > SMALL_BYTES
    await until(lambda: _is_held(stack, *hogs))

    waits = await third.submits(BIG_RECORDS)
    starts = [_seconds_to_start(await other.is_whole(await other.submits(10), 10)) for _ in range(5)]

    assert max(starts) < 1.0, starts
    assert {"PROCESSING"} == {(await _row(stack, job_id))["status"] for job_id in hogs}
    assert "PENDING" == (await _row(stack, waits))["status"]
    assert {"express"} == {event["lane"] for event in events(stack, "job claimed")[2:]}
    for job_id in hogs:
        assert (1, 0) == _attempts(await owner.is_whole(job_id, BIG_RECORDS))


def _attempts(row: dict[str, Any]) -> tuple[int, int]:
    return row["attempt"], row["crashes"]


async def test_a_big_job_wakes_the_worker_whose_main_lane_is_free(
    stack: Stack, senders: list[Sender]
) -> None:
    """Of two workers one has a long job: the wake-ups of ten more find the other one, sooner than a sweep would, each time."""
    owner, other, _ = senders
    busy = stack.start_worker(faults=LONG)
    hog = await owner.submits(BIG_RECORDS)
    await until(lambda: _is_held(stack, hog))
    stack.start_worker()
    await _ready(stack, 2)

    starts = [_seconds_to_start(await other.is_whole(await other.submits(10), 10)) for _ in range(10)]
    big = _seconds_to_start(await other.is_whole(await other.submits(BIG_RECORDS), BIG_RECORDS))

    assert sorted(starts)[-3] < 0.5, starts
    assert big < 0.7
    assert busy.poll() is None


@pytest.fixture
async def both_lanes(stack: Stack, senders: list[Sender]) -> list[tuple[Sender, str, int]]:
    """A worker with a long job in each lane: the first in the main lane, the second, a small one, in the express lane."""
    owner, other, _ = senders
    stack.start_worker(faults=LONG)
    first = await owner.submits(BIG_RECORDS)
    await until(lambda: _is_held(stack, first))
    second = await other.submits(20_000)
    assert (await _row(stack, second))["size_bytes"] <= SMALL_BYTES
    await until(lambda: _is_held(stack, first, second))
    return [(owner, first, BIG_RECORDS), (other, second, 20_000)]


async def test_both_lanes_keep_their_leases(stack: Stack, both_lanes: list[tuple[Sender, str, int]]) -> None:
    """Two jobs, each longer than five leases, in one worker, and another worker that would take them: each runs once."""
    stack.start_worker()

    for sender, job_id, records in both_lanes:
        assert (1, 0) == _attempts(await sender.is_whole(job_id, records))


async def test_kill_9_costs_both_jobs_a_lease(
    stack: Stack, both_lanes: list[tuple[Sender, str, int]]
) -> None:
    """Another worker goes on with both, each from its last batch."""
    await asyncio.to_thread(kill, stack.processes[-1])
    stack.start_worker()

    for sender, job_id, records in both_lanes:
        assert 2 == (await sender.is_whole(job_id, records))["attempt"]
    claims = [(event["index"], event["attempt"]) for event in events(stack, "job claimed")]
    assert [(0, 1), (0, 1), (10_000, 2), (10_000, 2)] == claims


async def test_sigterm_hands_both_jobs_back(stack: Stack, both_lanes: list[tuple[Sender, str, int]]) -> None:
    """Exit 0 within five seconds; both wait again, with no crash counted, and go on elsewhere at once."""
    code, seconds = await asyncio.to_thread(interrupt, stack.processes[-1])
    rows = [await _row(stack, job_id) for _, job_id, _ in both_lanes]

    assert 0 == code
    assert seconds < 5
    assert [("PENDING", 0, None)] * 2 == [(row["status"], row["crashes"], row["lease_until"]) for row in rows]
    stack.start_worker()
    for sender, job_id, records in both_lanes:
        assert (2, 0) == _attempts(await sender.is_whole(job_id, records))


async def test_a_frozen_worker_loses_both_jobs_and_writes_nothing_of_them(
    stack: Stack, both_lanes: list[tuple[Sender, str, int]]
) -> None:
    """SIGSTOP for longer than the lease: its heir has both, and when it wakes up it leaves both."""
    sleeper = stack.processes[-1]
    sleeper.send_signal(signal.SIGSTOP)
    stack.start_worker()
    for sender, job_id, records in both_lanes:
        assert 2 == (await sender.is_whole(job_id, records))["attempt"]

    sleeper.send_signal(signal.SIGCONT)

    async def has_left_both() -> bool:
        return len(events(stack, "job left: cancelled, or another worker's by now")) == 2

    await until(has_left_both)
    assert sleeper.poll() is None
    for sender, job_id, records in both_lanes:
        await sender.is_whole(job_id, records)
