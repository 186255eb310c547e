"""Every change of a job's state: who may make it, and who may not."""

import asyncio

import pytest
from tortoise import connections

from models import Job, JobStatus
from models.job import Checkpoint
from tests.factories import make_job, make_partner

pytestmark = pytest.mark.usefixtures("database")

LEASE = 30.0


async def _advance(job: Job, *, index: int = 10) -> bool:
    checkpoint = Checkpoint(index, 50, 11, 8, 2, {"id": {"REQUIRED": 2}})
    async with connections.get("default").acquire_connection() as connection:
        return await job.advance(connection, checkpoint)


async def test_claim_next_takes_the_oldest_pending_job_first() -> None:
    """Jobs are claimed in the order in which they were submitted, then there is none."""
    first, second = await make_job(), await make_job()

    claimed = [await Job.claim_next(LEASE) for _ in range(3)]

    assert [first.id, second.id, None] == [job and job.id for job in claimed]


async def test_claim_next_starts_the_job() -> None:
    """A claimed job is PROCESSING, has an attempt, a start and a lease."""
    await make_job()

    job = await Job.claim_next(LEASE)

    assert job is not None
    assert (job.status, job.attempt, job.crashes) == (JobStatus.PROCESSING, 1, 0)
    assert job.started_at is not None
    assert job.lease_until is not None
    assert job.lease_until > job.started_at


async def test_claim_next_never_gives_one_job_to_two_workers() -> None:
    """Twenty claims at once on ten jobs give each job to one claimer."""
    for _ in range(10):
        await make_job()

    claimed = await asyncio.gather(*(Job.claim_next(LEASE) for _ in range(20)))

    ids = [job.id for job in claimed if job]
    assert 10 == len(ids) == len(set(ids))


async def test_claim_next_leaves_a_leased_job_alone() -> None:
    """A job whose lease still runs belongs to its worker."""
    await make_job()
    await Job.claim_next(LEASE)

    assert await Job.claim_next(LEASE) is None


async def test_claim_next_takes_over_an_expired_lease_and_counts_a_crash() -> None:
    """A worker that let its lease run out has crashed: the job goes on under the next attempt."""
    await make_job()
    await Job.claim_next(0.0)

    job = await Job.claim_next(LEASE)

    assert job is not None
    assert (job.attempt, job.crashes) == (2, 1)


async def test_claim_next_leaves_out_what_the_caller_works_on() -> None:
    """A worker whose lease ran out in a partition does not take its own job away from itself, but takes another."""
    await make_job()
    own = await Job.claim_next(0.0)
    assert own is not None

    assert await Job.claim_next(LEASE, held={own.id}) is None

    other = await make_job()
    job = await Job.claim_next(LEASE, held={own.id})
    assert job is not None
    assert other.id == job.id


async def test_hand_back_makes_the_job_claimable_at_once_without_a_crash() -> None:
    """A job that is handed back goes on under the next attempt, from its start time, with no crash counted."""
    await make_job()
    first = await Job.claim_next(LEASE)
    assert first is not None

    assert await first.hand_back()
    second = await Job.claim_next(LEASE)

    assert second is not None
    assert (2, 0, first.started_at) == (second.attempt, second.crashes, second.started_at)


async def test_advance_moves_checkpoint_and_counters_together() -> None:
    """A committed batch shows in every counter of the row, and forgives crashes."""
    await make_job()
    await Job.claim_next(0.0)
    job = await Job.claim_next(LEASE)
    assert job is not None

    assert await _advance(job)

    row = await Job.get(id=job.id)
    assert (row.next_index, row.next_offset, row.next_line, row.bytes_read) == (10, 50, 11, 50)
    assert (
        row.records_accepted, row.records_rejected, row.error_counts, row.crashes
    ) == (8, 2, {"id": {"REQUIRED": 2}}, 0)  # fmt: skip


async def test_advance_counts_a_batch_once() -> None:
    """The same batch a second time changes nothing, since the checkpoint is not where the batch began."""
    await make_job()
    job = await Job.claim_next(LEASE)
    assert job is not None
    await _advance(job)

    assert not await _advance(job)


async def test_every_write_of_an_older_attempt_is_fenced_off() -> None:
    """A worker whose job was taken over can neither advance, renew, hand back, complete nor fail it."""
    await make_job()
    old = await Job.claim_next(0.0)
    await Job.claim_next(LEASE)
    assert old is not None

    writes = [
        await _advance(old),
        await old.renew(LEASE),
        await old.hand_back(),
        await old.complete(),
        await old.fail("INTERNAL", "no"),
    ]

    assert writes == [False] * 5
    assert (await Job.get(id=old.id)).status is JobStatus.PROCESSING


async def test_no_batch_commits_after_cancel_has_answered() -> None:
    """Cancelling fences off the worker that holds the job, and the state is final."""
    job = await make_job()
    held = await Job.claim_next(LEASE)
    assert held is not None

    assert await Job.cancel(job.id, job.partner_id)

    assert not await _advance(held)
    assert not await held.complete()
    row = await Job.get(id=job.id)
    assert (row.status, row.next_index) == (JobStatus.CANCELLED, 0)
    assert row.finished_at is not None


async def test_cancel_changes_nothing_of_a_finished_or_foreign_job() -> None:
    """A finished job cannot be cancelled, nor can anybody else's."""
    finished = await make_job(status=JobStatus.COMPLETED)
    foreign = await make_job()
    stranger = await make_partner()

    assert not await Job.cancel(finished.id, finished.partner_id)
    assert not await Job.cancel(foreign.id, stranger.id)
    assert (await Job.get(id=foreign.id)).status is JobStatus.PENDING


async def test_complete_and_cancel_at_once_leave_one_final_state() -> None:
    """Of a cancel and a completion that race, exactly one wins, and both say who."""
    for _ in range(20):
        job = await make_job()
        held = await Job.claim_next(LEASE)
        assert held is not None

        cancelled, completed = await asyncio.gather(Job.cancel(job.id, job.partner_id), held.complete())

        assert cancelled != completed
        expected = JobStatus.CANCELLED if cancelled else JobStatus.COMPLETED
        assert expected is (await Job.get(id=job.id)).status
