"""Rejected elements of an XML document, in the elements that were around the first record."""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tasks.pipeline.definition import Definition
from tasks.pipeline.encoding import HEAD_BYTES
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import MAX_RECORD_BYTES, Position
from tasks.pipeline.rejected.cut import Cut
from tasks.pipeline.rejected.prefixes import Declarations, declared, needed
from tasks.pipeline.strict_text import StrictText, Window
from tasks.pipeline.xml_prolog import encoding_of, find_root
from tasks.pipeline.xml_regular import element_at, head_end
from tasks.pipeline.xml_rows import NAMESPACE
from tasks.pipeline.xml_shapes import TOKEN
from tasks.pipeline.xml_tree import local_name

_BLOCK_BYTES = 32 * 1024
_MOST_HEAD_CHARS = 64 * 1024
_START_TAG = re.compile(r"<[^ \t\r\n/>]+")
_HAS_INDEX = re.compile(r"[ \t\r\n]sluice(?:-index)?:index[ \t\r\n]*=")


class XmlCutter:
    """See `cut.Cutter`. Each element is byte for byte what was sent.

    A prefix that none of the elements around it declares any more is declared by an element of our own around it.
    """

    def __init__(self, file: BinaryIO, definition: Definition, *, with_index: bool, is_retry: bool) -> None:
        self._file = file
        self._with_index = with_index
        self._is_retry = is_retry
        self._name = definition.record_path
        file.seek(0)
        self._encoding = encoding_of(file.read(HEAD_BYTES), definition.encoding)
        self._head = self._find_head()
        self._open = _open_tags(self._head)
        self._known = {prefix for tag in self._open for prefix, _ in declared(tag[1])}
        self._declarations = Declarations(file, self._encoding)
        self._wrapper = "_" if self._name != "_" else "__"

    def head(self) -> Iterator[bytes]:
        """The byte order mark, and all that comes before the first record; only the root's start tag where that is a lot."""
        self._file.seek(0)
        yield self._file.read(self._encoding.bom_bytes) + self._encode(self._head)

    def records(self, cuts: Iterable[Cut]) -> Iterator[bytes]:
        """The elements, each on a line of its own."""
        for cut in cuts:
            data = cut.read(self._file)
            text = data.decode(self._encoding.codec, "replace")
            place = element_at(text, 0)
            if place is None or place[0] != 0:
                raise FileError(FailureCode.FILE_CHANGED, "There is no element where a record was.")
            element = text[: place[1]]
            record = data[: len(self._encode(element))]
            if self._with_index:
                record = self._indexed(record, element, cut.index)
            before, behind = self._around(element, cut.offset)
            yield self._encode(before) + record + self._encode(behind)

    def tail(self) -> bytes:
        """The end tags of what the head opens."""
        tags = "".join(f"</{name}>" for name, _ in reversed(self._open))
        return self._encode(f"\n{tags}\n")

    def _find_head(self) -> str:
        top = Position(0, self._encoding.bom_bytes, 1)
        window = Window(StrictText(self._file, self._encoding, top, _BLOCK_BYTES), top)
        root = find_root(window)
        if local_name(root) == self._name:
            return window.text[: _root_start(window.text)]
        for name, most_chars in ((self._name, _MOST_HEAD_CHARS), (None, MAX_RECORD_BYTES)):
            while (end := head_end(window.text, name)) < 0:
                if len(window.text) > most_chars or not window.read_on():
                    break
            if end >= 0:
                return window.text[:end]
        raise FileError(FailureCode.FILE_CHANGED, "There is no root element where one was.")

    def _around(self, element: str, offset: int) -> tuple[str, str]:
        if not self._open:
            return "", ""
        missing = needed(element) - self._known if ":" in element else ()
        if not missing:
            return "\n", ""
        found = "".join(f" xmlns:{name}={self._declarations.find(name, offset)}" for name in sorted(missing))
        return f"\n<{self._wrapper}{found}>", f"</{self._wrapper}>"

    def _indexed(self, record: bytes, element: str, index: int) -> bytes:
        tag = TOKEN.match(element)
        name = _START_TAG.match(element)
        if tag is None or name is None or (self._is_retry and _HAS_INDEX.search(tag[4])):
            return record
        prefix = "sluice-index" if "xmlns:sluice" in tag[4] else "sluice"
        attributes = f' xmlns:{prefix}="{NAMESPACE}" {prefix}:index="{index}"'
        place = len(self._encode(name[0]))
        return record[:place] + self._encode(attributes) + record[place:]

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding.codec, "replace")


def _root_start(text: str) -> int:
    """A comment before the root may hold something that looks like its tag."""
    return next(token.end(1) for token in TOKEN.finditer(text) if token[3] is not None)


def _open_tags(head: str) -> list[tuple[str, str]]:
    """Name and attributes of each element that is open at the end of this text."""
    open_tags: list[tuple[str, str]] = []
    for token in TOKEN.finditer(head):
        if token[3] is None:
            continue
        if token[2]:
            open_tags.pop()
        elif not token[4].endswith("/"):
            open_tags.append((token[3], token[4]))
    return open_tags
