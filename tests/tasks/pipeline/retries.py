"""Reads a retry's file as the reader child does, and tells which record of the first job each of its records is."""

import io
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from tasks.pipeline.batches import batches
from tasks.pipeline.claims import unpacked
from tasks.pipeline.definition import Definition
from tasks.pipeline.errors import FileError
from tasks.pipeline.record import Batch, ChunkSize, FileFormat, Position
from tasks.pipeline.retry import survey
from tests.tasks.pipeline.test_batches import copied

JOB = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@dataclass(slots=True)
class Retried:
    """What came of a retry's file."""

    records: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Index -> (origin, JSON) of the accepted records."""
    errors: list[tuple[int, str, str | None, str | None]] = field(default_factory=list)
    """(index, code, raw value, origin) of each error row."""
    slices: dict[int, bytes] = field(default_factory=dict)
    """Index -> the bytes that the claim of an accepted record points to."""
    failure: str | None = None
    message: str = ""

    @property
    def origins(self) -> dict[int, int]:
        """Index -> origin of the accepted records."""
        return {index: origin for index, (origin, _) in self.records.items()}


BY_PLACE = -1
"""Behind the origins of a retry whose file was cut out of its parent's."""


def origins_file(origins: Iterable[int]) -> io.BytesIO:
    """As the API stores it."""
    return io.BytesIO(array("q", origins).tobytes())


def retried(
    data: bytes,
    format: FileFormat,
    definition: Definition,
    origins: Iterable[int],
    sizes: Sequence[int] = (1, 3),
) -> Retried:
    """Surveys and reads `data`; then again in batches of each size, every one by a reader of its own, as after a crash."""
    numbers = list(origins)
    whole = Retried()
    _read(whole, data, format, definition, numbers, ChunkSize(), Position())
    for size in sizes:
        parts, start = Retried(), Position()
        while (end := _read(parts, data, format, definition, numbers, ChunkSize(size), start, 1)) != start:
            start = end
        assert whole == parts
    return whole


def _read(
    found: Retried,
    data: bytes,
    format: FileFormat,
    definition: Definition,
    origins: list[int],
    size: ChunkSize,
    start: Position,
    most: int | None = None,
) -> Position:
    """Where it has read to, in `most` batches."""
    file = io.BytesIO(data)
    try:
        retry = survey(file, len(data), format, definition, origins_file(origins))
        for batch in islice(batches(file, len(data), format, definition, JOB, start, size, retry), most):
            assert batch.first_index == start.index
            start = batch.end
            _take(found, batch, data)
    except FileError as error:
        found.failure, found.message = error.code.value, error.message
    return start


def _take(found: Retried, batch: Batch, data: bytes) -> None:
    claims = unpacked(batch.claims)
    rows = copied(batch.records)
    assert len(rows) == len(claims) == batch.accepted
    for (job, index, record, origin), claim in zip(rows, claims, strict=True):
        assert (job, index, origin) == (str(JOB), str(claim.index), str(claim.origin))
        found.records[claim.index] = (claim.origin, record or "")
        found.slices[claim.index] = data[claim.offset : claim.offset + claim.length]
    for row in copied(batch.errors):
        assert len(row) == 12
        found.errors.append((int(row[1] or ""), str(row[7]), row[9], row[11]))
