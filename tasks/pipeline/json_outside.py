"""What lies around the records of a JSON document: finds their array, and proves the rest well-formed.

    outside = Outside("data.orders")
    position = outside.find(text)     # where the array's first element may begin; None: not in this text
    outside.feed("]")                 # the elements themselves are not fed
    outside.feed(text); outside.end()
    raise outside.no_array()          # where the document ends and nothing was found

ijson (yajl) reads it; what yajl takes amiss is kept from it.
"""

import re
from collections.abc import Iterator

import ijson

from tasks.pipeline.errors import FailureCode, FileError, shown

MAX_DEPTH = 256
MAX_TOKEN_CHARS = 8 * 1024 * 1024

_yajl = ijson.get_backend(
    "yajl2_c"
)  # ImportError where it is missing: the pure Python one reads what is no JSON
_PIECE_CHARS = 65_536
_OUTSIDE_STRINGS = re.compile(r'(?:[^"\n\[]|"(?:[^"\\\n]|\\[^\n])*+")*+(["\n\[])?')
_IN_STRING = re.compile(r'(?:[^"\\\n]|\\[^\n])*+(["\n]|\\\Z)?')
_AFTER_BACKSLASH = re.compile(rf"[^\n]?{_IN_STRING.pattern}")
"""A piece ends where the array may begin, and with its line, so that an error has its place; never inside a string,
unless the text does: yajl begins a string anew with each piece of it. Group 1: what it ends with."""
_AFTER_STRING = {'"': _OUTSIDE_STRINGS, "\\": _AFTER_BACKSLASH}

_DIGITS = "0123456789"
_MAX_DIGITS = 4_000
_LONG_NUMBER = re.compile(rf"(?<![0-9])([0-9]{{{_MAX_DIGITS}}})[0-9]+")
_KINDS = {"start_map": "an object", "start_array": "an array", "null": "null"}
_STARTS = frozenset(("start_map", "start_array"))
_ENDS = frozenset(("end_map", "end_array"))
_MAX_NAMED = 5


class Outside:
    """Fed a document's text without the elements of the array at `record_path` (None: the document itself)."""

    def __init__(self, record_path: str | None) -> None:
        self.line = 1
        """The line on which the text ends that was fed so far."""
        self._wanted = record_path
        self._events = ijson.sendable_list()
        self._parser = _yajl.basic_parse_coro(self._events)
        self._inside: list[str | None] = []
        """The full name of each open container; None where an array makes names meaningless."""
        self._key: str | None = ""
        self._opened = False
        self._top = self._found = ""
        self._arrays: list[str] = []
        self._whole_values = 0
        self._piece = _OUTSIDE_STRINGS
        self._unfinished_chars = 0
        self._digits = 0

    def find(self, text: str) -> int | None:
        """Feed text until the wanted array opens; the position after its bracket, None where it does not."""
        for piece in self._pieces(text):
            self._feed(piece[0])
            if self._opened:
                return piece.end()
        return None

    def feed(self, text: str) -> None:
        """Feed text. Raises FileError, with its line, for what is no JSON and for a second array at the path."""
        for piece in self._pieces(text):
            self._feed(piece[0])

    def end(self) -> None:
        """The document is over. Raises FileError TRUNCATED where it is not."""
        try:
            self._parser.send(b" ")
            self._follow()
            if not self._whole_values:
                self._parser.send(b"")
            # yajl forgives a string that has begun after the document. A quote would end it, and that raises.
            self._parser.send(b'"')
        except ArithmeticError:
            raise self._malformed() from None  # a whole number, with an exponent that nobody can hold
        except (ijson.JSONError, ValueError):
            if self._whole_values:
                raise self._malformed() from None
            message = f"The file ends in the middle, on line {self.line}. Send the whole file."
            raise FileError(FailureCode.TRUNCATED, message, line=self.line) from None

    def no_array(self) -> FileError:
        """WRONG_STRUCTURE: says what was found instead of the wanted array."""
        hint = f" Arrays in this file: {', '.join(self._arrays)}." if self._arrays else ""
        if self._wanted is None:
            message = (
                f"Expected an array of records, found {self._top}. "
                "If an array further inside holds the records, name its path as the schema's recordPath."
            )
        elif self._found:
            message = f"The schema's recordPath {self._wanted!r} leads to {self._found}, not to an array."
        else:
            message = f"The schema's recordPath {self._wanted!r} leads nowhere: the file holds {self._top}."
        return FileError(FailureCode.WRONG_STRUCTURE, message + hint, line=1)

    def _pieces(self, text: str) -> Iterator[re.Match[str]]:
        end = 0
        while end < len(text):
            # The patterns match anything.
            piece: re.Match[str] = self._piece.match(text, end, end + _PIECE_CHARS)  # type: ignore[assignment]
            mark, end = piece[1], piece.end()
            if self._piece is _OUTSIDE_STRINGS:
                self._piece = _IN_STRING if mark == '"' else _OUTSIDE_STRINGS
            else:
                self._piece = _AFTER_STRING.get(mark, _IN_STRING)
            yield piece

    def _feed(self, piece: str) -> None:
        if "\f" in piece or "\v" in piece:
            raise self._malformed()  # yajl takes them for white space
        try:
            if fed := self._shortened(piece):  # to send nothing would mean the end
                self._parser.send(fed.encode())
        except (ijson.JSONError, ValueError, ArithmeticError):
            self._follow()
            raise self._malformed() from None
        self._unfinished_chars = 0 if self._events else self._unfinished_chars + len(piece)
        if self._unfinished_chars > MAX_TOKEN_CHARS:
            message = f"A value outside the records is longer than {MAX_TOKEN_CHARS // 2**20} MiB (line {self.line})."
            raise FileError(FailureCode.RECORD_TOO_LARGE, message, line=self.line)
        self._follow()
        self.line += piece.count("\n")

    def _shortened(self, piece: str) -> str:
        """Without the digits that are too many for ijson, which crashes on integers of over 4,300."""
        head = len(piece) - len(piece.lstrip(_DIGITS))
        rest = piece[: min(head, _MAX_DIGITS - self._digits)] + piece[head:]
        if len(rest) > _MAX_DIGITS:
            rest = _LONG_NUMBER.sub(r"\1", rest)
        tail = len(rest) - len(rest.rstrip(_DIGITS))
        self._digits = self._digits + tail if tail == len(rest) else tail
        return rest

    def _follow(self) -> None:
        inside = self._inside
        for event, value in self._events:
            if event == "map_key":
                top = inside[-1]
                self._key = value if top == "" else top and f"{top}.{value}"
            elif event in _ENDS:
                inside.pop()
                self._whole_values += not inside
            elif not inside or inside[-1] is not None or event in _STARTS:
                self._value(event)
        self._events.clear()

    def _value(self, event: str) -> None:
        at_top = not self._inside
        name = "" if at_top else None if self._inside[-1] is None else self._key
        if at_top:
            self._top = _kind(event)
        if at_top if self._wanted is None else name == self._wanted:
            self._match(event)
        if event in _STARTS:
            self._open(event, name)
        else:
            self._whole_values += at_top

    def _open(self, event: str, name: str | None) -> None:
        if event == "start_array" and name and len(self._arrays) < _MAX_NAMED:
            self._arrays.append(shown(name))
        self._inside.append(name if event == "start_map" else None)
        if len(self._inside) > MAX_DEPTH:
            message = f"The document is nested more than {MAX_DEPTH} levels deep (line {self.line})."
            raise FileError(FailureCode.TOO_DEEP, message, line=self.line)

    def _match(self, event: str) -> None:
        if self._found:
            message = f"recordPath {self._wanted!r} leads to two places (line {self.line}): which holds the records is unclear."
            raise FileError(FailureCode.WRONG_STRUCTURE, message, line=self.line)
        self._found = _kind(event)
        self._opened = event == "start_array"

    def _malformed(self) -> FileError:
        message = f"The file is not valid JSON (line {self.line})."
        if self._whole_values and not self._opened:
            message = (
                f"The file goes on after its first value (line {self.line}), but a JSON document holds only one. "
                "If each line is an object, submit the file with the format NDJSON."
            )
        return FileError(FailureCode.MALFORMED, message, line=self.line)


def _kind(event: str) -> str:
    return _KINDS.get(event, f"a {event}")
