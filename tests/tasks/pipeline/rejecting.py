"""Reads a file as a job does, and makes the file of its rejected records."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import uuid4

from tasks.pipeline.batches import batch, batches
from tasks.pipeline.definition import Definition
from tasks.pipeline.errors import FileError
from tasks.pipeline.formats import READERS
from tasks.pipeline.record import Batch, ChunkSize, FileFormat, Position
from tasks.pipeline.rejected import Cut, cutter_of
from tasks.pipeline.validator import Validator

Verdict = tuple[tuple[str, ...], ...]
"""What is wrong with a record: field, code, message and raw value of each error row."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a file's records."""

    accepted: int
    rejected: dict[int, Verdict]
    cuts: list[Cut]
    failure: str | None

    @property
    def verdicts(self) -> list[Verdict]:
        """Of the rejected records, in their order."""
        return list(self.rejected.values())


def outcome(
    data: bytes,
    format: FileFormat,
    definition: Definition,
    chunk_size: ChunkSize | None = None,
    **options: Any,
) -> Outcome:
    """`options`: of the format's reader."""
    accepted, rows, failure = 0, [], None
    try:
        for found in _batches(data, format, definition, chunk_size or ChunkSize(), options):
            accepted += found.accepted
            rows += [line.split("\t") for line in found.errors.decode().split("\n")[:-1]]
    except FileError as error:
        failure = str(error.code)
    rejected: dict[int, Verdict] = {}
    cuts = []
    for index, of_record in groupby(rows, lambda row: int(row[1])):
        errors = list(of_record)
        assert len({tuple(row[3:6]) for row in errors}) == 1, "one place for each record"
        rejected[index] = tuple(tuple(row[6:10]) for row in errors)
        cuts.append(Cut(index, int(errors[0][4]), int(errors[0][5])))
    return Outcome(accepted, rejected, cuts, failure)


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A row of `record_error`, before it is loaded."""

    index: int
    line: int
    offset: int
    begins_with: bytes
    """The record's first bytes in its file."""
    field: str | None
    code: str
    raw: str | None
    source: str | None


def error_rows(data: bytes, format: FileFormat, definition: Definition) -> list[ErrorRow]:
    """All of a file's, which is in UTF-8; a record begins with what its raw value does, where that is known."""
    rows = []
    for found in batches(io.BytesIO(data), len(data), format, definition, uuid4(), Position(), ChunkSize()):
        for line in found.errors.decode().split("\n")[:-1]:
            _, index, _, number, offset, length, field, code, _, raw, source = line.split("\t")
            whole = field == source == "\\N"
            begins_with = (_text(raw) or "").encode() if whole else _MARKS[format]
            assert 0 < int(length) <= len(data) - int(offset)
            rows.append(
                ErrorRow(
                    int(index),
                    int(number),
                    int(offset),
                    begins_with,
                    _text(field),
                    code,
                    _text(raw),
                    _text(source),
                )
            )
    return rows


_MARKS = {FileFormat.JSON: b"{", FileFormat.NDJSON: b"{", FileFormat.XML: b"<"}
_MARKS |= dict.fromkeys((FileFormat.CSV, FileFormat.TSV), b"")


def _text(cell: str) -> str | None:
    return None if cell == "\\N" else cell.encode().decode("unicode_escape").encode("latin-1").decode()


def rejected_file(
    data: bytes,
    format: FileFormat,
    definition: Definition,
    cuts: Sequence[Cut],
    *,
    with_index: bool = False,
    is_retry: bool = False,
) -> bytes:
    """The file of these records."""
    cutter = cutter_of(io.BytesIO(data), format, definition, with_index=with_index, is_retry=is_retry)
    return b"".join([*cutter.head(), *cutter.records(cuts), cutter.tail()])


def _batches(
    data: bytes, format: FileFormat, definition: Definition, chunk_size: ChunkSize, options: dict[str, Any]
) -> Any:
    file = io.BytesIO(data)
    if not options:
        return batches(file, len(data), format, definition, uuid4(), Position(), chunk_size)
    validator = Validator(definition)
    chunks = READERS[format](file, len(data), definition, Position(), chunk_size, **options)
    return _decided(chunks, validator)


def _decided(chunks: Any, validator: Validator) -> Any:
    for chunk in chunks:
        found: Batch = batch(chunk, validator, uuid4())
        yield found
