"""Batches of retries: an origin is loaded once, whatever is retried at the same time, and the first job counts it."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from tortoise import connections

import tasks.load
from models import Job, Record, RecordError, RetriedRecord
from tasks.claimed import claimed
from tasks.errors import LeaseLost
from tasks.load import load
from tasks.pipeline.batches import batch
from tasks.pipeline.definition import define
from tasks.pipeline.record import Batch, Chunk, Position
from tasks.pipeline.validator import Validator
from tests.factories import DEFINITION, make_job
from tests.families import assert_families

pytestmark = pytest.mark.usefixtures("database")

BAD = "x"


def batch_of(job: Job, origins: Sequence[int | None], *, bad: Sequence[int] = ()) -> Batch:
    """The next records of a retry; those with an origin in `bad` are rejected, and their place is 10 bytes wide."""
    first = job.next_index
    rows = [
        (BAD if origin is None or origin in bad else str(origin), "a@b.example", None) for origin in origins
    ]
    places = [10 * (first + k) for k in range(len(rows))]
    end = Position(first + len(rows), 10 * (first + len(rows)), 1 + first + len(rows))
    chunk = Chunk(first, [1 + first + k for k in range(len(rows))], places, list(rows), {}, end)
    return batch(chunk, Validator(define(DEFINITION)), job.id, origins)


async def family(retries: int, rejected: int = 20) -> tuple[Job, list[Job]]:
    """A finished job that has rejected its first records, and claimed retries of it."""
    root = await make_job(status="COMPLETED", records_rejected=rejected, next_index=rejected)
    await RecordError.bulk_create(
        RecordError(job_id=root.id, record_index=k, seq=0, byte_offset=k, code="REQUIRED", message="needed")
        for k in range(rejected)
    )
    for _ in range(retries):
        await Job.create(
            partner_id=root.partner_id, record_schema_id=root.record_schema_id, parent_id=root.id, root_id=root.id,
            filename="o.csv", format="CSV", size_bytes=1, sha256="", storage_key=uuid4().hex, origins_key=uuid4().hex,
        )  # fmt: skip
    jobs = [await Job.claim_next(30.0) for _ in range(retries)]
    return root, [job for job in jobs if job is not None]


async def query(statement: str, *values: Any) -> Any:
    """Rows from the database."""
    return await connections.get("default").execute_query_dict(statement, list(values))


async def assert_exact(*jobs: Job) -> None:
    """Each job's counters, in the object and in the row, are what the tables hold; so are its family's."""
    await assert_families(query)
    for job in jobs:
        row = await Job.get(id=job.id)
        for counted in (row, job):
            assert counted.records_accepted == await Record.filter(job_id=job.id).count()
            rejected = await RecordError.filter(job_id=job.id).values_list("record_index", flat=True)
            assert counted.records_rejected == len(set(rejected))
            assert len(rejected) == sum(sum(codes.values()) for codes in counted.error_counts.values())
            assert counted.next_index == counted.records_read


async def codes(job: Job) -> list[tuple[int, int | None, str]]:
    """(index, origin, code) of each error row."""
    rows = await RecordError.filter(job_id=job.id).order_by("record_index", "seq")
    return [(row.record_index, row.origin_index, row.code) for row in rows]


async def origins_of(job: Job) -> list[int | None]:
    """What a retry has loaded, in its own order."""
    return [row.origin_index for row in await Record.filter(job_id=job.id).order_by("index")]


async def test_a_batch_of_a_retry_writes_origins_and_the_first_job_counts_them() -> None:
    """Of records and errors; one that names none has none. Two batches are two versions."""
    root, [retry] = await family(1)

    await load(retry, batch_of(retry, [7, 3, None, 5], bad=[5]))
    await load(retry, batch_of(retry, [0]))

    assert [7, 3, 0] == await origins_of(retry)
    assert [(2, None, "INVALID_INTEGER"), (3, 5, "INVALID_INTEGER")] == await codes(retry)
    await assert_exact(retry)
    row = await Job.get(id=root.id)
    assert (3, 2, "COMPLETED") == (row.records_retried, row.retries_version, row.status)


async def test_what_another_retry_has_loaded_is_rejected_with_its_place() -> None:
    """ALREADY_ACCEPTED in place of the record, wherever in the batch it stands; all else of the batch is loaded."""
    root, [first, second] = await family(2)
    await load(first, batch_of(first, [2, 4]))

    await load(second, batch_of(second, [5, 4, 3, 2, 1], bad=[3]))

    assert [5, 1] == await origins_of(second)
    assert [(1, 4, "ALREADY_ACCEPTED"), (2, 3, "INVALID_INTEGER"), (3, 2, "ALREADY_ACCEPTED")] == await codes(
        second
    )
    [error] = await RecordError.filter(job_id=second.id, record_index=3)
    assert (0, 4, 30, 10) == (error.seq, error.line, error.byte_offset, error.byte_length)
    assert not any([error.field, error.raw_value, error.source])
    assert {"": {"ALREADY_ACCEPTED": 2}, "id": {"INVALID_INTEGER": 1}} == second.error_counts
    assert 4 == (await Job.get(id=root.id)).records_retried
    await assert_exact(first, second)


async def test_a_batch_of_which_nothing_is_left_changes_nothing_of_the_first_job() -> None:
    """Links that were made for its outstanding records stay good."""
    root, [first, second] = await family(2)
    await load(first, batch_of(first, [2, 4]))

    await load(second, batch_of(second, [4, 2]))

    assert (0, 2) == (second.records_accepted, second.records_rejected)
    assert 1 == (await Job.get(id=root.id)).retries_version
    await assert_exact(first, second)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_claim_waits_for_one_that_is_under_way(committed: bool) -> None:
    """Whoever came first loads the record if it commits; if it does not, the other does."""
    _, [first, second] = await family(2)
    async with connections.get("default").acquire_connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        taken = batch_of(first, [1, 2])
        loaded = await claimed(first, first.root_id, taken, connection)  # type: ignore[arg-type]
        await tasks.load._copy_all(first, loaded, connection)
        assert await first.advance(connection, tasks.load._after(first, loaded))
        await Job.count_retried(connection, first.root_id, 2)  # type: ignore[arg-type]
        loading = asyncio.create_task(load(second, batch_of(second, [2, 3])))
        await _waits(connection)
        assert not loading.done()
        await (transaction.commit() if committed else transaction.rollback())
    await loading

    assert ([3] if committed else [2, 3]) == await origins_of(second)
    assert ([(0, 2, "ALREADY_ACCEPTED")] if committed else []) == await codes(second)
    await assert_exact(second)


async def test_retries_at_the_same_time_never_load_a_record_twice_nor_wait_for_each_other() -> None:
    """Eight of them, with the same origins in orders of their own, in batches of their own: no deadlock."""
    root, retries = await family(8, 200)

    async def work(job: Job) -> None:
        chance = random.Random(job.id.int)
        origins = list(range(200))
        chance.shuffle(origins)
        while origins:
            size = chance.randint(1, 40)
            await load(job, batch_of(job, origins[:size], bad=origins[:size:7]))
            del origins[:size]

    before = await _deadlocks()
    await asyncio.gather(*map(work, retries))

    await assert_exact(*retries)
    accepted = sum(job.records_accepted for job in retries)
    assert accepted == (await Job.get(id=root.id)).records_retried
    assert before == await _deadlocks()


async def test_a_batch_that_the_fence_refuses_claims_nothing() -> None:
    """What a cancelled retry has not loaded is outstanding as before."""
    root, [retry] = await family(1)
    await Job.cancel(retry.id, retry.partner_id)

    with pytest.raises(LeaseLost):
        await load(retry, batch_of(retry, [1, 2]))

    assert 0 == await RetriedRecord.all().count() == (await Job.get(id=root.id)).records_retried


async def test_after_a_lost_commit_the_counters_come_from_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many records were claimed only the database knows then."""
    _, [first, second] = await family(2)
    await load(first, batch_of(first, [2]))
    commit, calls = tasks.load._commit, 0

    async def commit_and_lose_the_answer(job: Job, made: Batch) -> Any:
        nonlocal calls
        calls += 1
        await commit(job, made)
        raise ConnectionResetError

    monkeypatch.setattr(tasks.load, "_commit", commit_and_lose_the_answer)
    await load(second, batch_of(second, [1, 2, 3]))

    assert (1, 2, 1) == (calls, second.records_accepted, second.records_rejected)
    assert {"": {"ALREADY_ACCEPTED": 1}} == second.error_counts
    await assert_exact(second)


async def test_a_commit_that_arrives_late_does_not_make_a_retry_its_own_rival() -> None:
    """The claims of a transaction whose answer was lost are its own: the batch is not loaded, nor rejected, again."""
    _, [retry] = await family(1)
    made = batch_of(retry, [1, 2])
    async with connections.get("default").acquire_connection() as lost:
        transaction = lost.transaction()
        await transaction.start()
        ours = await claimed(retry, retry.root_id, made, lost)  # type: ignore[arg-type]
        await tasks.load._copy_all(retry, ours, lost)
        assert await retry.advance(lost, tasks.load._after(retry, ours))
        await Job.count_retried(lost, retry.root_id, 2)  # type: ignore[arg-type]
        loading = asyncio.create_task(load(retry, made))
        await _waits(lost)
        await transaction.commit()
    await loading

    assert [1, 2] == await origins_of(retry)
    assert [] == await codes(retry)
    await assert_exact(retry)


async def test_a_dry_run_stores_errors_and_counts_and_no_record() -> None:
    """Its verdicts are those of a job that loads; its records are nowhere."""
    await make_job(dry_run=True)
    job = await Job.claim_next(30.0)
    assert job is not None
    made = batch_of(job, [1, 2, 3], bad=[2])
    rows = [line.rsplit(b"\t", 1)[0] for line in made.errors.splitlines()]
    normal = Batch(
        made.first_index, made.end, made.records, b"\n".join([*rows, b""]), made.accepted, made.rejected,
        made.error_counts,
    )  # fmt: skip

    await load(job, normal)

    row = await Job.get(id=job.id)
    assert (3, 2, 1) == (row.next_index, row.records_accepted, row.records_rejected)
    assert 0 == await Record.filter(job_id=job.id).count()
    assert [(1, None, "INVALID_INTEGER")] == await codes(job)


async def _waits(connection: asyncpg.Connection) -> None:
    async with asyncio.timeout(10):
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.02)


async def _deadlocks() -> int:
    with suppress(asyncpg.PostgresError):
        await query("SELECT pg_stat_force_next_flush()")
    [row] = await query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(row["deadlocks"])
