"""Which namespace prefixes an element needs, and where in its document they were declared."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from tasks.pipeline.encoding import Encoding
from tasks.pipeline.xml_shapes import TOKEN

_ATTRIBUTE = re.compile(r"""[ \t\r\n]([^ \t\r\n=/>"']+)[ \t\r\n]*=[ \t\r\n]*("[^"]*"|'[^']*')""")
_DECLARES = "xmlns:"
_BUILT_IN = {"xml", "xmlns"}
_BLOCK_BYTES = 64 * 1024
_OVERLAP_CHARS = 4 * 1024
"""No declaration that counts is longer."""


def declared(attributes: str) -> Iterator[tuple[str, str]]:
    """Prefix and quoted namespace of each declaration among an element's attributes."""
    for attribute in _ATTRIBUTE.finditer(attributes):
        if attribute[1].startswith(_DECLARES):
            yield attribute[1].removeprefix(_DECLARES), attribute[2]


def needed(element: str) -> set[str]:
    """The prefixes that this element uses without declaring them."""
    missing: set[str] = set()
    scopes: list[set[str]] = [set(_BUILT_IN)]
    for token in TOKEN.finditer(element):
        if token[3] is None:
            continue
        if token[2]:
            scopes.pop()
            continue
        scope = scopes[-1].union(prefix for prefix, _ in declared(token[4]))
        names = [token[3], *(attribute[1] for attribute in _ATTRIBUTE.finditer(token[4]))]
        missing.update({name.partition(":")[0] for name in names if ":" in name} - scope)
        if not token[4].endswith("/"):
            scopes.append(scope)
    return missing


class Declarations:
    """Finds the last declaration of a prefix before a place in a document, and reads no part of it twice for that."""

    def __init__(self, file: BinaryIO, encoding: Encoding) -> None:
        self._file = file
        self._encoding = encoding
        self._found: dict[str, tuple[int, str]] = {}
        """Prefix -> up to where was looked, and the quoted namespace that was the last one there."""

    def find(self, prefix: str, offset: int) -> str:
        """The quoted namespace. Places must not go back. One of our own where there is no declaration."""
        start, namespace = self._found.get(
            prefix, (self._encoding.bom_bytes, f'"urn:sluice:undeclared:{prefix}"')
        )
        namespace = self._last(prefix, start, offset) or namespace
        self._found[prefix] = (offset, namespace)
        return namespace

    def _last(self, prefix: str, start: int, end: int) -> str | None:
        pattern = re.compile(rf"""xmlns:{re.escape(prefix)}[ \t\r\n]*=[ \t\r\n]*("[^"<]*"|'[^'<]*')""")
        behind = ""
        while start < end:
            begin = max(start, end - _BLOCK_BYTES)
            self._file.seek(begin)
            text = self._file.read(end - begin).decode(self._encoding.codec, "replace") + behind
            if found := pattern.findall(text):
                return str(found[-1])
            end, behind = begin, text[:_OVERLAP_CHARS]
        return None
