"""Rejected rows of a CSV or TSV file, byte for byte, behind its header."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tasks.pipeline.definition import Definition
from tasks.pipeline.formats.csv_header import Layout, find_layout
from tasks.pipeline.framing import Lines
from tasks.pipeline.index_names import INDEX
from tasks.pipeline.rejected.cut import CannotIndex, Cut, bare_end

_BLOCK_BYTES = 256 * 1024
_BLANK = "\r\n \t\x1a"
_LINE_ENDS = ("\r\n", "\r", "\n")
_LINE_END_BYTES = 4
"""At most, in UTF-16."""


class CsvCutter:
    """See `cut.Cutter`."""

    def __init__(
        self,
        file: BinaryIO,
        definition: Definition,
        delimiter: str | None,
        *,
        with_index: bool,
        is_retry: bool,
    ) -> None:
        """`delimiter`: the format's own one, if it has one. Raises FileError, and CannotIndex where there is no header."""
        self._file = file
        self._layout = find_layout(file, definition, delimiter)
        self._encoding = self._layout.encoding
        if with_index and not definition.csv.header:
            raise CannotIndex(
                "A file without a header has no place for sluice:index: the schema says csv.header false. Leave withIndex out,"
                " and keep the records in their order."
            )
        has_index = INDEX in self._layout.names
        if with_index and has_index and not is_retry:
            raise CannotIndex(
                "The file has a column sluice:index of its own, which says nothing about this job. Leave withIndex out, and send"
                " all of the records back in their order: they count by their place."
            )
        self._with_index = with_index and not has_index
        if self._with_index:
            _cell(INDEX, self._layout)  # or raise it now
        self._line_end = self._found_line_end()

    def head(self) -> Iterator[bytes]:
        """All that comes before the first record: byte order mark, `sep=` line, skipped lines, header."""
        layout = self._layout
        yield from self._copied(0, layout.header_offset)
        if self._with_index:
            yield self._prefix(INDEX)
        yield from self._copied(layout.header_offset, layout.offset)

    def records(self, cuts: Iterable[Cut]) -> Iterator[bytes]:
        """The rows, without blank lines and comments behind them."""
        for cut in cuts:
            row = self._row(cut.read(self._file))
            yield self._prefix(str(cut.index)) + row if self._with_index else row

    def tail(self) -> bytes:
        """Nothing."""
        return b""

    def _copied(self, start: int, end: int) -> Iterator[bytes]:
        for offset in range(start, end, _BLOCK_BYTES):
            self._file.seek(offset)
            yield self._file.read(min(_BLOCK_BYTES, end - offset))

    def _prefix(self, text: str) -> bytes:
        return _cell(text, self._layout).encode(self._encoding.codec)

    def _found_line_end(self) -> bytes:
        """How the header ends; a line feed where there is none."""
        self._file.seek(max(0, self._layout.offset - 4))
        before = self._file.read(min(4, self._layout.offset))
        ends = (end.encode(self._encoding.codec) for end in _LINE_ENDS)
        return next(filter(before.endswith, ends), "\n".encode(self._encoding.codec))

    def _row(self, data: bytes) -> bytes:
        if not self._encoding.wide and _is_one_line(data):
            return data
        row = data[: self._end(data)]
        if len(row) < len(data) or row.endswith(
            ("\n".encode(self._encoding.codec), "\r".encode(self._encoding.codec))
        ):
            return row
        return row + self._line_end if not self._encoding.wide or len(row) % 2 == 0 else row

    def _end(self, data: bytes) -> int:
        """Where the row ends that `data` begins with, behind its line end."""
        lines = Lines(io.BytesIO(data), self._encoding, 0, 1)
        reader = self._layout.parse(_texts(lines))
        try:
            next(reader)
        except csv.Error:
            return self._end_of_spoiled(data)
        number: int = reader.line_num
        return lines.offsets[number]

    def _end_of_spoiled(self, data: bytes) -> int:
        """The reader may have given up one line, or several that belong together: all but the blank ones behind them."""
        bare = bare_end(data, self._encoding, _BLANK)
        lines = Lines(io.BytesIO(data[: bare + _LINE_END_BYTES]), self._encoding, 0, 1)
        while lines.more():
            pass
        return next(end for end in lines.offsets if end >= bare)


def _is_one_line(data: bytes) -> bool:
    end = data.find(b"\n")
    feed = data.find(b"\r")
    if end < 0:
        return feed == len(data) - 1
    return end == len(data) - 1 and feed in (-1, end - 1)


def _texts(lines: Lines) -> Iterator[str]:
    position = 0
    while position < len(lines.raw) or lines.more():
        yield lines.encoding.decode(lines.raw[position])
        position += 1


def _cell(text: str, layout: Layout) -> str:
    """The text as the first cell of a row, with the delimiter behind it. Raises CannotIndex where it cannot be written."""
    out = io.StringIO()
    quote = layout.quote
    starts_comment = bool(layout.comment) and text.startswith(layout.comment or "")
    writer = csv.writer(
        out,
        delimiter=layout.delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_NONE if not quote else csv.QUOTE_ALL if starts_comment else csv.QUOTE_MINIMAL,
        escapechar=layout.escape,
        lineterminator="",
    )
    try:
        writer.writerow([text, ""])
    except csv.Error:
        raise _no_place() from None
    if starts_comment and not quote:
        raise _no_place()
    return out.getvalue().removesuffix(2 * quote if starts_comment else "")


def _no_place() -> CannotIndex:
    return CannotIndex(
        "sluice:index cannot be written with this file's delimiter, quote and comment characters. Leave withIndex out,"
        " and keep the records in their order."
    )
