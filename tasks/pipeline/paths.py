"""Where in its file the value stands that an error is about, in the words of the format: nothing of it is stored."""

from collections.abc import Callable
from functools import lru_cache

from tasks.pipeline.definition import Definition
from tasks.pipeline.record import FileFormat
from tasks.pipeline.xml_rows import NAMESPACE

PathOf = Callable[[int, str | None, str | None], str | None]
"""(index of the record, name of the field, `Problem.source`) -> path; both None: the record as a whole."""

_NOT_THEIRS = ("http://www.w3.org/2001/XMLSchema-instance", NAMESPACE)
_THEIRS = "".join(f"[namespace-uri()!='{namespace}']" for namespace in _NOT_THEIRS)
"""Attributes that are a part of a record: see xml_rows."""
_CACHED = 4_096

_Tree = dict[str, "_Tree"]


def path_of(format: FileFormat, definition: Definition) -> PathOf:
    """What gives the path of each error of a file.

    CSV and TSV: the column's header; None for a whole record. JSON and NDJSON: a JSON Pointer (RFC 6901), from the root of
    the document or of the line. XML: an XPath 1.0, whatever the namespaces are. It leads to where the value is, or would be.
    """
    match format:
        case FileFormat.CSV | FileFormat.TSV:
            return _Columns(definition)
        case FileFormat.JSON:
            steps = definition.record_path.split(".") if definition.record_path else []
            return _Pointers(definition, "".join(map(_pointer_step, steps)), is_line=False)
        case FileFormat.NDJSON:
            return _Pointers(definition, "", is_line=True)
        case FileFormat.XML:
            return _XPaths(definition)


class _Sources:
    """The source of each field, by its name."""

    def __init__(self, definition: Definition) -> None:
        self._by_name = {field.name: field.source for field in definition.fields}

    def __call__(self, field: str | None, source: str | None) -> str | None:
        return source if field is None else self._by_name.get(field)


class _Columns:
    def __init__(self, definition: Definition) -> None:
        self._sources = _Sources(definition)

    def __call__(self, index: int, field: str | None, source: str | None) -> str | None:
        return self._sources(field, source)


class _Pointers:
    def __init__(self, definition: Definition, array: str, *, is_line: bool) -> None:
        self._sources = _Sources(definition)
        self._array = array
        self._is_line = is_line
        self._tree: _Tree = {}
        for field in definition.fields:
            node = self._tree
            for part in field.source.split(".")[:-1]:
                node = node.setdefault(part, {})
        self._below = lru_cache(_CACHED)(self._pointer)

    def __call__(self, index: int, field: str | None, source: str | None) -> str | None:
        wanted = self._sources(field, source)
        record = "" if self._is_line else f"{self._array}/{index}"
        return record if wanted is None else record + self._below(wanted)

    def _pointer(self, source: str) -> str:
        """A dot leads into an object only where a source of the schema does; elsewhere it is a part of the key."""
        pointer, node, rest = "", self._tree, source
        while True:
            head, dot, behind = rest.partition(".")
            if not dot or head not in node:
                return pointer + _pointer_step(rest)
            pointer += _pointer_step(head)
            node, rest = node[head], behind


def _pointer_step(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


class _XPaths:
    def __init__(self, definition: Definition) -> None:
        self._sources = _Sources(definition)
        self._records = "/*/*"
        if (name := definition.record_path) is not None:
            named = f"*[local-name()={_literal(name)}]"
            # An element of that name inside a record is a part of it, where the schema looks for one there.
            nests = any(name in field.source.split("/") for field in definition.fields)
            outermost = f"[not(ancestor::{named})]" if nests else ""
            self._records = f"(//{named}{outermost})"
        self._below = lru_cache(_CACHED)(_xpath)

    def __call__(self, index: int, field: str | None, source: str | None) -> str | None:
        wanted = self._sources(field, source)
        record = f"{self._records}[{index + 1}]"
        return record if wanted is None else record + self._below(wanted)


def _xpath(source: str) -> str:
    return "".join(map(_xpath_step, source.split("/")))


def _xpath_step(step: str) -> str:
    if not step.startswith("@"):
        return f"/*[local-name()={_literal(step)}]"
    name = _literal(step[1:])
    # One without a prefix goes before its namesakes.
    first = f"[name()={name} or not(../@*[name()={name}])]"
    return f"/@*[local-name()={name}]{_THEIRS}{first}[1]"


def _literal(text: str) -> str:
    """A string of XPath 1.0, which knows no escapes."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    parts = ', "\'", '.join(f"'{part}'" for part in text.split("'"))
    return f"concat({parts})"
