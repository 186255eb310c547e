"""Loads one batch in one transaction: COPY records, COPY errors, move the checkpoint."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
from tortoise import connections

from models import Job
from models.job import Checkpoint
from tasks.claimed import claimed
from tasks.errors import DATABASE_AWAY, LeaseLost, LoadedMeanwhile, stop_if_cancelled
from tasks.faults import Point, reached
from tasks.pipeline.record import Batch

logger = logging.getLogger(__name__)

RECORD_COLUMNS = ("job_id", "index", "data")
ERROR_COLUMNS = (
    "job_id", "record_index", "seq", "line", "byte_offset", "byte_length", "field", "code", "message", "raw_value",
    "source",
)  # fmt: skip

COPY_SECONDS = 60.0
"""A COPY of one batch that takes longer is given up and tried again."""

_PIECE_BYTES = 256 * 1024

_COLLISIONS = (asyncpg.UniqueViolationError, LoadedMeanwhile)
_TRY_AGAIN = (*DATABASE_AWAY, *_COLLISIONS)
"""The rows are there already when a COMMIT whose answer we lost took effect after we had asked: so ask again."""
_MAX_COLLISIONS = 5
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


async def load(job: Job, batch: Batch) -> None:
    """Loads `batch` exactly once, however often the database goes away meanwhile, and brings `job` up to it.

    Raises LeaseLost when the job is cancelled or somebody else's by now; then nothing of the batch is kept.
    """
    pause = _FIRST_PAUSE_SECONDS
    checkpoint: Checkpoint | None = None
    collisions = 0
    while checkpoint is None:
        try:
            checkpoint = await _commit(job, batch)
        except _TRY_AGAIN as error:
            stop_if_cancelled(error)
            collisions += isinstance(error, _COLLISIONS)
            if collisions > _MAX_COLLISIONS:
                raise
            logger.warning("batch not loaded, trying again", extra={"job": str(job.id), "error": repr(error)})
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            checkpoint = await _committed(job, batch)
    reached(Point.AFTER_COMMIT)
    job.take(checkpoint)


async def _commit(job: Job, batch: Batch) -> Checkpoint:
    # Not Tortoise's in_transaction(): a connection that breaks under it stays the task's connection for ever.
    async with connections.get("default").acquire_connection() as connection, connection.transaction():
        await job.name_session(connection)
        reached(Point.BEFORE_COPY)
        retried = 0
        if job.root_id is not None:
            batch = await claimed(job, job.root_id, batch, connection)
            retried = batch.accepted
        await _copy_all(job, batch, connection)
        reached(Point.AFTER_COPY)
        checkpoint = _after(job, batch)
        # The fence comes last: the job's row is locked for milliseconds only, so that a cancel or a heartbeat
        # never waits for a COPY. Two workers may both copy; one of them commits.
        if not await job.advance(connection, checkpoint):
            # A dry run may have no rows that would have collided with those of a COMMIT of its own.
            raise LoadedMeanwhile if job.dry_run else LeaseLost
        if retried and job.root_id is not None:
            await Job.count_retried(connection, job.root_id, retried)
        reached(Point.AFTER_FENCE)
    return checkpoint


async def _copy_all(job: Job, batch: Batch, connection: asyncpg.Connection) -> None:
    origin = () if job.root_id is None else ("origin_index",)
    if not job.dry_run:
        await _copy(connection, "record", RECORD_COLUMNS + origin, batch.records)
    await _copy(connection, "record_error", ERROR_COLUMNS + origin, batch.errors)


async def _copy(connection: asyncpg.Connection, table: str, columns: tuple[str, ...], rows: bytes) -> None:
    if rows:
        await connection.copy_to_table(
            table, source=_pieces(rows), columns=columns, format="text", timeout=COPY_SECONDS
        )


async def _pieces(rows: bytes) -> AsyncIterator[memoryview]:
    # Of a file asyncpg would make copies of half a MiB each, and PostgreSQL would wait for the first of them.
    view = memoryview(rows)
    for start in range(0, len(rows), _PIECE_BYTES):
        yield view[start : start + _PIECE_BYTES]


async def _committed(job: Job, batch: Batch) -> Checkpoint | None:
    """After a connection that broke: if our COMMIT has arrived, the checkpoint that it made, which the row knows.

    None when it has not, or the row cannot be asked now.
    """
    try:
        await _still_held(job)
        # Our own lost session: if its backend lives on, it holds the keys that we are about to load again.
        await job.end_other_sessions()
        row = await _still_held(job)
    except DATABASE_AWAY as error:
        stop_if_cancelled(error)
        return None
    return Checkpoint.of(row) if row.next_index == batch.end.index else None


async def _still_held(job: Job) -> Job:
    """The row as it is now. Raises LeaseLost when somebody else has it by now, whose sessions are not ours to end."""
    row = await Job.get(id=job.id)
    if row.attempt != job.attempt or row.status != job.status:
        raise LeaseLost
    return row


def _after(job: Job, batch: Batch) -> Checkpoint:
    """The checkpoint that `job` reaches with this batch."""
    return Checkpoint(
        index=batch.end.index,
        offset=batch.end.offset,
        line=batch.end.line,
        accepted=job.records_accepted + batch.accepted,
        rejected=job.records_rejected + batch.rejected,
        error_counts=_add(job.error_counts, batch.error_counts),
    )


def _add(
    counts: dict[str, dict[str, int]], more: Counter[tuple[str | None, str]]
) -> dict[str, dict[str, int]]:
    total = {field: dict(codes) for field, codes in counts.items()}
    for (field, code), count in more.items():
        codes = total.setdefault(field or "", {})
        codes[code] = codes.get(code, 0) + count
    return total
