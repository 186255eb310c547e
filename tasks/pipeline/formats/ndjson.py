"""NDJSON: one JSON object on each line. A bad line is a rejected record; the rest goes on."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, compress, repeat
from json import JSONDecodeError
from typing import Any, BinaryIO

from tasks.pipeline.chunking import Chunks
from tasks.pipeline.definition import Definition
from tasks.pipeline.elements import SCAN_ERRORS, Elements, explain, fill, make_scan
from tasks.pipeline.encoding import HEAD_BYTES, Encoding, detect, has_surrogate
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.framing import Lines
from tasks.pipeline.json_shape import MAX_CHARS, Shapes
from tasks.pipeline.record import Chunk, ChunkSize, NotScalar, Position, Problem, RecordErrorCode, Value

SAMPLE_LINES = 500
"""As long as no shape is known, no more lines than this are read at once: the rest may be read by their shape."""

_WHITE_SPACE = b" \t\r\n"
_INDENT = re.compile(r"[ \t\r]*")
_scan = make_scan()

Faults = dict[int, list[Problem]]


def read(
    file: BinaryIO, size: int, definition: Definition, start: Position, chunk_size: ChunkSize
) -> Iterator[Chunk]:
    """See `record.Reader`."""
    file.seek(0)
    encoding = detect(file.read(HEAD_BYTES), definition.encoding)
    first = start if start.index else Position(0, encoding.bom_bytes, 1)
    lines = Lines(file, encoding, first.offset, first.line, lf_only=True)
    chunks = Chunks(first.index, chunk_size)
    elements, shapes = Elements(definition), Shapes(definition)
    try:
        while lines.raw or lines.more():
            yield from _take(lines, elements, shapes, chunks, size)
    except FileError as error:
        yield from chunks.flush()
        error.line, error.record_index = lines.first_line, chunks.next_index
        raise
    if chunks.next_index == 0:
        raise FileError(FailureCode.FILE_EMPTY, "The file is empty: there is nothing in it but white space.")
    yield from chunks.flush()


def _take(lines: Lines, elements: Elements, shapes: Shapes, chunks: Chunks, size: int) -> Iterator[Chunk]:
    """Read a portion of the window's lines and move on."""
    count = lines.portion if shapes.shape else min(lines.portion, SAMPLE_LINES)
    raw = lines.raw[:count]
    numbers: Sequence[int] = range(lines.first_line, lines.first_line + count)
    offsets: Sequence[int] = lines.offsets[:count]
    end = (min(lines.offsets[count], size), lines.first_line + count)
    rows, missed = _by_shape(raw, lines.encoding, shapes)
    faults: Faults = {}
    if missed:
        bare = list(map(bytes.rstrip, map(raw.__getitem__, missed), repeat(_WHITE_SPACE)))
        if not all(bare):
            blank = {position for position, text in zip(missed, bare, strict=True) if not text}
            kept = [position not in blank for position in range(count)]
            numbers, offsets = list(compress(numbers, kept)), list(compress(offsets, kept))
            rows = list(compress(rows, kept))
            before = list(accumulate(kept, initial=0))
            missed = [before[position] for position in missed if kept[position]]
            bare = list(filter(None, bare))
        faults = _read_exactly(bare, lines.encoding, elements, shapes, rows, missed)
    lines.drop(count)
    yield from chunks.add(rows, offsets, numbers, faults, end)


def _by_shape(
    raw: list[bytes], encoding: Encoding, shapes: Shapes
) -> tuple[list[Sequence[Value]], Sequence[int]]:
    """Rows of the lines that have the usual shape, and which of the rows are still to come."""
    block = b"".join(raw) if shapes.shape else b""
    if shapes.shape and len(block) <= MAX_CHARS:
        try:
            return shapes.shape.lines(block.decode(encoding.line_codec) + "\n" * (not block.endswith(b"\n")))
        except UnicodeDecodeError:
            pass  # in some line: the exact way sees in which
    return [()] * len(raw), range(len(raw))


def _read_exactly(
    bare: list[bytes],
    encoding: Encoding,
    elements: Elements,
    shapes: Shapes,
    rows: list[Sequence[Value]],
    missed: Sequence[int],
) -> Faults:
    """Fill those rows, from lines without the white space around them; gives the faults by position among all rows."""
    texts = list(map(str, bare, repeat(encoding.line_codec), repeat(encoding.line_errors)))
    picked, faults = _rows(texts, elements)
    _report_invalid(bare, encoding, texts, picked, faults)
    shapes.offer(texts, len(rows) - len(missed))
    return fill(rows, missed, picked, faults)


def _rows(texts: list[str], elements: Elements) -> tuple[list[Sequence[Value]], Faults]:
    try:
        # A StopIteration of the scanner ends the map early; the lengths tell.
        results = list(map(_scan, texts, repeat(0)))
    except SCAN_ERRORS:
        results = []
    if [end for _, end in results] == list(map(len, texts)):
        return elements.pick([value for value, _ in results], texts)
    return _rows_one_by_one(texts, elements)


def _rows_one_by_one(texts: list[str], elements: Elements) -> tuple[list[Sequence[Value]], Faults]:
    """As `_rows`, with bad lines or indented ones among the texts."""
    values: dict[int, Any] = {}
    faults: Faults = {}
    for position, text in enumerate(texts):
        try:
            values[position] = _whole(text)
        except SCAN_ERRORS as error:
            faults[position] = [_malformed(error, text)]
    bare = [texts[position].lstrip(" \t\r") for position in values]
    picked, picked_faults = elements.pick(list(values.values()), bare)
    rows: list[Sequence[Value]] = [()] * len(texts)
    for position, row in zip(values, picked, strict=True):
        rows[position] = row
    at = list(values)
    faults.update({at[k]: problems for k, problems in picked_faults.items()})
    return rows, faults


def _whole(text: str) -> Any:
    value, end = _scan(text, _indent(text, 0))
    if end != len(text):
        raise JSONDecodeError("Something follows the record", text, _indent(text, end))
    return value


def _indent(text: str, position: int) -> int:
    """The position after the white space there."""
    return _INDENT.match(text, position).end()  # type: ignore[union-attr]


def _malformed(error: Exception, text: str) -> Problem:
    what, place = explain(error)
    where = "" if place is None else f" at column {place + 1}"
    return Problem(None, RecordErrorCode.MALFORMED_RECORD, f"The line is no valid JSON: {what}{where}.", text)


def _report_invalid(
    bare: list[bytes], encoding: Encoding, texts: list[str], rows: list[Sequence[Value]], faults: Faults
) -> None:
    """A byte that does not decode rejects its record wherever it stands; in a mapped value, validation sees to it."""
    if encoding.is_valid(b"\n".join(bare)):
        return
    for position, row in enumerate(rows):
        if position not in faults and has_surrogate(texts[position]) and not any(map(_holds, row)):
            message = f"The line holds bytes that are no valid {encoding.label}, outside the schema's fields."
            faults[position] = [Problem(None, RecordErrorCode.INVALID_CHARACTER, message, texts[position])]


def _holds(value: Value) -> bool:
    text = value.text if isinstance(value, NotScalar) else value
    return text is not None and has_surrogate(text)
