"""One batch, one transaction: records, errors and checkpoint arrive together or not at all."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from models import Job, Record, RecordError
from tasks.errors import LeaseLost
from tasks.load import load
from tasks.pipeline.record import Batch, Position
from tests.factories import make_job

pytestmark = pytest.mark.usefixtures("database")


def _batch(job_id: UUID, first: int, *, accepted: int = 2, rejected: int = 1) -> Batch:
    records = "".join(f'{job_id}\t{first + k}\t{{"id": {first + k}}}\n' for k in range(accepted))
    bad = range(first + accepted, first + accepted + rejected)
    errors = "".join(
        f"{job_id}\t{k}\t0\t{k + 2}\t{k * 10}\t10\tid\tREQUIRED\tneeded\t\\N\t\\N\n" for k in bad
    )
    end = first + accepted + rejected
    return Batch(
        first, Position(end, end * 10, end + 2), records.encode(), errors.encode(), accepted, rejected,
        Counter({("id", "REQUIRED"): rejected}),
    )  # fmt: skip


async def _claimed(**columns: Any) -> Job:
    await make_job(**columns)
    job = await Job.claim_next(30.0)
    assert job is not None
    return job


async def _indexes(job: Job) -> tuple[list[int], list[int]]:
    records = await Record.filter(job_id=job.id).order_by("index")
    errors = await RecordError.filter(job_id=job.id).order_by("record_index")
    return [record.index for record in records], [error.record_index for error in errors]


async def test_load_stores_records_errors_and_checkpoint() -> None:
    """Two batches in a row land whole, and the job counts them."""
    job = await _claimed()

    await load(job, _batch(job.id, 0))
    await load(job, _batch(job.id, 3))

    assert await _indexes(job) == ([0, 1, 3, 4], [2, 5])
    row = await Job.get(id=job.id)
    assert (row.next_index, row.bytes_read, row.records_accepted, row.records_rejected) == (6, 60, 4, 2)
    assert {"id": {"REQUIRED": 2}} == row.error_counts == job.error_counts


async def test_load_leaves_nothing_of_a_batch_behind_when_the_lease_is_lost() -> None:
    """A cancelled job takes no further batch: its rows go with the rollback."""
    job = await _claimed()
    await load(job, _batch(job.id, 0))
    await Job.cancel(job.id, job.partner_id)

    with pytest.raises(LeaseLost):
        await load(job, _batch(job.id, 3))

    assert await _indexes(job) == ([0, 1], [2])


async def test_load_of_two_workers_keeps_the_newer_attempt_only() -> None:
    """A worker that was taken for dead cannot load what its successor loads."""
    await make_job()
    old = await Job.claim_next(0.0)
    new = await Job.claim_next(30.0)
    assert old is not None
    assert new is not None

    with pytest.raises(LeaseLost):
        await load(old, _batch(old.id, 0))
    await load(new, _batch(new.id, 0))

    assert await _indexes(new) == ([0, 1], [2])


async def test_load_goes_on_when_its_commit_arrived_but_the_answer_did_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After an ambiguous COMMIT the row tells that the batch is in, and it is not loaded again."""
    import tasks.load

    job = await _claimed()
    commit = tasks.load._commit
    calls = 0

    async def commit_and_lose_the_answer(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        await commit(*arguments)
        raise ConnectionResetError

    monkeypatch.setattr(tasks.load, "_commit", commit_and_lose_the_answer)

    await load(job, _batch(job.id, 0))

    assert calls == 1
    assert await _indexes(job) == ([0, 1], [2])
    assert job.next_index == 3


async def test_load_tries_again_when_the_connection_breaks_before_the_commit() -> None:
    """A backend that is ended in the middle of a batch costs that attempt, nothing else."""
    import asyncio

    from tortoise import connections

    job = await _claimed()
    blocker = connections.get("default")
    async with blocker.acquire_connection() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM job WHERE id = $1 FOR UPDATE", job.id)
        loading = asyncio.create_task(load(job, _batch(job.id, 0)))
        ended = 0
        while not ended:
            await asyncio.sleep(0.05)
            ended = await connection.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND query ILIKE '%UPDATE job%' AND pid <> pg_backend_pid()"
            )
    await loading

    assert await _indexes(job) == ([0, 1], [2])


async def test_load_asks_the_row_when_its_rows_are_there_already() -> None:
    """A COMMIT that takes effect only after we had asked for it: the same rows collide, and are not loaded twice."""
    import asyncio

    from tortoise import connections

    import tasks.load

    job = await _claimed()
    batch = _batch(job.id, 0)
    async with connections.get("default").acquire_connection() as lost:
        transaction = lost.transaction()
        await transaction.start()
        await tasks.load._copy_all(job, batch, lost)
        assert await job.advance(lost, tasks.load._after(job, batch))
        loading = asyncio.create_task(load(job, batch))
        waits = 0
        while not waits:
            await asyncio.sleep(0.05)
            waits = await lost.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
        await transaction.commit()
    await loading

    assert await _indexes(job) == ([0, 1], [2])
    assert (await Job.get(id=job.id)).records_accepted == job.records_accepted == 2


async def test_load_of_a_dry_run_asks_the_row_when_its_checkpoint_has_moved() -> None:
    """Where nothing is rejected it has no rows that collide: the COMMIT whose answer was lost shows at the fence only."""
    job = await _claimed(dry_run=True)
    late = await Job.get(id=job.id)
    await load(late, _batch(job.id, 0, accepted=3, rejected=0))

    await load(job, _batch(job.id, 0, accepted=3, rejected=0))

    assert (3, 3, 0) == (job.next_index, job.records_accepted, job.records_rejected)
    await Job.cancel(job.id, job.partner_id)
    with pytest.raises(LeaseLost):
        await load(job, _batch(job.id, 3, accepted=3, rejected=0))


async def test_load_gives_up_on_rows_that_should_not_be_there() -> None:
    """A collision that no COMMIT of ours explains is a fault to be told, not to be tried for ever."""
    import asyncpg
    from tortoise import connections

    job = await _claimed()
    batch = _batch(job.id, 0)
    async with connections.get("default").acquire_connection() as stranger:
        await stranger.execute("""INSERT INTO record VALUES ($1, 1, '{}')""", job.id)

    with pytest.raises(asyncpg.UniqueViolationError):
        await load(job, batch)

    assert await _indexes(job) == ([1], [])
