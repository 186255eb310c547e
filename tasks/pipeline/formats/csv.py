"""CSV and TSV: RFC 4180 and what people send."""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import BinaryIO

from tasks.pipeline.chunking import Chunks
from tasks.pipeline.definition import Definition, UnknownFields
from tasks.pipeline.encoding import has_surrogate
from tasks.pipeline.errors import FileError
from tasks.pipeline.first_problems import MAX_ALIKE, first_problems
from tasks.pipeline.formats.csv_header import Layout, find_layout
from tasks.pipeline.formats.csv_records import Records, Slab
from tasks.pipeline.framing import Lines
from tasks.pipeline.record import Chunk, ChunkSize, FileFormat, Position, Problem, RecordErrorCode, Value

MAX_UNKNOWN = 20_000
"""A chunk has fewer records where each of them is rejected for several unknown columns."""

Faults = dict[int, list[Problem]]


def read(
    file: BinaryIO, size: int, definition: Definition, start: Position, chunk_size: ChunkSize
) -> Iterator[Chunk]:
    """See `record.Reader`. The delimiter is found in the header, unless the schema or a `sep=` line names it."""
    return _read(file, size, definition, start, chunk_size, None)


def read_tsv(
    file: BinaryIO, size: int, definition: Definition, start: Position, chunk_size: ChunkSize
) -> Iterator[Chunk]:
    """See `record.Reader`. The delimiter is the tab, unless the schema or a `sep=` line names another."""
    return _read(file, size, definition, start, chunk_size, "\t")


def find_columns(
    file: BinaryIO, definition: Definition, format: FileFormat
) -> tuple[Sequence[int | None], str]:
    """For each field of the schema the number of its column, None where the file has none; and the delimiter."""
    layout = find_layout(file, definition, "\t" if format is FileFormat.TSV else None)
    return layout.columns, layout.delimiter


def _read(
    file: BinaryIO,
    size: int,
    definition: Definition,
    start: Position,
    chunk_size: ChunkSize,
    delimiter: str | None,
) -> Iterator[Chunk]:
    layout = find_layout(file, definition, delimiter)
    first = start if start.index else Position(0, layout.offset, layout.line)
    lines = Lines(file, layout.encoding, first.offset, first.line)
    table = Table(layout, definition)
    chunks = Chunks(first.index, table.limited(chunk_size))
    try:
        for slab in Records(lines, layout, size).slabs():
            rows, faults = table.pick(slab, lines)
            begin = lines.first_line
            yield from chunks.add(
                rows,
                list(map(lines.offsets.__getitem__, slab.starts)),
                list(map(begin.__add__, slab.starts)),
                faults,
                (min(lines.offsets[slab.lines], size), begin + slab.lines),
            )
    except FileError as error:
        yield from chunks.flush()
        error.line, error.record_index = lines.first_line, chunks.next_index
        raise
    yield from chunks.flush()


class Table:
    """Takes the schema's columns out of the rows of a file."""

    def __init__(self, layout: Layout, definition: Definition) -> None:
        self._width = len(layout.names)
        self._encoding = layout.encoding
        self._what = "the header" if definition.csv.header else "the first record"
        mapped = frozenset(layout.columns)
        self._unmapped = [n for n in range(self._width) if n not in mapped]
        self._names = [layout.names[n] or f"(column {n + 1})" for n in range(self._width)]
        strict = definition.unknown_fields is UnknownFields.REJECT
        self._named = frozenset(n for n in range(self._width) if layout.names[n])
        self._unknown = self._unmapped if strict else []
        self._select = _selector(layout.columns, self._width)

    def limited(self, size: ChunkSize) -> ChunkSize:
        """What `MAX_UNKNOWN` leaves of a chunk."""
        each = min(len(self._unknown), MAX_ALIKE)
        return ChunkSize(min(size.records, MAX_UNKNOWN // each), size.bytes) if each else size

    def pick(self, slab: Slab, lines: Lines) -> tuple[list[Sequence[Value]], Faults]:
        """Rows and faults as `record.Chunk` has them."""
        rows: list[list[str]] = slab.rows
        faults: Faults = {
            k: [
                Problem(
                    None, RecordErrorCode.MALFORMED_RECORD, message, lines.text(slab.starts[k], slab.ends[k])
                )
            ]
            for k, message in slab.spoiled.items()
        }
        if not set(map(len, rows)) <= {self._width}:
            self._report_width(slab, lines, faults)
        whole = [k for k in range(len(rows)) if k not in faults] if faults else range(len(rows))
        self._report_columns(slab, lines, whole, faults)
        if not faults:
            return self._select(rows), faults
        picked: list[Sequence[Value]] = [()] * len(rows)
        for k, row in zip(whole, self._select([rows[k] for k in whole]), strict=True):
            picked[k] = row
        return picked, faults

    def _report_width(self, slab: Slab, lines: Lines, faults: Faults) -> None:
        for k, row in enumerate(slab.rows):
            if len(row) != self._width and k not in faults:
                message = f"Expected {self._width} column(s), as in {self._what}; found {len(row)}."
                raw = lines.text(slab.starts[k], slab.ends[k])
                faults[k] = [Problem(None, RecordErrorCode.COLUMN_COUNT, message, raw)]

    def _report_columns(self, slab: Slab, lines: Lines, whole: Sequence[int], faults: Faults) -> None:
        """What is wrong outside the schema's fields: columns it does not know, bytes that do not decode."""
        valid = not self._unmapped or self._encoding.is_valid(b"".join(lines.raw[: slab.lines]))
        invalid = [] if valid else self._unmapped
        if not invalid and not self._unknown:
            return
        for k in whole:
            row = slab.rows[k]
            if problems := self._unknown_problems(row) + self._invalid_problems(row, invalid):
                faults[k] = problems

    def _unknown_problems(self, row: list[str]) -> list[Problem]:
        # A column without a name is what a delimiter at the end of each line makes, unless there is something in it.
        unknown = [n for n in self._unknown if n in self._named or row[n].strip()]
        problems = (
            Problem(
                None,
                RecordErrorCode.UNKNOWN_FIELD,
                f"The schema has no field for the column {self._names[n][:80]!r}. Leave it out, or add it to the schema.",
                row[n],
                self._names[n],
            )
            for n in unknown
        )
        return first_problems(problems, len(unknown))

    def _invalid_problems(self, row: list[str], columns: Sequence[int]) -> list[Problem]:
        found = [n for n in columns if has_surrogate(row[n])]
        problems = (
            Problem(
                None,
                RecordErrorCode.INVALID_CHARACTER,
                f"The column {self._names[n][:80]!r} holds bytes that are no valid {self._encoding.label}.",
                row[n],
                self._names[n],
            )
            for n in found
        )
        return first_problems(problems, len(found))


def _selector(
    columns: Sequence[int | None], width: int
) -> Callable[[list[list[str]]], list[Sequence[Value]]]:
    """How to bring rows into the schema's order; a column that the file lacks stands behind the others, as None."""
    if None in columns:
        numbers = [width if column is None else column for column in columns]
        chosen = _selector(numbers, width + 1)
        return lambda rows: chosen([[*row, None] for row in rows])  # type: ignore[list-item]
    if list(columns) == list(range(width)):
        return list
    pick = itemgetter(*columns)
    if len(columns) == 1:
        return lambda rows: list(zip(map(pick, rows)))
    return lambda rows: list(map(pick, rows))
