"""What came of reading a file: every index accounted for exactly once, and the rows as PostgreSQL would read them."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tasks.load import ERROR_COLUMNS
from tasks.pipeline.batches import batches
from tasks.pipeline.definition import Definition, define
from tasks.pipeline.errors import FileError
from tasks.pipeline.record import MAX_RAW_CHARS, Batch, ChunkSize, FileFormat, Position, RecordErrorCode

JOB = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
TOP = Position()
DEFAULT_SIZE = ChunkSize()
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
_CONTROL = re.compile("[\0\r]")
_MOST_CHARS = 5_000
"""A message is for people, whatever long names it quotes."""


@dataclass(frozen=True, slots=True)
class Error:
    """One error row."""

    seq: int
    line: int
    offset: int
    field: str | None
    code: str
    message: str
    raw: str | None


@dataclass(slots=True)
class Outcome:
    """What is in the tables when the job is over."""

    records: dict[int, Any] = field(default_factory=dict)
    """Index -> data of the accepted records."""
    errors: dict[int, list[Error]] = field(default_factory=dict)
    """Index -> why the record is rejected."""
    ends: list[Position] = field(default_factory=list)
    """Where each batch ended."""
    failure: FileError | None = None

    @property
    def count(self) -> int:
        """How many records were read."""
        return len(self.records) + len(self.errors)

    @property
    def codes(self) -> dict[int, list[str]]:
        """Index -> codes of the rejected record, each with its field."""
        return {
            index: [error.code if error.field is None else f"{error.field}: {error.code}" for error in found]
            for index, found in self.errors.items()
        }

    @property
    def plain(self) -> list[Any]:
        """Record by record: its values, or its codes."""
        codes = self.codes
        return [
            codes[index] if index in codes else list(self.records[index].values())
            for index in range(self.count)
        ]

    @property
    def failed(self) -> tuple[str, int | None, int | None] | None:
        """Code, record index and line of the failure."""
        error = self.failure
        return None if error is None else (str(error.code), error.record_index, error.line)


def of_batches(found: Iterable[Batch], start: Position = TOP) -> Outcome:
    """Takes batches as the worker loads them. Asserts what a job must be able to count on (P2); keeps a FileError."""
    outcome = Outcome()
    try:
        for batch in found:
            take(outcome, batch, start)
    except FileError as error:
        outcome.failure = error
    check_message(outcome)
    return outcome


def check_message(outcome: Outcome) -> None:
    """What a partner reads of a failure is a sentence or two."""
    if outcome.failure is not None:
        assert outcome.failure.message.endswith(".")
        assert len(outcome.failure.message) < _MOST_CHARS


def take(outcome: Outcome, batch: Batch, start: Position = TOP) -> None:
    """Adds one batch, the next in order."""
    begin = outcome.ends[-1] if outcome.ends else start
    assert batch.first_index == begin.index
    assert batch.end.index > begin.index
    assert batch.end.offset > begin.offset or not begin.index
    assert batch.end.line >= begin.line
    records = {int(index): json.loads(data) for _, index, data in _rows(batch.records, 3)}
    errors: dict[int, list[Error]] = {}
    for row in _rows(batch.errors, len(ERROR_COLUMNS)):
        errors.setdefault(int(row[1]), []).append(_error(row[2:]))
    assert set(range(begin.index, batch.end.index)) == records.keys() | errors.keys()
    assert not records.keys() & errors.keys()
    assert (batch.accepted, batch.rejected) == (len(records), len(errors))
    rows = [error for found in errors.values() for error in found]
    assert Counter((error.field, error.code) for error in rows) == batch.error_counts
    _check_places([found[0].offset for found in errors.values()], begin.offset, batch.end.offset)
    assert all([error.seq for error in found] == list(range(len(found))) for found in errors.values())
    outcome.records |= records
    outcome.errors |= errors
    outcome.ends.append(batch.end)


def read(
    data: bytes,
    format: FileFormat | str,
    definition: Definition,
    start: Position = TOP,
    chunk_size: ChunkSize = DEFAULT_SIZE,
) -> Outcome:
    """What the pure core makes of a file."""
    file = io.BytesIO(data)
    return of_batches(batches(file, len(data), FileFormat(format), definition, JOB, start, chunk_size), start)


def assert_same(whole: Outcome, part: Outcome, index: int = 0) -> None:
    """`part` is what `whole` has from `index` on."""
    assert part.records == {k: data for k, data in whole.records.items() if k >= index}
    assert part.errors == {k: found for k, found in whole.errors.items() if k >= index}
    assert part.failed == whole.failed


def schema(*fields: str | dict[str, Any], **options: Any) -> Definition:
    """A definition of these fields: options, or the source of a STRING, optional where it ends with "?"."""
    return define({"fields": [_field(given) for given in fields], **options})


def _field(given: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(given, dict):
        return {"name": "a", "type": "STRING", **given}
    name = given.removesuffix("?")
    return {"name": name, "type": "STRING", "required": name == given}


def _check_places(offsets: Sequence[int], begin: int, end: int) -> None:
    assert offsets == sorted(set(offsets))
    assert not offsets or begin <= offsets[0] <= offsets[-1] < end


def _rows(copy_text: bytes, columns: int) -> Iterable[list[Any]]:
    assert not copy_text or copy_text.endswith(b"\n")
    text = copy_text.decode()
    assert not _CONTROL.search(text)
    for line in text.split("\n")[:-1]:
        cells = [_cell(cell) for cell in line.split("\t")]
        assert len(cells) == columns
        assert cells[0] == str(JOB)
        yield cells


def _cell(text: str) -> str | None:
    return None if text == "\\N" else re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], text)


def _error(cells: list[Any]) -> Error:
    seq, line, offset, length, name, code, message, raw, _ = cells
    assert message
    assert int(length) > 0
    assert raw is None or len(raw) <= MAX_RAW_CHARS
    return Error(int(seq), int(line), int(offset), name, RecordErrorCode(code).value, message, raw)
