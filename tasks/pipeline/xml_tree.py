"""lxml, hardened and kept small: gives the elements of records once they are whole, and lets go of them."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from lxml import etree

from tasks.pipeline.errors import FailureCode, FileError, shown
from tasks.pipeline.record import MAX_RECORD_BYTES
from tasks.pipeline.xml_parser import HARDENED

_MAX_DEPTH = 256  # libxml2's own, without huge_tree
_MAX_REASON_CHARS = 200
_MAX_NAMED = 5
_LIMIT = etree.ErrorTypes.ERR_RESOURCE_LIMIT
_LONG_COMMENT = etree.ErrorTypes.ERR_COMMENT_NOT_FINISHED  # while there is more to come

_UNFINISHED = frozenset(
    (
        etree.ErrorTypes.ERR_DOCUMENT_EMPTY,
        etree.ErrorTypes.ERR_DOCUMENT_END,
        etree.ErrorTypes.ERR_ATTRIBUTE_NOT_FINISHED,
        etree.ErrorTypes.ERR_CDATA_NOT_FINISHED,
        etree.ErrorTypes.ERR_COMMENT_NOT_FINISHED,
        etree.ErrorTypes.ERR_GT_REQUIRED,
        etree.ErrorTypes.ERR_PI_NOT_FINISHED,
        etree.ErrorTypes.ERR_SPACE_REQUIRED,
        etree.ErrorTypes.ERR_TAG_NOT_FINISHED,
    )
)
"""What libxml2 says at the end of the text when more was to come; after a bare "&" it is something else."""

_NEVER_IN_NAMES = re.compile("[\x00-\x20\ufffe\uffff\ud800-\udfff]")
_CUT_OFF = re.compile(r"(?:<[^<>]*|&#?[^ \t\r\n&;<>]*)\Z")
_TAIL_CHARS = 256


class Tree:
    """Fed a document's text, gives its records: elements of the local name `name`, or the root's children (None).

    `root`: the root's name with its prefix. `feed` and `close` give what is wrong instead of raising it, so that
    the records before the damage can be taken first. `nests`: an element of that name inside a record is a part of it.
    """

    def __init__(self, root: str, name: str | None, *, nests: bool = False) -> None:
        self._name = name
        self._nests = nests
        self._depth = 0
        self._root: etree._Element | None = None
        self._ended: list[etree._Element] = []
        self._child_names: dict[str, None] = {}
        self._tail = ""
        self._line = 1
        names = {local_name(root), name or local_name(root)}
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=[f"{{*}}{local or '*'}" for local in names if not _NEVER_IN_NAMES.search(local)],
            remove_pis=True,
            **HARDENED,
        )

    def feed(self, text: str) -> FileError | None:
        """Parse more text."""
        # The log has what it raises, and damage that does not raise: undeclared entities and prefixes.
        with suppress(etree.XMLSyntaxError):
            self._parser.feed(text.encode())
        self._tail = (self._tail + text[-_TAIL_CHARS:])[-_TAIL_CHARS:]
        self._line += text.count("\n")
        self._listen()
        last = self._parser.feed_error_log.last_error  # the last warning where there is no error
        return None if last is None or last.level < etree.ErrorLevels.ERROR else self._damage()

    def close(self) -> FileError | None:
        """The text is over."""
        try:
            self._parser.close()
        except etree.XMLSyntaxError:
            if self._first_error().type not in _UNFINISHED and not _CUT_OFF.search(self._tail):
                return self._damage()
            message = f"The file ends in the middle, on line {self._line}. Send the whole file."
            return FileError(FailureCode.TRUNCATED, message, line=self._line)
        self._listen()
        return None

    def give_up(self) -> FileError:
        """What is wrong, where lxml waits for more although it was fed all that it could wait for."""
        with suppress(etree.XMLSyntaxError):
            self._parser.close()
        return self._damage()

    def take(self) -> list[etree._Element]:
        """The records that are known to be whole and were not given before."""
        if self._name is None:
            return [] if self._root is None else list(self._root)[:-1]
        taken, self._ended = self._ended, []
        return taken

    def sound(self, taken: Sequence[etree._Element]) -> Sequence[etree._Element]:
        """Those of the records just taken that come before the first name that namespaces make wrong: lxml reads on there."""
        records, begun, last = set(taken), 0, None
        for element in () if self._root is None else self._root.iter():
            if element in records:
                begun, last = begun + 1, element
            if _is_damaged(element):
                inside = last is not None and (element is last or last in element.iterancestors())
                return taken[: begun - inside]
        return taken

    def take_last(self) -> list[etree._Element]:
        """Once all is fed and the rest is taken and forgotten: the root's last child, which `take` never gives."""
        return [] if self._name is not None or self._root is None else list(self._root)[-1:]

    def forget(self) -> None:
        """Unlink all that was taken and all that is no record. The last of each element's children stays: lxml may
        still be writing to it, or to the text behind it."""
        node = self._root
        if node is None or local_name(node.tag) == self._name:
            return
        self._note_names(node)
        while len(node):
            last = node[-1]
            del node[:-1]
            if self._name is None or local_name(last.tag) == self._name:
                return
            node = last

    def no_records(self) -> FileError | None:
        """WRONG_STRUCTURE for a document in which no record was found, unless its root is empty."""
        if self._root is None:
            return None
        self._note_names(self._root)
        root = shown(local_name(self._root.tag))
        if self._child_names:
            names = ", ".join(map(shown, self._child_names))
            message = f"No element is called {self._name!r}, as the schema's recordPath says. In <{root}> there are: {names}."
        elif (self._root.text or "").strip():
            message = f"The root element <{root}> holds text, but no records."
        else:
            return None
        return FileError(FailureCode.WRONG_STRUCTURE, message, line=1)

    def _listen(self) -> None:
        events: Iterator[tuple[str, etree._Element]] = self._parser.read_events()  # type: ignore[assignment]
        for event, element in events:
            if self._root is None:
                self._root = element
            if self._name is None or local_name(element.tag) != self._name:
                continue
            self._depth += 1 if event == "start" else -1
            if event == "end" and not (self._nests and self._depth):
                self._ended.append(element)

    def _note_names(self, root: etree._Element) -> None:
        if self._name is not None and len(self._child_names) < _MAX_NAMED:
            self._child_names |= {local_name(child.tag): None for child in islice(root, _MAX_NAMED)}

    def _first_error(self) -> Any:
        return next(entry for entry in self._parser.feed_error_log if entry.level >= etree.ErrorLevels.ERROR)

    def _damage(self) -> FileError:
        entry = self._first_error()
        line = entry.line
        if entry.type == _LIMIT and self._is_deep():
            message = f"Elements are nested more than {_MAX_DEPTH} levels deep (line {line})."
            return FileError(FailureCode.TOO_DEEP, message, line=line)
        if entry.type in (_LIMIT, _LONG_COMMENT):
            message = f"A text or comment is longer than {MAX_RECORD_BYTES // 2**20} MiB (line {line})."
            return FileError(FailureCode.RECORD_TOO_LARGE, message, line=line)
        reason = entry.message.strip()  # which quotes what is in the file, however long
        if len(reason) > _MAX_REASON_CHARS:
            reason = reason[:_MAX_REASON_CHARS] + "…"
        message = f"The file is not well-formed XML: {reason} (line {line})."
        return FileError(FailureCode.MALFORMED, message, line=line)

    def _is_deep(self) -> bool:
        node, depth = self._root, 1
        while node is not None and len(node):
            node, depth = node[-1], depth + 1
        return depth >= _MAX_DEPTH


def local_name(name: str) -> str:
    """Without namespace or prefix."""
    return name.rpartition("}")[2].rpartition(":")[2]


def _is_damaged(element: etree._Element) -> bool:
    """Whether a prefix has no namespace, or two attributes have the same name and namespace."""
    names = list(map(str, element.keys()))
    unbound = any(":" in name.rpartition("}")[2] for name in (str(element.tag), *names))
    return unbound or len(set(names)) < len(names)
