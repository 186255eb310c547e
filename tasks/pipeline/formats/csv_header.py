"""What stands before the first record of a CSV file: encoding, `sep=` line, skipped lines, header, delimiter."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tasks.pipeline.definition import Csv, Definition
from tasks.pipeline.encoding import HEAD_BYTES, Encoding, detect, has_surrogate
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.framing import Lines
from tasks.pipeline.record import MAX_RECORD_BYTES

DELIMITERS = ",;\t|"
"""What is looked for in the header, in this order where two are as frequent."""

MAX_COLUMNS = 100_000
"""A file of more columns has another delimiter, or is no table."""

_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_SHOWN_NAMES = 20
_MAX_HEADER_LINES = 100

# Records and lines are bounded by bytes; a limit on characters would only be hit by chance.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records of a file are written, and where they begin."""

    encoding: Encoding
    delimiter: str
    quote: str
    escape: str | None
    comment: str | None
    names: tuple[str, ...]
    """The header, stripped; "1", "2", … where there is none."""
    columns: tuple[int | None, ...]
    """For each field of the schema its column; None where the file has none."""
    offset: int
    """Byte offset of the line after the header."""
    line: int
    """Number of the line after the header."""
    header_offset: int
    """Byte offset of the header's first byte; of the first record where there is no header."""

    def parse(self, lines: Iterator[str]) -> Any:
        """A strict `csv.reader` over physical lines."""
        return parse(lines, self.delimiter, self.quote, self.escape)


def parse(lines: Iterator[str], delimiter: str, quote: str, escape: str | None) -> Any:
    """A strict `csv.reader` over physical lines; an empty `quote` turns quoting off."""
    return csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        escapechar=escape,
        strict=True,
    )


def find_layout(file: BinaryIO, definition: Definition, delimiter: str | None) -> Layout:
    """Read the head of a file. `delimiter`: the format's own one, if it has one.

    Raises FileError: FILE_EMPTY, ENCODING, UNSUPPORTED_FORMAT, MALFORMED, WRONG_STRUCTURE, DUPLICATE_HEADER,
    HEADER_MISSING, RECORD_TOO_LARGE.
    """
    file.seek(0)
    encoding = detect(file.read(HEAD_BYTES), definition.encoding)
    lines = Lines(file, encoding, encoding.bom_bytes, 1)
    options = definition.csv
    try:
        announced = _announced(lines)
        _skip(lines, options, past_sep=announced is not None)
        given = options.delimiter or announced or delimiter
        head = _Head(lines, options, given or _find_delimiter(lines, definition))
    except FileError as error:
        error.line = lines.first_line
        raise
    names = _names(head) if options.header else tuple(map(str, range(1, len(head.cells) + 1)))
    return Layout(
        encoding,
        head.delimiter,
        options.quote,
        options.escape,
        options.comment,
        names,
        _columns(definition, names, head),
        lines.offsets[head.size if options.header else 0],
        lines.first_line + (head.size if options.header else 0),
        lines.offsets[0],
    )


def _announced(lines: Lines) -> str | None:
    """The delimiter of Excel's `sep=` line, if the file begins with one."""
    if not lines.more():
        raise FileError(FailureCode.FILE_EMPTY, "The file is empty.")
    found = _SEP_LINE.fullmatch(lines.text(0, 1))
    return found[1] if found else None


def _skip(lines: Lines, options: Csv, *, past_sep: bool) -> None:
    """Move the window to the line where the header, or the first record, begins."""
    skipped = max(options.skip_lines, past_sep)
    while lines.raw or lines.more():
        count = min(skipped, len(lines.raw))
        skipped -= count
        # Dropped all at once: a file may begin with a great many blank lines.
        lines.drop(
            next((k for k in range(count, len(lines.raw)) if _counts(lines, k, options)), len(lines.raw))
        )
        if lines.raw:
            return
    raise FileError(FailureCode.FILE_EMPTY, "The file is empty: it has neither a header nor a record.")


def _counts(lines: Lines, number: int, options: Csv) -> bool:
    """Whether this line is neither blank nor a comment."""
    text = lines.text(number, number + 1)
    blank = not (text.strip() if options.header else text)
    return not blank and not (options.comment and text.startswith(options.comment))


def _find_delimiter(lines: Lines, definition: Definition) -> str:
    """The candidate that splits the header into the most of the schema's sources; of several, the most frequent one.

    Counts outside quotes. A comma where there is none (one column).
    """
    options = definition.csv
    text = _header_text(lines, options.quote)
    bare = _unquoted(text, options.quote)
    taken = (options.quote, options.escape, options.comment)
    frequency = {mark: bare.count(mark) for mark in DELIMITERS if mark not in taken}
    sources = {field.source.strip() for field in definition.fields} if options.header else set()

    def rank(mark: str) -> tuple[bool, int, int]:
        is_usable = 0 < frequency[mark] < MAX_COLUMNS
        found = sources.intersection(_cells(text, mark, options)) if is_usable else ()
        return frequency[mark] > 0, len(found), frequency[mark]

    return max(frequency, key=rank)


def _cells(text: str, delimiter: str, options: Csv) -> Iterator[str]:
    """The header's cells if that were the delimiter."""
    lines = iter(text.splitlines(keepends=True))
    try:
        cells: list[str] = next(parse(lines, delimiter, options.quote, options.escape), [])
    except csv.Error:
        cells = text.split(delimiter)
    return map(str.strip, cells)


def _unquoted(text: str, quote: str) -> str:
    """What stands outside quotes; all of it where a quote is not closed."""
    return "".join(text.split(quote)[::2]) if quote and text.count(quote) % 2 == 0 else text


def _header_text(lines: Lines, quote: str) -> str:
    """The header's physical lines: as many as it takes until every quote is closed, or else just one."""
    for size in range(1, min(_MAX_HEADER_LINES, len(lines.raw)) + 1):
        text = lines.text(0, size)
        if not quote or text.count(quote) % 2 == 0:
            return text
    return lines.text(0, 1)


class _Head:
    """The first record of the file, whether it is the header or not. `size`: its physical lines."""

    def __init__(self, lines: Lines, options: Csv, delimiter: str) -> None:
        self.line = lines.first_line
        self.delimiter = delimiter
        self.first_line_text = lines.text(0, 1)
        self._check_width(_unquoted(_header_text(lines, options.quote), options.quote).count(delimiter) + 1)
        reader = parse(_growing(lines), delimiter, options.quote, options.escape)
        try:
            self.cells: list[str] = next(reader)
            self.size: int = reader.line_num
        except csv.Error:
            if options.header:
                raise FileError(
                    FailureCode.MALFORMED,
                    "The header cannot be read: a quote in it is never closed, or text follows a closing quote.",
                ) from None
            # A spoiled first record still shows, roughly, how many columns there are.
            self.cells, self.size = self.first_line_text.split(delimiter), 1
        self._check_width(len(self.cells))
        if options.header and has_surrogate("".join(self.cells)):
            raise FileError(FailureCode.ENCODING, _unreadable(lines.encoding))

    def _check_width(self, columns: int) -> None:
        if columns > MAX_COLUMNS:
            raise FileError(
                FailureCode.WRONG_STRUCTURE,
                f"Line {self.line} has {columns:,} columns; a file has {MAX_COLUMNS:,} at most. "
                "Check the delimiter and the line ends.",
            )


def _names(head: _Head) -> tuple[str, ...]:
    names = tuple(map(str.strip, head.cells))
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise FileError(
            FailureCode.DUPLICATE_HEADER,
            f"The header on line {head.line} has {_listed(twice)} more than once: which column counts is unclear.",
            line=head.line,
        )
    return names


def _growing(lines: Lines) -> Iterator[str]:
    position = 0
    while lines.offsets[-1] - lines.offsets[0] <= MAX_RECORD_BYTES and (
        position < len(lines.raw) or lines.more()
    ):
        yield lines.encoding.decode(lines.raw[position])
        position += 1


def _unreadable(encoding: Encoding) -> str:
    return (
        f"The header holds bytes that are no valid {encoding.label}. "
        "Save the file as UTF-8, or name its encoding in the schema."
    )


def _columns(definition: Definition, names: tuple[str, ...], head: _Head) -> tuple[int | None, ...]:
    exact = {cell: number for number, cell in enumerate(head.cells)} if definition.csv.header else {}
    stripped = {name: number for number, name in enumerate(names) if name}
    columns = tuple(exact.get(f.source, stripped.get(f.source.strip())) for f in definition.fields)
    missing = [
        field.source
        for field, column in zip(definition.fields, columns, strict=True)
        if column is None and field.required and field.default is None
    ]
    if missing:
        raise FileError(
            FailureCode.HEADER_MISSING, _missing(missing, names, head, definition.csv), line=head.line
        )
    return columns


def _missing(missing: list[str], names: tuple[str, ...], head: _Head, options: Csv) -> str:
    if not options.header:
        return f"The schema wants column {_listed(missing)}, but the first record has {len(names)} column(s)."
    message = f"The header on line {head.line} lacks {_listed(missing)}. It has {_listed(names)}."
    start = head.first_line_text.lstrip()
    if start.startswith("<"):
        message += " The file looks like XML or HTML."
    elif start.startswith(("{", "[")):
        message += " The file looks like JSON."
    return message


def _listed(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:_SHOWN_NAMES])
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES} more"
