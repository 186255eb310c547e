"""Finds where each record begins in XML text: a scan beside lxml, which does not tell.

The scan trusts that the text is well-formed as far as its results are used; lxml proves that.
"""

import re
from collections import deque
from functools import lru_cache
from typing import NamedTuple

from tasks.pipeline.strict_text import Window

_NAME_END = r"(?=[ \t\r\n/>])"
_PREFIX = r"(?:[^ \t\r\n/>!?<:]++:)?"
_ANY_NAME = r"[^ \t\r\n/>!?<]++"
_REST_OF_TAG = re.compile(r"""(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")
_HIDES_TAGS = {"!--": "-->", "![CDATA[": "]]>", "?": "?>"}
_BEGINS_HIDING = "|".join(map(re.escape, _HIDES_TAGS))


class Frame(NamedTuple):
    """Where a record lies."""

    offset: int
    line: int
    size: int
    """In bytes."""
    nested: bool = False
    """There is a record inside it, where there must be none; its size is unknown."""


class Framer:
    """Scans a window for elements of the local name `name` at any depth, or for all children of the root (None).

    `nests`: an element of that name inside a record is a part of it, and no damage.
    """

    def __init__(self, window: Window, name: str | None, *, nests: bool = False) -> None:
        self.frames: deque[Frame] = deque()
        """The records whose end was seen, in file order. Whoever uses one takes it out."""
        self.open: tuple[int, int] | None = None
        """Offset and line of the record that has begun and not ended."""
        self.root_tag = ""
        """The root's start tag, where the records are its children."""
        self._window = window
        self._named = name is not None
        self._nests = nests
        self._outside = _tags(_ANY_NAME if name is None else _PREFIX + re.escape(name))
        self._pattern = self._inside = self._outside
        self._tag_name = self._own_mark = ""
        self._depth = 0

    def scan(self) -> None:
        """Scan the window's text from its position on, and move that to where the scan must go on."""
        text, position = self._window.text, self._window.position
        last = text.rfind("<")
        limit = len(text)
        if last >= position and text.find(">", last) < 0:
            limit = last  # "<ord" says nothing yet
        plain = "<!" not in text and "<?" not in text
        while found := self._pattern.search(text, self._leap(position, limit) if plain else position, limit):
            end = self._end_of(found)
            if end < 0:
                limit = found.start()  # the rest of it is yet to come
            else:
                position = end
        self._window.position = limit

    def next_place(self) -> tuple[int, int]:
        """Offset and line of the first record that was not taken out, or of where one may yet begin."""
        if self.frames:
            return self.frames[0].offset, self.frames[0].line
        if self.open is not None:
            return self.open
        return self._window.place_of(self._window.position)

    def _leap(self, position: int, limit: int) -> int:
        """Inside a record nothing before its end tag matters, unless it has an element of its own name in it.

        Faster than a look at each tag. Only for text without comments, CDATA and processing instructions.
        """
        if self.open is None:
            return position
        text = self._window.text
        end = text.find("</" + self._tag_name, position, limit)
        return position if end < 0 or text.find(self._own_mark, position, end) >= 0 else end

    def _end_of(self, found: re.Match[str]) -> int:
        """Where a tag ends, or what hides tags; -1 where the text ends before. Takes note of tags."""
        text, hiding = found.string, found[1]
        if hiding:
            terminator = _HIDES_TAGS[hiding]
            end = text.find(terminator, found.end())
            return end if end < 0 else end + len(terminator)
        rest = _REST_OF_TAG.match(text, found.end())
        if rest is None:
            return -1
        end = rest.end()
        if found[2]:
            self._close(end)
        elif self._named or self.root_tag:
            self._begin(found)
            if text[end - 2] == "/":
                self._close(end)
        else:
            self.root_tag = text[found.start() : end]
        return end

    def _begin(self, found: re.Match[str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.open = self._window.place_of(found.start())
            if found[3] != self._tag_name:
                self._tag_name = found[3]
                self._own_mark = found[3].rpartition(":")[2]
                if not self._named:
                    self._own_mark = f"<{found[3]}"
                    self._inside = _tags(re.escape(found[3]))
            self._pattern = self._inside
        elif self._named and not self._nests and self.open is not None:
            self.frames.append(Frame(*self.open, 0, nested=True))

    def _close(self, end: int) -> None:
        self._depth = max(0, self._depth - 1)
        if self._depth or self.open is None:
            return
        offset, line = self.open
        self.frames.append(Frame(offset, line, self._window.place_of(end)[0] - offset))
        self.open = None
        self._pattern = self._outside


@lru_cache(maxsize=16)
def _tags(name: str) -> re.Pattern[str]:
    """The beginnings of tags whose name matches `name` (groups: 2 the slash of an end tag, 3 the name), and of what
    hides tags (group 1)."""
    return re.compile(rf"<(?:({_BEGINS_HIDING})|(/?)({name}){_NAME_END})")
