"""Every change of a discard's state, and what one chunk deletes."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tortoise import connections

from models import Discard, DiscardStatus, Job, JobStatus, OnFailure, Record, RetriedRecord
from models.discard import Chunk
from tests.factories import make_job, make_partner

pytestmark = pytest.mark.usefixtures("database")

LEASE = 30.0


async def _loaded(job: Job, *indexes: int, origins: dict[int, int] | None = None) -> Job:
    """The job, finished, with records at these indexes; `origins` says what a retry's are in the root."""
    origins = origins or {}
    database = connections.get("default")
    for index in indexes:
        await database.execute_query(
            'INSERT INTO record (job_id, "index", data, origin_index) VALUES ($1, $2, $3::jsonb, $4)',
            [job.id, index, "{}", origins.get(index)],
        )
    for index, origin in origins.items():
        await RetriedRecord.create(root_id=job.root_id, origin_index=origin, job_id=job.id, index=index)
    await Job.filter(id=job.id).update(
        status=JobStatus.COMPLETED, records_accepted=len(indexes), next_index=max(indexes, default=-1) + 1
    )
    return await Job.get(id=job.id)


async def _claimed(job: Job, lease: float = LEASE) -> Discard:
    await Discard.request(job.id, job.partner_id)
    discard = await Discard.claim_next(lease)
    assert discard is not None
    assert job.id == discard.job_id
    return discard


async def _delete(discard: Discard, job: Job, limit: int) -> Chunk | None:
    """One transaction; None when the fence held it off."""
    async with connections.get("default").acquire_connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        chunk = await discard.delete_next(connection, job, limit)
        if not await discard.advance(connection, job, chunk):
            await transaction.rollback()
            return None
        await transaction.commit()
    discard.next_index = chunk.next_index
    return chunk


async def _left(job: Job) -> list[int]:
    return [record.index for record in await Record.filter(job_id=job.id).order_by("index")]


async def test_request_is_for_finished_jobs_of_ones_own_once() -> None:
    """Unfinished and dry ones have nothing to discard, and a stranger may not."""
    finished = await make_job(status=JobStatus.COMPLETED)
    stranger = await make_partner()

    for status in (JobStatus.PENDING, JobStatus.PROCESSING):
        job = await make_job(status=status)
        assert not await Discard.request(job.id, job.partner_id)
    dry = await make_job(status=JobStatus.COMPLETED, dry_run=True)
    assert not await Discard.request(dry.id, dry.partner_id)
    assert not await Discard.request(finished.id, stranger.id)
    assert await Discard.request(finished.id, finished.partner_id)
    assert not await Discard.request(finished.id, finished.partner_id)
    assert [finished.id] == [discard.job_id for discard in await Discard.all()]


async def test_ten_requests_at_once_make_one_discard() -> None:
    """One of them made it."""
    job = await make_job(status=JobStatus.FAILED)

    made = await asyncio.gather(*(Discard.request(job.id, job.partner_id) for _ in range(10)))

    assert 1 == sum(made) == await Discard.all().count()


async def test_claim_next_takes_the_oldest_and_leaves_leased_ones_alone() -> None:
    """In the order in which they were asked for."""
    jobs = [await make_job(status=JobStatus.COMPLETED) for _ in range(2)]
    for job in reversed(jobs):
        await Discard.request(job.id, job.partner_id)

    claimed = [await Discard.claim_next(LEASE) for _ in range(3)]

    assert [jobs[1].id, jobs[0].id, None] == [discard and discard.job_id for discard in claimed]
    assert all(discard.status is DiscardStatus.PROCESSING for discard in claimed if discard)


async def test_claim_next_takes_over_what_has_run_out_or_was_handed_back() -> None:
    """Under the next attempt, from where it was; started is when it was first claimed."""
    job = await _loaded(await make_job(), 0, 5, 9)
    first = await _claimed(job, 0.0)
    await _delete(first, job, 2)

    second = await Discard.claim_next(LEASE)
    assert second is not None
    assert (2, 6, first.started_at) == (second.attempt, second.next_index, second.started_at)
    assert await second.hand_back()
    third = await Discard.claim_next(LEASE)

    assert third is not None
    assert (3, 6, first.started_at) == (third.attempt, third.next_index, third.started_at)


async def test_chunks_go_by_rows_however_far_apart_their_indexes_are() -> None:
    """Each deletes as many as it may; the last finds nothing, and the counters tell each."""
    job = await _loaded(await make_job(), 3, 1_000_000, 1_000_001, 2**40, 2**40 + 7)
    other = await _loaded(await make_job(), 0, 4)
    discard = await _claimed(job)

    chunks = [await _delete(discard, job, 2) for _ in range(4)]

    behind = [1_000_001, 2**40 + 1, 2**40 + 8, 2**40 + 8]
    assert [Chunk(n, 0, at) for n, at in zip((2, 2, 1, 0), behind, strict=True)] == chunks
    assert ([], [0, 4]) == (await _left(job), await _left(other))
    row = await Job.get(id=job.id)
    assert (5, 5, 0) == (row.records_accepted, row.records_discarded, row.records_stored)
    assert 2 == (await Job.get(id=other.id)).records_stored


async def test_what_is_rolled_back_is_neither_deleted_nor_counted() -> None:
    """Rows, counters and place move together."""
    job = await _loaded(await make_job(), 0, 1, 2)
    discard = await _claimed(job)
    async with connections.get("default").acquire_connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await discard.advance(connection, job, await discard.delete_next(connection, job, 2))
        await transaction.rollback()

    row = await Discard.get(job_id=job.id)
    assert ([0, 1, 2], 0, 0) == (
        await _left(job), row.next_index, (await Job.get(id=job.id)).records_discarded
    )  # fmt: skip


async def test_every_write_of_an_older_attempt_is_fenced_off() -> None:
    """It deletes nothing, and neither renews, hands back nor finishes what another has."""
    job = await _loaded(await make_job(), 0, 1, 2)
    old = await _claimed(job, 0.0)
    new = await Discard.claim_next(LEASE)
    assert new is not None

    assert await _delete(old, job, 2) is None
    assert [False] * 3 == [await old.renew(LEASE), await old.hand_back(), await old.finish()]
    assert [0, 1, 2] == await _left(job)
    assert await _delete(new, job, 2)
    assert await new.finish()
    assert await Discard.claim_next(LEASE) is None


async def test_a_chunk_counts_once() -> None:
    """The same one again, by who does not know that it is committed, is held off by its place."""
    job = await _loaded(await make_job(), 0, 1, 2)
    discard = await _claimed(job)
    await _delete(discard, job, 2)
    discard.next_index = 0

    assert await _delete(discard, job, 2) is None
    assert [2] == await _left(job)


async def _family() -> tuple[Job, Job, Job]:
    """A root whose records 10 to 15 were rejected; one retry has loaded 10, 12 and 13, another one 11."""
    root = await make_job()
    await Job.filter(id=root.id).update(status=JobStatus.COMPLETED, records_rejected=6, next_index=16)
    of_root: dict[str, Any] = {"parent_id": root.id, "root_id": root.id}
    one = await _loaded(await make_job(**of_root), 0, 2, 3, origins={0: 10, 2: 12, 3: 13})
    other = await _loaded(await make_job(**of_root), 1, origins={1: 11})
    await Job.filter(id=root.id).update(records_retried=4, retries_version=4)
    return root, one, other


async def test_what_a_retry_has_loaded_is_outstanding_again() -> None:
    """Its origins are free, the root counts them, and another retry's stay."""
    root, one, other = await _family()
    discard = await _claimed(one)

    assert Chunk(2, 2, 3) == await _delete(discard, one, 2)
    row = await Job.get(id=root.id)
    assert (2, 5, 0) == (row.records_retried, row.retries_version, row.records_discarded)
    await _delete(discard, one, 2)

    row = await Job.get(id=root.id)
    assert (1, 6) == (row.records_retried, row.retries_version)
    assert [(11, other.id)] == [(left.origin_index, left.job_id) for left in await RetriedRecord.all()]


async def test_an_origin_that_has_been_loaded_by_another_since_stays_his() -> None:
    """Only rows of this very job go."""
    root, one, other = await _family()
    await connections.get("default").execute_query(
        "UPDATE retried_record SET job_id = $1 WHERE root_id = $2 AND origin_index = 12", [other.id, root.id]
    )
    discard = await _claimed(one)

    assert Chunk(3, 2, 4) == await _delete(discard, one, 5)
    assert {11, 12} == {left.origin_index for left in await RetriedRecord.all()}


async def _load_origins(connection: asyncpg.Connection, root: UUID, job: UUID, *origins: int) -> int:
    """As a retry's batch does it: how many it got."""
    got = await connection.fetch(
        "INSERT INTO retried_record (root_id, origin_index, job_id, index)"
        " SELECT $1, origin, $2, origin FROM unnest($3::bigint[]) AS origin ORDER BY origin"
        " ON CONFLICT DO NOTHING RETURNING index",
        root, job, list(origins),
    )  # fmt: skip
    await connection.execute(
        "UPDATE job SET records_retried = records_retried + $2, retries_version = retries_version + 1 WHERE id = $1",
        root, len(got),
    )  # fmt: skip
    return len(got)


async def test_a_retry_that_waits_for_a_discard_loads_what_it_lets_go() -> None:
    """Origins that are being freed are waited for, without a deadlock, and the root counts both."""
    root, one, _ = await _family()
    fresh = await make_job(parent_id=root.id, root_id=root.id)
    discard = await _claimed(one)
    database = connections.get("default")
    async with database.acquire_connection() as deleting, database.acquire_connection() as loading:
        transaction = deleting.transaction()
        await transaction.start()
        chunk = await discard.delete_next(deleting, one, 5)
        waiting = asyncio.create_task(_load_origins(loading, root.id, fresh.id, 10, 11, 12, 13, 14))
        while not await deleting.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.02)
        assert await discard.advance(deleting, one, chunk)
        await transaction.commit()

        assert 4 == await waiting
    row = await Job.get(id=root.id)
    assert (5, 6) == (row.records_retried, row.retries_version) == (await RetriedRecord.all().count(), 6)


async def test_two_discards_and_a_retry_of_one_family_never_deadlock() -> None:
    """All at once, many times over: each locks in the same order."""
    for _ in range(15):
        root, one, other = await _family()
        fresh = await make_job(parent_id=root.id, root_id=root.id)
        await Discard.all().delete()
        discards = [await _claimed(job) for job in (one, other)]

        async def load(root: Job, fresh: Job) -> None:
            async with connections.get("default").acquire_connection() as connection:
                for origins in ((10, 11, 12), (13, 14)):
                    async with connection.transaction():
                        await _load_origins(connection, root.id, fresh.id, *origins)

        async with asyncio.timeout(20):
            await asyncio.gather(
                *(_delete(discard, job, 2) for discard, job in zip(discards, (one, other), strict=True)),
                load(root, fresh),
            )

        row = await Job.get(id=root.id)
        assert row.records_retried == await RetriedRecord.filter(root_id=root.id).count()


@pytest.mark.parametrize("on_failure", OnFailure)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_job_that_ends_without_success_is_discarded_if_it_was_asked_to_be(
    on_failure: OnFailure, dry_run: bool
) -> None:
    """In the statement that ends it; a dry run has nothing to discard, and a COMPLETED job keeps its records."""
    jobs = [await make_job(on_failure=on_failure, dry_run=dry_run) for _ in range(3)]
    failed, completed = [await Job.claim_next(LEASE) for _ in range(2)]
    assert failed is not None
    assert completed is not None

    assert await failed.fail("MALFORMED", "No.", record_index=3, line=4)
    assert await completed.complete()
    assert await Job.cancel(jobs[2].id, jobs[2].partner_id)

    wanted = {failed.id, jobs[2].id} if on_failure is OnFailure.DISCARD and not dry_run else set()
    assert wanted == {discard.job_id for discard in await Discard.all()}
    row = await Job.get(id=failed.id)
    assert ("FAILED", "MALFORMED", "No.", 3, 4) == (
        row.status, row.failure_code, row.failure_message, row.failure_record_index, row.failure_line
    )  # fmt: skip


async def test_who_may_not_end_a_job_discards_nothing() -> None:
    """An older attempt, or a stranger."""
    job = await make_job(on_failure=OnFailure.DISCARD)
    old = await Job.claim_next(0.0)
    await Job.claim_next(LEASE)
    stranger = await make_partner()
    assert old is not None

    assert not await old.fail("INTERNAL", "no")
    assert not await Job.cancel(job.id, stranger.id)
    assert 0 == await Discard.all().count()


async def test_counted_tells_the_discards_of_many_jobs_with_their_counters() -> None:
    """Of those only that have one."""
    jobs = [await _loaded(await make_job(), 0, 1, 2) for _ in range(3)]
    for job in jobs[:2]:
        await Discard.request(job.id, job.partner_id)
    discard = await Discard.claim_next(LEASE)
    assert discard is not None
    await _delete(discard, jobs[0], 2)

    found = {
        row.job_id: (total, gone, row.status)
        for total, gone, row in await Discard.counted([job.id for job in jobs])
    }

    assert {
        jobs[0].id: (3, 2, DiscardStatus.PROCESSING),
        jobs[1].id: (3, 0, DiscardStatus.PENDING),
    } == found
