"""One row of the bad-input matrix: what stands in a file, and what must come of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.pipeline.definition import Definition
from tasks.pipeline.record import ChunkSize, FileFormat
from tests.hostile_files.child import read_by_child
from tests.hostile_files.outcome import Outcome, assert_same, read

Failure = tuple[str, int | None, int | None]
"""Code, record index and line; without a line it is the file as a whole, which may also be told as its line 1."""

MOST_MIB = 250
"""Resident memory of a reader child, whatever the file: it starts at 50, and may hold a few records of 8 MiB."""
MOST_CPU_SECONDS = 10.0
_RESUMED = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A file and its outcome. `id`: the row of the matrix; `name`: which of its cases."""

    id: str
    name: str
    data: bytes | Callable[[], bytes]
    definition: Definition
    plain: Sequence[Any]
    """Record by record: its values, or its codes, with the field's name where there is one."""
    failed: Failure | None = None
    places: Sequence[tuple[int, int]] | None = None
    """Line and byte offset of each rejected record; None: not looked at."""
    message: str = ""
    """Stands in the failure's message, or in that of the first error."""
    raw: str | None = None
    """The first error's raw value."""
    format: FileFormat | None = None
    cost: Mapping[str, float] = field(default_factory=dict)
    """Other limits than the usual ones: `mib`, `cpu_seconds`."""

    def __str__(self) -> str:
        return f"{self.id} {self.name}"

    @property
    def bytes(self) -> bytes:
        """What stands in the file."""
        return self.data if isinstance(self.data, bytes) else self.data()


def check(row: Row, format: FileFormat) -> None:
    """The pure core gives the row's outcome: at once, record by record, and from each record on."""
    data, format = row.bytes, row.format or format
    whole = read(data, format, row.definition)
    _check_outcome(row, whole)
    one_by_one = read(data, format, row.definition, chunk_size=ChunkSize(records=1))
    assert_same(whole, one_by_one)
    for end in one_by_one.ends[:_RESUMED]:
        assert_same(whole, read(data, format, row.definition, end), end.index)


async def check_by_child(row: Row, format: FileFormat, folder: Path) -> None:
    """The real reader child gives the row's outcome, within bounds of memory and time."""
    path = folder / "file"
    path.write_bytes(row.bytes)
    outcome, cost = await read_by_child(path, row.format or format, row.definition)
    _check_outcome(row, outcome)
    assert cost.mib <= row.cost.get("mib", MOST_MIB)
    assert cost.cpu_seconds <= row.cost.get("cpu_seconds", MOST_CPU_SECONDS)


def missing(letter: str, count: int, rows: Sequence[Row], elsewhere: Mapping[str, str]) -> list[str]:
    """The rows of the matrix that are neither here nor, for a reason, elsewhere."""
    here = {row.id for row in rows} | {id for id, reason in elsewhere.items() if reason}
    return [id for id in (f"{letter}{n}" for n in range(1, count + 1)) if id not in here]


def _check_outcome(row: Row, outcome: Outcome) -> None:
    assert list(row.plain) == outcome.plain
    failed = outcome.failed
    if row.failed is not None and failed is not None and row.failed[2] is None and failed[2] == 1:
        failed = (*failed[:2], None)
    assert row.failed == failed
    if row.places is not None:
        assert list(row.places) == [(found[0].line, found[0].offset) for found in outcome.errors.values()]
    first = next(iter(outcome.errors.values()), [None])[0]
    if row.raw is not None:
        assert first is not None
        assert row.raw == first.raw
    assert row.message in (outcome.failure.message if outcome.failure else first.message if first else "")
