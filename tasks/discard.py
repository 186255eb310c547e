"""Undoes a job: what it has loaded is deleted in chunks, each in one transaction that also counts it.

claim -> delete a chunk, count it -> announce -> … -> finish
"""

import asyncio
import logging
from typing import Any

from redis.asyncio import Redis
from tortoise import connections

from models import Discard, Job
from models.discard import Chunk
from settings import settings
from tasks.announce import Announcer
from tasks.discard_progress import DiscardProgress
from tasks.errors import DATABASE_AWAY, Draining, LeaseLost, stop_if_cancelled
from tasks.faults import Point, reached
from tasks.insist import PAUSE_SECONDS, insist
from tasks.lease import held

logger = logging.getLogger(__name__)


class DiscardLane:
    """Works through discards, one at a time, beside the lanes that load."""

    def __init__(self, redis: Redis, stopping: asyncio.Event) -> None:
        self._redis = redis
        self._stopping = stopping

    async def until_none(self) -> None:
        """Claims and works through one after the other, until none waits or this worker is to stop.

        Raises one of DATABASE_AWAY when there is no database to claim from.
        """
        while not self._stopping.is_set() and (discard := await Discard.claim_next(settings.lease_seconds)):
            await self._run(discard)

    async def _run(self, discard: Discard) -> None:
        reached(Point.DISCARD_CLAIMED)
        job = await insist(lambda: Job.get(id=discard.job_id))
        logger.info("discard claimed", extra=_about(job, attempt=discard.attempt, index=discard.next_index))
        announcer = Announcer(self._redis, lambda: _progress(discard, job))
        try:
            announcer.announce()
            async with held(discard, self._stopping):
                await self._delete_all(discard, job, announcer)
                reached(Point.BEFORE_DISCARD_FINISH)
                if await insist(discard.finish):
                    logger.info("discard completed", extra=_about(job, records=job.records_discarded))
        except LeaseLost:
            logger.info("discard left: another worker's by now", extra=_about(job))
        except Draining:
            await _hand_back(discard, job)
        finally:
            await announcer.finish()

    async def _delete_all(self, discard: Discard, job: Job, announcer: Announcer) -> None:
        in_doubt = discard.attempt > 1
        """Whether a session that we do not hold may still be deleting, or has committed what we do not know of."""
        while True:
            try:
                if in_doubt:
                    await _catch_up(discard, job)
                    in_doubt = False
                chunk = await _commit(discard, job)
            except DATABASE_AWAY as error:
                stop_if_cancelled(error)
                logger.warning("chunk not deleted, trying again", extra=_about(job, error=repr(error)))
                in_doubt = True
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if not chunk.records:
                return
            reached(Point.DISCARD_COMMITTED)
            discard.next_index = chunk.next_index
            job.records_discarded += chunk.records
            announcer.announce_when_due()
            if self._stopping.is_set():
                raise Draining


async def _commit(discard: Discard, job: Job) -> Chunk:
    """Deletes the next chunk, or nothing when nothing is left. Raises LeaseLost, and then nothing has changed."""
    # Not Tortoise's in_transaction(): a connection that breaks under it stays the task's connection for ever.
    async with connections.get("default").acquire_connection() as connection, connection.transaction():
        await discard.name_session(connection)
        chunk = await discard.delete_next(connection, job, settings.batch_records)
        reached(Point.DISCARD_DELETED)
        # The counting comes last: the job's row, and the root's, are locked for milliseconds only.
        if not await discard.advance(connection, job, chunk):
            raise LeaseLost
        reached(Point.DISCARD_COUNTED)
    return chunk


async def _catch_up(discard: Discard, job: Job) -> None:
    """Brings both up to what is committed. Raises LeaseLost when somebody else has the discard by now."""
    await _still_held(discard)  # else these sessions are not ours to end
    await discard.end_other_sessions()
    discard.next_index = (await _still_held(discard)).next_index
    await job.refresh_from_db(["records_discarded"])


async def _still_held(discard: Discard) -> Discard:
    row = await Discard.get(job_id=discard.job_id)
    if row.attempt != discard.attempt:
        raise LeaseLost
    return row


async def _hand_back(discard: Discard, job: Job) -> None:
    try:
        handed_back = await discard.hand_back()
    except DATABASE_AWAY as error:
        logger.warning(
            "discard not handed back, its lease will run out", extra=_about(job, error=repr(error))
        )
        return
    if handed_back:
        logger.info("discard handed back", extra=_about(job, index=discard.next_index))


def _progress(discard: Discard, job: Job) -> DiscardProgress:
    return DiscardProgress.of(discard, total=job.records_accepted, discarded=job.records_discarded)


def _about(job: Job, **more: Any) -> dict[str, Any]:
    return {"job": str(job.id), "partner": str(job.partner_id), **more}
