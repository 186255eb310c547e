"""The quick way through an XML document: its records by regular expressions, as long as they are regular.

lxml still judges all text before a record of it is handed on, but builds a tree only of records that have no known
shape. What is not to be expected between records ends the quick way: the careful reader goes on from there as if it
had read all before. So this one need not know what damage is, nor how a document ends.
"""

import re
from collections.abc import Generator, Iterator, Sequence

from lxml import etree

from tasks.pipeline.chunking import Chunks
from tasks.pipeline.errors import FileError
from tasks.pipeline.record import Chunk, Position, Problem, Value
from tasks.pipeline.strict_text import Window
from tasks.pipeline.xml_checker import Checker
from tasks.pipeline.xml_rows import Rows
from tasks.pipeline.xml_shapes import TOKEN, Shape, decoded, learn
from tasks.pipeline.xml_tree import Tree, local_name

_MAX_CHARS = 256 * 1024
"""A longer record is none for the quick way."""
_MAX_HEAD_CHARS = 64 * 1024
_MAX_SHAPES = 16
_MAX_LESSONS = 64
_PATIENCE = 64
"""So many records of no known shape, and one in eight of all, pay: each costs more than the careful reader takes."""
_SPACE = re.compile(r"[ \t\r\n]*+")
_WHITE_SPACE = " \t\r\n"
_COMMENT_LINES = 1_000_000
"""A comment must not be longer than 10 MB."""


class Regular:
    """Reads the first records of a document whose root's start tag is in the window."""

    def __init__(self, window: Window, root: str, name: str | None, rows: Rows, chunks: Chunks) -> None:
        self.end = Position(0, *window.place_of(0))
        """Where the careful reader must go on: behind the last of them, at the head's end, or at the top."""
        self.head = ""
        """All that comes before the first record; "" where that was not found, and nothing was read."""
        self._index = 0
        self._window = window
        self.root = root
        self.name = name
        self._rows = rows
        self._chunks = chunks
        self._first = chunks.next_index
        self._checker = Checker()
        self._shapes: list[Shape] = []
        self._lessons = 0
        self._strange = 0

    def read(self) -> Iterator[Chunk]:
        """Records up to where the careful reader must go on."""
        try:
            going_on = self._find_head()
            while going_on:
                going_on = yield from self._portion()
                window = self._window
                going_on = (
                    going_on and len(window.text) - window.position < _MAX_CHARS and bool(window.read_on())
                )
        except FileError:
            return  # the careful reader meets it again

    def before(self) -> str:
        """A document's text that leaves a parser where the quick way ended: the head, and as many lines as there were."""
        lines = self.end.line - 1 - self.head.count("\n")
        whole, rest = divmod(lines, _COMMENT_LINES)
        comments = ["<!--", "\n" * _COMMENT_LINES, "-->"] * whole + ["<!--", "\n" * rest, "-->"]
        return self.head + "".join(comments)

    def _find_head(self) -> bool:
        window = self._window
        while (end := head_end(window.text, self.name)) < 0:
            if len(window.text) > _MAX_HEAD_CHARS or not window.read_on():
                return False
        if not self._checker.accepts(window.text[:end]):
            return False
        self.head = window.text[:end]
        self._end_at(end)
        return True

    def _end_at(self, position: int) -> None:
        self._window.position = position
        self.end = Position(self._index, *self._window.place_of(position))

    def _portion(self) -> Generator[Chunk, None, bool]:
        """Read what there is of the window. Whether the next record may be regular, too."""
        window = self._window
        starts: list[int] = []
        rows: list[Sequence[Value]] = []
        strange: dict[int, str] = {}
        position, going_on = self._cut(starts, rows, strange)
        if not starts:
            return going_on
        text = window.text[window.position : position]
        if not self._checker.accepts(text):
            return False
        if "&" in text or "\r" in text:
            rows = decoded(rows)
        faults: dict[int, list[Problem]] = {}
        if strange:
            elements = self._parse(list(strange.values()))
            if elements is None:
                return False
            for k, element in zip(strange, elements, strict=True):
                rows[k] = self._rows.row(element)
            found = self._rows.faults(elements)
            faults = {k: found[n] for n, k in enumerate(strange) if n in found}
        skipped = min(max(self._first - self._index, 0), len(rows))
        self._index += len(rows)
        wanted = rows[skipped:]
        offsets, lines = window.locate(starts[skipped:])
        self._end_at(position)
        if wanted:
            faults = {k - skipped: problems for k, problems in faults.items() if k >= skipped}
            yield from self._chunks.add(wanted, offsets, lines, faults, (self.end.offset, self.end.line))
        self._strange += len(strange)
        return going_on and self._strange < _PATIENCE + self._index // 8

    def _cut(
        self, starts: list[int], rows: list[Sequence[Value]], strange: dict[int, str]
    ) -> tuple[int, bool]:
        """Cut the window's text into records, some of them `strange`. Where the last ends, and whether to go on there."""
        text, position = self._window.text, self._window.position
        while True:
            position = _SPACE.match(text, position).end()  # type: ignore[union-attr]  # matches always
            end = self._read_run(text, position, starts, rows)
            if end > position:
                position = end
                continue
            if position == len(text):
                return position, True
            place = element_at(text, position)
            if place is None:
                return position, True
            start, end = place
            if end < 0 or not self._is_record(text, start):
                return position, False
            if not (start == position and self._learn(text[start:end])):
                strange[len(rows)] = text[start:end]
                starts.append(start)
                rows.append(())
                position = end

    def _read_run(self, text: str, position: int, starts: list[int], rows: list[Sequence[Value]]) -> int:
        for k, shape in enumerate(self._shapes):
            found, new, end = shape.read(text, position)
            if found:
                starts += found
                rows += new
                if k:
                    self._shapes.insert(0, self._shapes.pop(k))
                return end
        return position

    def _learn(self, record: str) -> bool:
        """Whether there is a new shape that reads this record."""
        if self._lessons >= _MAX_LESSONS:
            return False
        self._lessons += 1
        shape = learn(record, self._rows, self._parse)
        if shape is None or not shape.read(record, 0)[0]:
            return False
        self._shapes = [shape, *self._shapes[: _MAX_SHAPES - 1]]
        return True

    def _is_record(self, text: str, start: int) -> bool:
        token = TOKEN.match(text, start)
        return token is not None and (self.name is None or local_name(token[3]) == self.name)

    def _parse(self, records: Sequence[str]) -> Sequence[etree._Element] | None:
        tree = Tree(self.root, self.name)
        if tree.feed(f"{self.head}{''.join(records)}<_/>") is not None:
            return None
        elements = tree.take()
        return elements if len(elements) == len(records) else None


def head_end(text: str, name: str | None) -> int:
    """Where the first record may begin: before the first element of that name, else behind the root's start tag.

    -1 where that cannot be told, or not yet.
    """
    position = depth = 0
    while token := TOKEN.match(text, position):
        position = token.end()
        if token[3] is None:
            continue
        if not token[2] and local_name(token[3]) == name:
            return token.end(1) if depth else -1
        depth += _step(token)
        if depth == 0:
            return -1
        if name is None:
            return position
    return -1


def element_at(text: str, position: int) -> tuple[int, int] | None:
    """Start and end of the element at `position`, or behind comments and processing instructions there.

    None where the text ends before; the end is -1 where something else stands there.
    """
    start, depth = -1, 0
    while token := TOKEN.match(text, position):
        begin, position = token.end(1), token.end()
        if start < 0 and (token[1].strip(_WHITE_SPACE) or token[2] or text.startswith("<![", begin)):
            return begin, -1
        if token[3] is None:
            continue
        if start < 0:
            start = begin
        depth += _step(token)
        if depth == 0:
            return start, position
    return None


def _step(token: re.Match[str]) -> int:
    """By how much a tag changes the depth."""
    if token[2]:
        return -1
    return not token[4].endswith("/")
