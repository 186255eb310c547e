"""The rejected records of a job that no retry has loaded since, as a file in the format of the job's own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from models import Job, RecordSchema
from tasks.keyset import page
from tasks.pipeline.definition import define
from tasks.pipeline.errors import FileError
from tasks.pipeline.formats import format_of
from tasks.pipeline.record import FileFormat
from tasks.pipeline.rejected import Cut, cutter_of
from tasks.storage import Store

PAGE_RECORDS = 1_000
_BLOCK_BYTES = 64 * 1024
_BUFFER_BYTES = 64 * 1024
"""Read at once: rejected records that lie near each other are read together."""
_MAX_NAME_CHARS = 255


class NotAvailable(Exception):
    """The rejected records cannot be had any more; the message says why."""


async def rejected_records(job: Job, store: Store, *, with_index: bool) -> AsyncIterator[bytes]:
    """The outstanding records of `job` in blocks of bytes, with the header or root of its file around them.

    Read with the job's schema, they are rejected again, for the same reasons and in the same order. `with_index`: each
    says in `sluice:index` which record of the first job it is. No transaction and no connection is held between blocks, and
    memory stays flat. Raises NotAvailable, and CannotIndex where the format has no place for the index.
    """
    schema = await RecordSchema.get(id=job.record_schema_id)
    definition = await asyncio.to_thread(define, schema.definition)
    file = await _opened(job, store)
    try:
        with closing(file):
            cutter = await asyncio.to_thread(
                cutter_of, file, FileFormat(job.format), definition, with_index=with_index
            )
            pages = outstanding(job)
            # Before anything is given: what makes a record unavailable is true of the first of them, if of any.
            cuts = await anext(pages, None)
            async for block in _blocks(cutter.head()):
                yield block
            while cuts:
                async for block in _blocks(cutter.records(cuts)):
                    yield block
                cuts = await anext(pages, None)
            yield cutter.tail()
    except (FileError, UnicodeError) as error:
        raise _changed() from error


async def outstanding(job: Job) -> AsyncIterator[list[Cut]]:
    """Where the records lie that `rejected_records` gives, a page at a time, in the order of the file."""
    behind = -1
    root_id, is_root = job.root_id or job.id, job.root_id is None
    while rows := await page(_PAGE, job.id, is_root, root_id, behind, PAGE_RECORDS):
        behind = rows[-1]["record_index"]
        if any(row["byte_length"] is None for row in rows):
            raise NotAvailable(
                "This job was loaded by a version of Sluice that did not note where a record ends. Submit its file again."
            )
        if cuts := [
            Cut(row["origin"], row["byte_offset"], row["byte_length"])
            for row in rows
            if row["is_outstanding"]
        ]:
            yield cuts


def rejected_filename(job: Job) -> str:
    """What a file of the job's rejected records is called: its format can be told from the name."""
    return derived_filename(job, "rejected", _extension(job))


def derived_filename(job: Job, what: str, extension: str) -> str:
    """The name of something that is made of the job's file: orders.csv, orders.rejected.csv."""
    stem = job.filename.rpartition(".")[0] if format_of(job.filename) else job.filename
    end = f".{what}.{extension}"
    return stem[: _MAX_NAME_CHARS - len(end)] + end


def _extension(job: Job) -> str:
    extension = job.filename.rpartition(".")[2]
    return extension if format_of(job.filename) == job.format else job.format.lower()


# Of a record's error rows the first says as much as all. Joined to what was found for one page, PostgreSQL looks into the
# index for each of its records.
_PAGE = """
SELECT page.record_index, page.byte_offset, page.byte_length, page.origin,
       page.origin IS NOT NULL AND retried_record.origin_index IS NULL AS is_outstanding
  FROM (
    SELECT DISTINCT ON (record_index) record_index, byte_offset, byte_length,
           CASE WHEN $2 THEN coalesce(origin_index, record_index) ELSE origin_index END AS origin
      FROM record_error WHERE job_id = $1 AND record_index > $4 ORDER BY record_index, seq LIMIT $5
  ) AS page
  LEFT JOIN retried_record ON retried_record.root_id = $3 AND retried_record.origin_index = page.origin
 ORDER BY page.record_index
"""


async def _opened(job: Job, store: Store) -> BinaryIO:
    path = store.path(job.storage_key)
    try:
        return await asyncio.to_thread(_open, path, job.size_bytes)
    except FileNotFoundError:
        if not await store.is_there():
            raise
        raise NotAvailable("The submitted file is not in the storage any more. Submit it again.") from None


def _open(path: Path, size: int) -> BinaryIO:
    if path.stat().st_size != size:
        raise _changed()
    return path.open("rb", buffering=_BUFFER_BYTES)


def _changed() -> NotAvailable:
    return NotAvailable("The stored file is not what was submitted any more. Submit it again.")


async def _blocks(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, joined into blocks: made one at a time, off the event loop."""
    while block := await asyncio.to_thread(_joined, pieces):
        yield block


def _joined(pieces: Iterator[bytes]) -> bytes:
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= _BLOCK_BYTES:
            break
    return bytes(block)
