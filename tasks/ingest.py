"""THE task: what happens to one job, from its claim to its final state.

claim -> find the file -> read -> load -> announce -> finish
"""

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from models import Job, RecordSchema
from settings import settings
from tasks.announce import Announcer
from tasks.errors import (
    DATABASE_AWAY,
    Draining,
    LeaseLost,
    ReaderCrashed,
    ReaderNotStarted,
)
from tasks.faults import Point, reached
from tasks.insist import insist
from tasks.lease import held
from tasks.load import load
from tasks.pipeline.copy_text import storable
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import ChunkSize, FileFormat, Position
from tasks.progress import Progress
from tasks.reader import Order, read
from tasks.source import find_file
from tasks.storage import Store

logger = logging.getLogger(__name__)

MAX_CRASHES = 3
"""So many crashes in a row with no batch committed in between end a job."""

_PAUSE_SECONDS = 0.5
_MAX_FAILED_STARTS = 20


class Ingest:
    """One lane of a worker process: it works through jobs, one at a time; if it is the express lane, small ones only."""

    def __init__(
        self,
        store: Store,
        redis: Redis,
        stopping: asyncio.Event,
        jobs: list[UUID],
        *,
        small_only: bool = False,
    ) -> None:
        """`jobs`: what this worker holds, in any of its lanes: each lane writes its own into it, and none claims them.

        Twice where a lane has claimed what another has not left yet.
        """
        self._store = store
        self._redis = redis
        self._stopping = stopping
        self._jobs = jobs
        self._small_only = small_only
        self.idle = asyncio.Event()
        """Set while this lane neither has a job nor asks for one."""
        self.idle.set()

    async def until_idle(self) -> bool:
        """Claims and works through one job after the other, until none waits or this worker is to stop.

        False, at once, if this lane is busy already. Raises one of DATABASE_AWAY when there is no database to claim from.
        """
        if not self.idle.is_set():
            return False
        self.idle.clear()
        try:
            while not self._stopping.is_set() and (job := await self._claim()):
                await self._run(job)
        finally:
            self.idle.set()
        return True

    async def _claim(self) -> Job | None:
        return await Job.claim_next(settings.lease_seconds, small_only=self._small_only, held=self._jobs)

    async def _run(self, job: Job) -> None:
        reached(Point.AFTER_CLAIM)
        logger.info("job claimed", extra=self._about_claim(job))
        announcer = Announcer(self._redis, lambda: Progress.of(job))
        self._jobs.append(job.id)
        try:
            announcer.announce()
            async with held(job, self._stopping):
                await self._read_and_finish(job, announcer)
        except LeaseLost:
            logger.info("job left: cancelled, or another worker's by now", extra=_about(job))
        except Draining:
            await _hand_back(job)
        finally:
            self._jobs.remove(job.id)
            await announcer.finish()

    def _about_claim(self, job: Job) -> dict[str, Any]:
        lane = "express" if self._small_only else "main"
        return _about(job, attempt=job.attempt, index=job.next_index, lane=lane)

    async def _read_and_finish(self, job: Job, announcer: Announcer) -> None:
        try:
            await _take_over(job)
            path = await find_file(job, self._store)
            await self._read_and_load(job, path, announcer)
        except FileError as error:
            await _fail(job, error)
        except (LeaseLost, Draining):
            raise
        except Exception:
            logger.exception("job ended by a fault of ours", extra=_about(job))
            await _fail(job, _internal(job))
        else:
            reached(Point.BEFORE_FINISH)
            if await insist(job.complete):
                reached(Point.AFTER_FINISH)
                logger.info("job completed", extra=_about(job, records=job.records_read))

    async def _read_and_load(self, job: Job, path: Path, announcer: Announcer) -> None:
        """Every batch from the checkpoint on. A reader child that dies is started again there at once."""
        schema = await insist(lambda: RecordSchema.get(id=job.record_schema_id))
        crashes = failed_starts = 0
        while True:
            before = job.next_index
            try:
                return await self._load_all(job, self._order(job, path, schema), announcer)
            except ReaderNotStarted as error:
                failed_starts += 1
                if failed_starts >= _MAX_FAILED_STARTS:
                    raise
                logger.warning("reader not started, trying again", extra=_about(job, error=str(error)))
                await asyncio.sleep(_PAUSE_SECONDS)
            except ReaderCrashed as error:
                logger.warning(
                    "reader crashed", extra=_about(job, exitcode=error.exitcode, index=job.next_index)
                )
                crashes = 1 if job.next_index > before else crashes + 1
                if crashes >= MAX_CRASHES:
                    raise _crashed(FailureCode.READER_CRASHED, "reader process", job) from error

    def _order(self, job: Job, path: Path, schema: RecordSchema) -> Order:
        return Order(
            job_id=job.id,
            path=path,
            format=FileFormat(job.format),
            definition=schema.definition,
            start=Position(job.next_index, job.next_offset, job.next_line),
            chunk_size=ChunkSize(records=settings.batch_records),
            origins=self._store.path(job.origins_key) if job.origins_key else None,
        )

    async def _load_all(self, job: Job, order: Order, announcer: Announcer) -> None:
        async with aclosing(read(order)) as batches:
            async for batch in batches:
                await load(job, batch)
                announcer.announce_when_due()
                if self._stopping.is_set():
                    raise Draining


async def _take_over(job: Job) -> None:
    """Ends what an attempt whose lease ran out may still be doing. Raises FileError when that happened too often."""
    if job.crashes >= MAX_CRASHES:
        raise _crashed(FailureCode.WORKER_CRASHED, "worker", job)
    if job.crashes:
        await insist(job.end_other_sessions)


async def _hand_back(job: Job) -> None:
    try:
        handed_back = await job.hand_back()
    except DATABASE_AWAY as error:
        logger.warning("job not handed back, its lease will run out", extra=_about(job, error=repr(error)))
        return
    if handed_back:
        logger.info("job handed back", extra=_about(job, index=job.next_index))


def _crashed(code: FailureCode, who: str, job: Job) -> FileError:
    last = job.next_index + settings.batch_records - 1
    return FileError(
        code,
        f"The {who} died {MAX_CRASHES} times in a row while it worked on the records {job.next_index} to {last} at most."
        " Something among them brings it down: send the file without them, and tell the operator.",
        record_index=job.next_index,
    )


def _internal(job: Job) -> FileError:
    return FileError(
        FailureCode.INTERNAL,
        f"Something went wrong on our side at record {job.next_index} or soon after. The operator finds the reason in"
        f" the log under job {job.id}.",
        record_index=job.next_index,
    )


async def _fail(job: Job, error: FileError) -> None:
    message = storable(error.message)  # it may quote names from the file
    failed = await insist(
        lambda: job.fail(error.code, message, record_index=error.record_index, line=error.line)
    )
    if failed:
        logger.info(
            "job failed", extra=_about(job, code=error.code, index=error.record_index, line=error.line)
        )


def _about(job: Job, **more: Any) -> dict[str, Any]:
    return {"job": str(job.id), "partner": str(job.partner_id), **more}
