"""Cuts the elements of a JSON array out of a window of text, one by one, and tells damage from a mere end of text."""

import re
from collections.abc import Sequence
from typing import Any

from tasks.pipeline.elements import SCAN_ERRORS, explain, make_scan
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.json_shape import MAX_CHARS, SAMPLE, Shapes
from tasks.pipeline.record import MAX_RECORD_BYTES, Value
from tasks.pipeline.strict_text import Window

_LARGE_CHARS = MAX_RECORD_BYTES // 4
"""An element of no more characters than this cannot have too many bytes."""

_NEAR_CHARS = 16
"""An error this close to the end of the window may come from that end alone: half a literal, number or escape."""

_NOTHING_AFTER_COMMA = "there is no record after the comma"
_NO_SEPARATOR = "a comma or the closing bracket is missing before it"
_NO_END = "a comma or the closing bracket is missing after it"
_UNTERMINATED = "Unterminated string"
_BLANK = " \t\n\r"
_SEPARATOR = re.compile(r"[ \t\n\r]*+(?:,[ \t\n\r]*+(?=[^\],])|(\]))")
_WHOLE = re.compile(r'[}\]"]|.[ \t\n\r,]')  # what else there is may go on: numbers
_CUT_SEPARATOR = re.compile(r"[ \t\n\r]*+,?[ \t\n\r]*+\Z")
_CUT_NUMBER = re.compile(r"(?:\.|[eE][+-]?)\Z")
_LONE_COMMA = re.compile(r"[ \t\n\r]*+,[ \t\n\r]*+[\],]")
_CUT_TOKEN = re.compile(r"-|t|tr|tru|f|fa|fal|fals|n|nu|nul|\.|[eE][+-]?|\\?u?[0-9a-fA-F]{0,4}")
_scan = make_scan()


class Cutter:
    """Fills `starts`, where each element begins in the window, and its row if it has the usual shape.

    The rows in `gaps` are still to come, from `values` (as `elements.make_scan` gives them) and their `texts`.
    `enter` first, then in turn `cut` and `go_on` until `ended`; what was cut must be fetched before `go_on`.
    All raise FileError where the array is damaged, and leave the window's position where a later reader of the file
    meets the same damage: right after the last whole element, or before the damaged one.
    """

    def __init__(self, window: Window, index: int, shapes: Shapes) -> None:
        self.window = window
        self.shapes = shapes
        self.index = index
        """The index of the first element that was not fetched."""
        self.ended = False
        """Whether the window stands on the bracket that closes the array."""
        self._clear()

    def _clear(self) -> None:
        self.starts: list[int] = []
        self.rows: list[Sequence[Value]] = []
        self.gaps: list[int] = []
        self.values: list[Any] = []
        self.texts: list[str] = []
        self._offered = self._seen = 0

    def forget(self) -> None:
        """What was cut has been fetched."""
        self.index += len(self.starts)
        self._clear()

    def enter(self, *, after_element: bool) -> None:
        """Go to the first element that is left. `after_element`: the position is right behind one."""
        character = self._skip_white_space()
        if after_element and character == ",":
            self.window.position += 1
            character = self._skip_white_space()
            if character in "],":
                raise self._malformed(_NOTHING_AFTER_COMMA, self.window.position)
        elif after_element and character != "]":
            raise self._malformed(_NO_SEPARATOR, self.window.position)
        self.ended = character == "]"

    def cut(self) -> None:
        """Take all elements that are whole in the window, each with what separates it from the next."""
        text, position = self.window.text, self.window.position
        try:
            while not self.ended:
                position = self._run(position)
                value, end = _scan(text, position)
                separator = _SEPARATOR.match(text, end)
                if separator is None or (end - position > _LARGE_CHARS and self._is_too_large(position, end)):
                    break
                self._add(value, position, end)
                position = separator.end()
                self.ended = separator[1] is not None
                if len(self.gaps) - self._offered == SAMPLE:
                    self._offer()
        except SCAN_ERRORS:
            pass  # `go_on` sees to it
        self._offer()
        self.window.position = position - self.ended

    def _offer(self) -> None:
        """Let the usual shape be learned from the elements that do not have it, here and now: a file may be small."""
        new = len(self.gaps) - self._offered
        self.shapes.offer(self.texts[self._offered :], len(self.starts) - self._seen - new)
        self._offered, self._seen = len(self.gaps), len(self.starts)

    def _run(self, position: int) -> int:
        """Take the elements of the usual shape from `position` on; where the next one begins."""
        shape = self.shapes.shape
        if shape is None or len(self.window.text) - position > MAX_CHARS:
            return position
        rows, starts, end = shape.run(self.window.text, position)
        self.rows += rows
        self.starts += starts
        return end

    def _add(self, value: Any, start: int, end: int) -> None:
        self.gaps.append(len(self.starts))
        self.values.append(value)
        self.texts.append(self.window.text[start:end])
        self.starts.append(start)
        self.rows.append(())

    def go_on(self) -> None:
        """Read on where the window cuts an element off; raise what is wrong with an element that is not whole."""
        if self.ended:
            return
        start = self.window.position
        try:
            value, end = _scan(self.window.text, start)
        except SCAN_ERRORS as error:
            self._go_on_inside(error)
            return
        if self._is_too_large(start, end):
            raise self._too_large()
        whole = _WHOLE.match(self.window.text, end - 1) is not None
        try:
            self._go_on_after(end, whole=whole)
        except FileError:
            if whole:
                self._take(value, end)
            raise

    def _go_on_inside(self, error: Exception) -> None:
        """Read more of an element that does not scan, unless that cannot help."""
        text = self.window.text
        what, position = explain(error)
        if isinstance(error, RecursionError):
            raise self._failure(FailureCode.TOO_DEEP, "is nested too deeply", self.window.position)
        if position is None:
            raise self._malformed(what, self.window.position)
        if what != _UNTERMINATED and text[position : max(0, len(text) - _NEAR_CHARS)].strip(_BLANK):
            raise self._malformed(what, position)
        if self._read_on():
            return
        rest = text[position:].strip(_BLANK)
        if what == _UNTERMINATED or not rest or _CUT_TOKEN.fullmatch(rest):
            raise self._truncated(self.index)
        raise self._malformed(what, position)

    def _go_on_after(self, end: int, *, whole: bool) -> None:
        """Read more where the window ends before the next element is in sight. `whole`: this one certainly is."""
        text = self.window.text
        if lone := _LONE_COMMA.match(text, end):
            raise self._malformed(_NOTHING_AFTER_COMMA, lone.end() - 1, self.index + whole)
        is_cut = _CUT_SEPARATOR.match(text, end) or (not whole and _CUT_NUMBER.match(text, end))
        if not is_cut:
            what = _NO_SEPARATOR if whole else _NO_END
            raise self._malformed(what, len(text) - len(text[end:].lstrip(_BLANK)), self.index + whole)
        if not self._read_on():
            raise self._truncated(self.index + whole)

    def _take(self, value: Any, end: int) -> None:
        self._add(value, self.window.position, end)
        self.window.position = end

    def _skip_white_space(self) -> str:
        """Go to the next character that is something else, and give it."""
        window = self.window
        while not (rest := window.text[window.position :].lstrip(_BLANK)):
            window.position = len(window.text)
            if not window.read_on():
                raise self._truncated(self.index)
        window.position = len(window.text) - len(rest)
        return rest[0]

    def _read_on(self) -> str:
        if len(self.window.text) - self.window.position > MAX_RECORD_BYTES:
            raise self._too_large()
        return self.window.read_on()

    def _is_too_large(self, start: int, end: int) -> bool:
        return self.window.width(start, end) > MAX_RECORD_BYTES

    def _too_large(self) -> FileError:
        what = f"is larger than {MAX_RECORD_BYTES // 2**20} MiB, the most that one record may hold"
        return self._failure(FailureCode.RECORD_TOO_LARGE, what, self.window.position)

    def _malformed(self, what: str, position: int, index: int | None = None) -> FileError:
        return self._failure(FailureCode.MALFORMED, f"is not valid JSON: {what}", position, index)

    def _failure(self, code: FailureCode, what: str, position: int, index: int | None = None) -> FileError:
        line, offset = self.window.line_at(position), self.window.offset_at(position)
        name = f"The record with index {self.index if index is None else index}"
        return FileError(code, f"{name} {what} (line {line}, byte {offset}).", line=line)

    def _truncated(self, whole: int) -> FileError:
        line = self.window.line_at(len(self.window.text))
        message = f"The file ends in the middle, after {whole} whole record{'' if whole == 1 else 's'} (line {line}). Send the whole file."
        return FileError(FailureCode.TRUNCATED, message, line=line)
