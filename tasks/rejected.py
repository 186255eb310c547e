"""The rejected records of a job that no retry has loaded since, as a file in the format of the job's own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import BinaryIO

from models import Job, RecordSchema
from tasks.origins import Outstanding, Pages, outstanding
from tasks.pipeline.definition import define
from tasks.pipeline.errors import FileError
from tasks.pipeline.formats import format_of
from tasks.pipeline.index_names import INDEX
from tasks.pipeline.origins import Origins
from tasks.pipeline.record import FileFormat
from tasks.pipeline.rejected import Cut, cutter_of
from tasks.pipeline.xml_rows import NAMESPACE
from tasks.storage import Store

_BLOCK_BYTES = 64 * 1024
_BUFFER_BYTES = 64 * 1024
"""Read at once: rejected records that lie near each other are read together."""
_MAX_NAME_CHARS = 255
_LOOKED_BLOCKS = 4
_INDEX_MARKS = [
    name.encode(codec) for name in (INDEX, NAMESPACE) for codec in ("utf-8", "utf-16-le", "utf-16-be")
]


class NotAvailable(Exception):
    """The rejected records cannot be had any more; the message says why."""


async def rejected_records(
    job: Job, store: Store, *, with_index: bool, pages: Pages | None = None
) -> AsyncGenerator[bytes]:
    """The outstanding records of `job` in blocks of bytes, with the header or root of its file around them.

    `pages` are its outstanding records, for who has to know which ones these were.

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
                cutter_of,
                file,
                FileFormat(job.format),
                definition,
                with_index=with_index,
                is_retry=await _names_indexes(job, store),
            )
            page_cuts = _cuts(outstanding(job) if pages is None else pages)
            # Before anything is given: what makes a record unavailable is true of the first of them, if of any.
            cuts = await anext(page_cuts, None)
            async for block in _blocks(cutter.head()):
                yield block
            while cuts:
                async for block in _blocks(cutter.records(cuts)):
                    yield block
                cuts = await anext(page_cuts, None)
            yield cutter.tail()
    except (FileError, UnicodeError) as error:
        raise _changed() from error


async def brings_indexes(job: Job, store: Store) -> bool:
    """Whether the job's file has a `sluice:index` that means another job: it is looked for in the first rejected records."""
    if await _names_indexes(job, store):
        return False
    looked = 0
    try:
        async with aclosing(rejected_records(job, store, with_index=False)) as blocks:
            async for block in blocks:
                looked += 1
                if any(mark in block for mark in _INDEX_MARKS):
                    return True
                if looked > _LOOKED_BLOCKS:
                    break
    except (NotAvailable, FileNotFoundError):
        pass  # what cannot be read any more was not fetched either
    return False


async def _names_indexes(job: Job, store: Store) -> bool:
    """Whether what the job's file says as `sluice:index` is so: that of a retry that was sent with a file."""
    if job.root_id is None or job.origins_key is None:
        return False
    try:
        return not await asyncio.to_thread(_is_by_place, store.path(job.origins_key))
    except FileNotFoundError:
        return False


def _is_by_place(path: Path) -> bool:
    with path.open("rb") as file:
        return Origins(file).by_place


async def _cuts(pages: Pages) -> AsyncIterator[list[Cut]]:
    async for page in pages:
        yield [Cut(record.origin, record.offset, _length(record)) for record in page]


def _length(record: Outstanding) -> int:
    if record.length is None:
        raise NotAvailable(
            "This job was loaded by a version of Sluice that did not note where a record ends. Send the records"
            " mended, in a file of their own, or submit its file again."
        )
    return record.length


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
