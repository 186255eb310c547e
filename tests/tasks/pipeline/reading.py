"""Reads a file of bytes every way that a reader must support, and compares."""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from unittest import mock

from tasks.pipeline import framing
from tasks.pipeline.definition import Definition, define
from tasks.pipeline.errors import FileError
from tasks.pipeline.record import Chunk, ChunkSize, NotScalar, Position, Problem, Reader, Value

TOP = Position()
DEFAULT_SIZE = ChunkSize()
BLOCK_BYTES = (1, 2, 7, 64)
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Read:
    """A record as a reader gave it."""

    index: int
    line: int
    offset: int
    row: tuple[Value, ...]
    faults: tuple[Problem, ...]

    @property
    def codes(self) -> list[str]:
        """The codes of its faults."""
        return [str(problem.code) for problem in self.faults]

    @property
    def plain(self) -> Any:
        """Its row, or the codes of its faults where it has any."""
        return self.codes if self.faults else [v.text if isinstance(v, NotScalar) else v for v in self.row]


@dataclass(slots=True)
class Reading:
    """What came of reading a file."""

    records: list[Read]
    ends: list[Position]
    error: FileError | None

    @property
    def plain(self) -> list[Any]:
        """Rows, or codes of faults."""
        return [record.plain for record in self.records]

    @property
    def failure(self) -> str:
        """The code and message of the error; there must be one."""
        assert self.error is not None
        return f"{self.error.code}: {self.error.message}"


def schema(*sources: str, **options: Any) -> Definition:
    """A definition of required STRING fields with these sources; a source that ends with "?" is optional."""
    fields = [
        {
            "name": source.rstrip("?"),
            "source": source.rstrip("?"),
            "type": "STRING",
            "required": source[-1] != "?",
        }
        for source in sources
    ]
    return define({"fields": fields, **options})


def read_once(
    read: Reader,
    data: bytes,
    definition: Definition,
    start: Position = TOP,
    chunk_size: ChunkSize = DEFAULT_SIZE,
) -> Reading:
    """One pass over the file, each chunk checked for what `record.Chunk` promises."""
    reading = Reading([], [start], None)
    index = start.index
    try:
        for chunk in read(io.BytesIO(data), len(data), definition, start, chunk_size):
            assert chunk.first_index == index
            reading.records += _records(chunk)
            reading.ends.append(chunk.end)
            index += len(chunk.rows)
            assert 0 < len(chunk.rows) <= chunk_size.records
            assert chunk.end.index == index
    except FileError as error:
        reading.error = error
    return reading


def read_every_way(
    read: Reader, data: bytes, definition: Definition, sizes: Iterable[int] = (1, 2, 3)
) -> Reading:
    """Reads whole, in tiny chunks, from every chunk's end on, in tiny blocks: all must agree. Checks lines, offsets."""
    whole = read_once(read, data, definition)
    for size in sizes:
        chunk_size = ChunkSize(records=size)
        parts = read_once(read, data, definition, chunk_size=chunk_size)
        _agree(whole, parts, 0)
        for end in parts.ends[1:]:
            _agree(whole, read_once(read, data, definition, end, chunk_size), end.index)
    _agree(whole, read_once(read, data, definition, chunk_size=ChunkSize(bytes=1)), 0)
    for block_bytes in BLOCK_BYTES:
        with mock.patch.object(framing, "BLOCK_BYTES", block_bytes):
            _agree(whole, read_once(read, data, definition), 0)
    check_places(data, whole.records)
    return whole


def check_places(data: bytes, records: Sequence[Read], codec: str | None = None) -> None:
    """Each record's line is one more than the line ends before its offset; offsets rise and begin a line."""
    codec = codec or _codec(data)
    before = -1
    for record in records:
        assert before < record.offset < len(data)
        text = data[: record.offset].decode(
            codec, "surrogateescape" if codec != "utf-16" else "surrogatepass"
        )
        assert record.line == 1 + len(_LINE_END.findall(text))
        assert text.lstrip("\ufeff") == "" or text[-1] in "\r\n"
        before = record.offset


def slices(data: bytes, reading: Reading) -> list[bytes]:
    """The original bytes of each record, up to where the next one begins."""
    offsets = [*(record.offset for record in reading.records), len(data)]
    return [data[begin:end] for begin, end in pairwise(offsets)]


def _records(chunk: Chunk) -> list[Read]:
    assert len(chunk.rows) == len(chunk.lines) == len(chunk.offsets)
    assert set(chunk.faults) <= set(range(len(chunk.rows)))
    return [
        Read(
            chunk.first_index + k,
            chunk.lines[k],
            chunk.offsets[k],
            tuple(row),
            tuple(chunk.faults.get(k, ())),
        )
        for k, row in enumerate(chunk.rows)
    ]


def _agree(whole: Reading, part: Reading, index: int) -> None:
    assert whole.records[index:] == part.records
    assert (whole.error is None) == (part.error is None)
    if whole.error and part.error:
        assert (whole.error.code, whole.error.line, whole.error.record_index) == (
            part.error.code,
            part.error.line,
            part.error.record_index,
        )


def _codec(data: bytes) -> str:
    return "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
