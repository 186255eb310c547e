"""Cuts the physical lines of a CSV file into records. A stray quote spoils the line it stands on, not the rest."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress, repeat

from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.formats.csv_header import Layout
from tasks.pipeline.framing import Lines
from tasks.pipeline.record import MAX_RECORD_BYTES

MAX_RECORD_LINES = 250_000
"""A record of more lines than this has lost its closing quote: lines cost memory, however short."""
_SHORT_LINES = 20
_SHORT_BYTES = 64 * 1024
_DECODED_LINES = 256
"""Decoded at once for a run, which may end at any of them."""
_SLABS_BETWEEN_TRIES = 8
_CTRL_Z = "\x1a"
"""What DOS writes at the end of a text file."""
_SPARE_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Slab:
    """Some consecutive records and the lines they stand on, numbered within the window of lines."""

    rows: list[list[str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    spoiled: dict[int, str] = field(default_factory=dict)
    """Records that cannot be taken apart: what is wrong with them. Their rows are empty."""
    lines: int = 0
    """Lines of the window that these records and the skipped lines around them take."""


class Records:
    """Reads the records behind `lines`.

    Lines without quotes and escapes are records: they are split as they are. Where there are quotes, `csv.reader` takes
    a portion as a whole, and if it finds a record on each line that is that. Otherwise it goes from record to record,
    one run after the other: a run ends with the portion, or at a record that is spoiled. Of that the line on which it
    began is given up, or all lines where they surely belong together, and reading goes on with the next.
    """

    def __init__(self, lines: Lines, layout: Layout, size: int) -> None:
        self._lines = lines
        self._layout = layout
        self._comment = layout.comment or ""
        special = layout.quote + (layout.escape or "")
        self._special = [mark.encode(lines.encoding.line_codec) for mark in special]
        self._spare = size + _SPARE_BYTES
        self._at = 0
        self._slabs_to_try = 0
        """Portions to go until one is parsed as a whole again, since the last one that was tried has longer records."""
        self._width = len(layout.names)
        # In a file of one column white space is a value; where it is the delimiter, it stands between values.
        self._blank = " \t".replace(layout.delimiter, "") if self._width > 1 else ""
        self._spaced = _spaced(layout)

    def slabs(self) -> Iterator[Slab]:
        """All records in order. The window holds a slab's lines until the next slab is asked for.

        Raises FileError RECORD_TOO_LARGE, and MALFORMED where quotes are so broken that recovery would take for ever.
        """
        lines = self._lines
        while lines.raw or lines.more():
            count = lines.portion
            block = b"".join(lines.raw[:count])
            special = any(mark in block for mark in self._special)
            found = self._whole(block, count) if special else self._split(block, count)
            slab = found or self._parse(count)
            yield slab
            lines.drop(slab.lines)
            if self._spare < 0:
                raise FileError(
                    FailureCode.MALFORMED,
                    "So many quotes are opened and never closed that the records cannot be told apart any more. "
                    "Double each quote inside a value, or switch quoting off in the schema.",
                )

    def _split(self, block: bytes, count: int) -> Slab:
        """One record per line, no quotes: `str.split` gives what `csv.reader` would."""
        texts, starts, ends = self._texts(block, count)
        return Slab(list(map(str.split, texts, repeat(self._layout.delimiter))), starts, ends, {}, count)

    def _whole(self, block: bytes, count: int) -> Slab | None:
        """One record per line, some with quotes; None where that is not so."""
        self._slabs_to_try -= 1
        if self._slabs_to_try >= 0 or self._layout.escape:
            return None
        texts, starts, ends = self._texts(block, count)
        try:
            rows = list(self._layout.parse(iter(texts)))
        except csv.Error:
            rows = []
        # As many rows as lines: no quote was open at the end of any, so that each line stands for itself.
        if len(rows) == len(texts):
            return Slab(rows, starts, ends, {}, count)
        self._slabs_to_try = _SLABS_BETWEEN_TRIES
        return None

    def _texts(self, block: bytes, count: int) -> tuple[list[str], list[int], list[int]]:
        """The lines that are neither blank nor comments, and where each starts and ends, if none is part of a longer record."""
        text = self._lines.encoding.decode(block)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        texts = text.split("\n")
        del texts[count:]  # what follows the last line end
        starts, ends = list(range(count)), list(range(1, count + 1))
        if self._comment:
            texts = ["" if text.startswith(self._comment) else text for text in texts]
        if texts and texts[-1] == _CTRL_Z and self._is_last(count):
            texts[-1] = ""
        if self._blank and not all(map(str.strip, texts, repeat(self._blank))):
            texts = [text if text.strip(self._blank) else "" for text in texts]
        if all(texts):
            return texts, starts, ends
        return list(filter(None, texts)), list(compress(starts, texts)), list(compress(ends, texts))

    def _parse(self, count: int) -> Slab:
        slab = Slab()
        self._at = 0
        while self._at < count and self._spare >= 0:
            self._run(slab, count)
        slab.lines = self._at
        return slab

    def _run(self, slab: Slab, count: int) -> None:
        rows, starts, ends = slab.rows, slab.starts, slab.ends
        first = start = self._at
        reader = self._layout.parse(self._feed(first))
        try:
            for row in reader:
                self._at = end = first + reader.line_num
                if end - start > 1 and self._is_too_large(start, end):
                    self._spoil(slab, start, end, closed=False)
                    return
                if row and not (len(row) == 1 and self._is_nothing(start, end)):
                    rows.append(row)
                    starts.append(start)
                    ends.append(end)
                if end >= count:
                    return
                start = end
        except csv.Error as error:
            end = first + reader.line_num
            self._spoil(slab, start, end, closed="unexpected end" not in str(error))

    def _spoil(self, slab: Slab, start: int, end: int, *, closed: bool) -> None:
        """Give up the record that begins at `start`: the parser has read on to `end`. `closed`: text follows a quote."""
        message = "A quote is opened and never closed. Close it, or double it where it belongs to the value."
        resume = start + 1
        if closed:
            message = "Text follows a closing quote. Quote the whole value, and double each quote inside it."
            if self._is_spaced(start, end):
                message = "There is a space between a closing quote and the delimiter. Remove that space."
            if self._belongs_together(start, end):
                resume = end
        slab.spoiled[len(slab.rows)] = message
        slab.rows.append([])
        slab.starts.append(start)
        slab.ends.append(resume)
        self._at = resume
        self._spare -= self._lines.offsets[end] - self._lines.offsets[resume]

    def _belongs_together(self, start: int, end: int) -> bool:
        """Whether the lines of a spoiled record surely are one record, so that none of them must be read alone.

        Short, and followed by a whole record or the end of the file. Where the last of the lines is a record as it
        stands, the quote that "closed" there has opened a value of that record.
        """
        if not 1 < end - start <= _SHORT_LINES or self._is_record(end - 1):
            return False
        number = end
        while number < end + _SHORT_LINES:
            if number >= len(self._lines.raw) and not self._more():
                return True
            text = self._lines.text(number, number + 1)
            if text.strip() and not (self._comment and text.startswith(self._comment)):
                return self._is_record(number)
            number += 1
        return False

    def _is_record(self, number: int) -> bool:
        """Whether a line alone is a record of the right width, without a stray quote."""
        try:
            row: list[str] = next(self._layout.parse(iter([self._lines.text(number, number + 1)])), [])
        except csv.Error:
            return False
        return len(row) == self._width and not any(self._layout.quote in cell for cell in row)

    def _is_spaced(self, start: int, end: int) -> bool:
        """Whether blanks behind closing quotes are all that is wrong with a record."""
        offsets = self._lines.offsets
        if self._spaced is None or offsets[end] - offsets[start] > _SHORT_BYTES:
            return False
        mended = self._spaced.sub(self._layout.quote, self._lines.text(start, end))
        try:
            next(self._layout.parse(iter([mended])), None)
        except csv.Error:
            return False
        return True

    def _is_nothing(self, start: int, end: int) -> bool:
        """Whether a line is blank, or the mark behind the last record of a file."""
        text = self._lines.text(start, end)
        return not text.strip(self._blank) if text != _CTRL_Z else self._is_last(end)

    def _is_last(self, end: int) -> bool:
        """Whether the file ends where the window's line `end` would begin."""
        return end == len(self._lines.raw) and not self._more()

    def _feed(self, position: int) -> Iterator[str]:
        """The window's lines from `position` on, and more lines as long as a record is open at its end."""
        lines = self._lines
        while True:
            count = len(lines.raw)
            texts = self._decoded(position, count)
            yield from self._without_comments(texts, position) if self._comment else texts
            position = count
            if self._at == count or self._is_too_large(self._at, count) or not self._more():
                return

    def _decoded(self, position: int, count: int) -> Iterator[str]:
        lines = self._lines
        for start in range(position, count, _DECODED_LINES):
            some = b"".join(lines.raw[start : min(start + _DECODED_LINES, count)])
            yield from io.StringIO(lines.encoding.decode(some), newline="")

    def _more(self) -> bool:
        try:
            return self._lines.more()
        except FileError:
            # The open record is spoiled by it; the lines before the failing one are still read.
            return False

    def _without_comments(self, texts: Iterator[str], position: int) -> Iterator[str]:
        # A blank line in its place keeps the count of lines right.
        for number, text in enumerate(texts, position):
            yield "\n" if number == self._at and text.startswith(self._comment) else text

    def _is_too_large(self, start: int, end: int) -> bool:
        offsets = self._lines.offsets
        return offsets[end] - offsets[start] > MAX_RECORD_BYTES or end - start > MAX_RECORD_LINES


def _spaced(layout: Layout) -> re.Pattern[str] | None:
    """A closing quote and the blanks between it and a delimiter or the end of the line."""
    if not layout.quote:
        return None
    blank = re.escape(" \t".replace(layout.delimiter, ""))
    return re.compile(rf"{re.escape(layout.quote)}[{blank}]+(?={re.escape(layout.delimiter)}|[\r\n]|\Z)")
