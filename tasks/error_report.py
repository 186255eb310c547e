"""A job's errors as a file for people (CSV, safe to open in a spreadsheet) or for programs (NDJSON): one row for each."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

import asyncpg
import orjson

from models import Job, RecordSchema
from tasks.keyset import page
from tasks.pipeline.definition import define
from tasks.pipeline.paths import PathOf, path_of
from tasks.pipeline.record import FileFormat

COLUMNS = ("recordIndex", "line", "byteOffset", "path", "field", "code", "message", "rawValue")
PAGE_ROWS = 500

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")  # noqa: RUF001
"""What a spreadsheet takes for the beginning of a formula, or lets stand before one."""

Row = Sequence[Any]


class ErrorReportFormat(StrEnum):
    """How an error report is written."""

    CSV = "CSV"
    NDJSON = "NDJSON"


async def error_report(job: Job, format: ErrorReportFormat) -> AsyncIterator[bytes]:
    """The report in blocks of bytes, in the order of the file. Nothing is held between blocks, and memory stays flat."""
    schema = await RecordSchema.get(id=job.record_schema_id)
    paths = path_of(FileFormat(job.format), await asyncio.to_thread(define, schema.definition))
    write = _WRITERS[format]
    if format is ErrorReportFormat.CSV:
        yield csv_rows([COLUMNS])
    behind = (-1, -1)
    while found := await page(_PAGE, job.id, *behind, PAGE_ROWS):
        behind = (found[-1]["record_index"], found[-1]["seq"])
        block = await asyncio.to_thread(_written, found, paths, write)
        del found  # a client that does not read should not make us hold it
        yield block


def csv_rows(rows: Iterable[Row]) -> bytes:
    """RFC 4180, in UTF-8, with CRLF. A cell that a spreadsheet would run gets a ' before it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([list(map(_harmless, row)) for row in rows])
    return out.getvalue().encode()


def ndjson_rows(rows: Iterable[Row]) -> bytes:
    """A JSON object on each line."""
    return b"".join(
        orjson.dumps(dict(zip(COLUMNS, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE) for row in rows
    )


def _harmless(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell


_WRITERS: dict[ErrorReportFormat, Callable[[Iterable[Row]], bytes]] = {
    ErrorReportFormat.CSV: csv_rows,
    ErrorReportFormat.NDJSON: ndjson_rows,
}


def _written(found: list[asyncpg.Record], paths: PathOf, write: Callable[[Iterable[Row]], bytes]) -> bytes:
    return write(
        (
            row["record_index"], row["line"], row["byte_offset"],
            paths(row["record_index"], row["field"], row["source"]),
            row["field"], row["code"], row["message"], row["raw_value"],
        )
        for row in found
    )  # fmt: skip


_PAGE = """
SELECT record_index, seq, line, byte_offset, field, code, message, raw_value, source FROM record_error
 WHERE job_id = $1 AND (record_index, seq) > ($2, $3) ORDER BY record_index, seq LIMIT $4
"""
