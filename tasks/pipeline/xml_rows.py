"""From a record's element to its row.

Sources: "id" a child's text; "customer/email" further in; "@id" an attribute of the record, "customer/@id" of a
child. Names are local names. As JSON (in NotScalar, and as the raw value of unknown elements) an element is its text
when it has neither attributes nor children, null when it says xsi:nil, else an object: attributes as "@name", children
by name, its own text as "#text"; what is there more than once is an array.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias, cast

from lxml import etree

from tasks.pipeline.definition import Definition, UnknownFields
from tasks.pipeline.first_problems import first_problems
from tasks.pipeline.record import MAX_RAW_CHARS, NotScalar, Problem, RecordErrorCode, Value
from tasks.pipeline.xml_tree import local_name

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL = f"{_XSI}nil"
NAMESPACE = "urn:sluice"
"""Of attributes that we write ourselves: like those of xsi they are no part of a record."""
_NOT_THEIRS = (_XSI, f"{{{NAMESPACE}}}")
_MAX_CACHED = 10_000
_ELSEWHERE = -1  # no source leads here
_SPECIAL = -2  # more than one plain column: look closely


@dataclass(slots=True)
class _Step:
    """What the sources want of one element: its columns, attributes and children, by local name."""

    columns: list[int] = field(default_factory=list)
    attributes: dict[str, list[int]] = field(default_factory=dict)
    children: dict[str, "_Step"] = field(default_factory=dict)


class _Columns(dict[str, int]):
    """Tag of a record's child -> the one column that its text fills, or _ELSEWHERE, or _SPECIAL."""

    def __init__(self, record: _Step) -> None:
        super().__init__()
        self._record = record

    def __missing__(self, tag: str) -> int:
        step = self._record.children.get(local_name(tag))
        if step is None:
            column = _ELSEWHERE
        else:
            plain = len(step.columns) == 1 and not step.attributes and not step.children
            column = step.columns[0] if plain else _SPECIAL
        if len(self) < _MAX_CACHED:
            self[tag] = column
        return column


class Rows:
    """Takes the schema's fields out of elements."""

    def __init__(self, definition: Definition) -> None:
        self._width = len(definition.fields)
        self._strict = definition.unknown_fields is UnknownFields.REJECT
        self._sources = [field.source for field in definition.fields]
        self._first = {source: self._sources.index(source) for source in dict.fromkeys(self._sources)}
        self._record = _steps(self._sources)
        self._columns = _Columns(self._record)

    def row(self, element: etree._Element) -> Sequence[Value]:
        """One value per field, in the schema's order."""
        row: list[Value] = [None] * self._width
        for attribute_columns, value in _attributes_at(element, self._record):
            for column in attribute_columns:
                row[column] = value
        columns = self._columns
        for child in element:
            column = columns[child.tag]
            if column >= 0 and row[column] is None and not len(child):
                text = child.text
                if text is None:
                    if child.attrib:
                        return self._careful_row(element)  # xsi:nil, perhaps
                    text = ""
                row[column] = text
            elif column != _ELSEWHERE:
                return self._careful_row(element)
        return row

    def faults(self, elements: Sequence[etree._Element]) -> dict[int, list[Problem]]:
        """By position: UNKNOWN_FIELD for each element and attribute, at any depth on the way of a source, that no source
        uses, where the schema refuses them."""
        if not self._strict:
            return {}
        unknown = map(self._unknown, elements)
        return {position: problems for position, problems in enumerate(unknown) if problems}

    def _unknown(self, element: etree._Element) -> list[Problem]:
        unknown: dict[str, list[_Found]] = {}
        _collect_unknown(element, self._record, "", unknown)
        problems = (_unknown_field(path, found) for path, found in unknown.items())
        return first_problems(problems, len(unknown))

    def _careful_row(self, element: etree._Element) -> Sequence[Value]:
        found: list[list[Any]] = [[] for _ in range(self._width)]
        _collect(element, self._record, found)
        # What many fields take from one source is looked at once: it may be large.
        values = {source: _value(found[column]) for source, column in self._first.items()}
        return list(map(values.__getitem__, self._sources))


def _steps(sources: Sequence[str]) -> _Step:
    record = _Step()
    for column, source in enumerate(sources):
        *path, last = source.split("/")
        step = record
        for name in path:
            step = step.children.setdefault(name, _Step())
        if last.startswith("@"):
            step.attributes.setdefault(last[1:], []).append(column)
        else:
            step.children.setdefault(last, _Step()).columns.append(column)
    return record


def _collect(element: etree._Element, step: _Step, found: list[list[Any]]) -> None:
    """Append to each column's list the elements, or texts of attributes, that its source leads to."""
    for columns, value in _attributes_at(element, step):
        for column in columns:
            found[column].append(value)
    for child in element:
        next_step = step.children.get(local_name(child.tag))
        if next_step is not None:
            for column in next_step.columns:
                found[column].append(child)
            if next_step.attributes or next_step.children:
                _collect(child, next_step, found)


def _collect_unknown(
    element: etree._Element, step: _Step, path: str, unknown: dict[str, list["_Found"]]
) -> None:
    """By path: what is there and leads to no source. Children of a value are none: that value is NOT_A_SCALAR."""
    for name, full_name in _attributes(element):
        if name not in step.attributes:
            unknown.setdefault(f"{path}@{name}", []).append((element, full_name))
    if step.columns and not step.children:
        return
    for child in element:
        name = local_name(child.tag)
        if (next_step := step.children.get(name)) is None:
            unknown.setdefault(path + name, []).append((child, None))
        elif len(child) or child.attrib:
            _collect_unknown(child, next_step, f"{path}{name}/", unknown)


def _attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    """Local and full names, without those of the namespaces of xsi and of ours.

    Not the values: lxml looks for each among all attributes, and there may be hundreds of thousands of them.
    """
    for name in cast("Sequence[str]", element.keys()):
        if not name.startswith(_NOT_THEIRS):
            yield local_name(name), name


def _attributes_at(element: etree._Element, step: _Step) -> Iterator[tuple[list[int], str]]:
    """Columns and value of each attribute that the sources want; one without a prefix goes before its namesakes."""
    absent: set[str] = set()
    for name, columns in step.attributes.items():
        value = element.get(name)
        if value is None:
            absent.add(name)
        else:
            yield columns, value
    if absent and element.attrib:
        for name, full_name in _attributes(element):
            if name in absent:
                absent.remove(name)
                yield step.attributes[name], element.get(full_name, "")


def _value(found: list[Any]) -> Value:
    if not found:
        return None
    if len(found) > 1:
        return NotScalar(_compact(list(map(_plain, found))))
    plain = _text(found[0])
    return plain if plain is None or isinstance(plain, str) else NotScalar(_compact(plain))


def _text(found: Any) -> Any:
    """A single value: an element without children is its text, whatever attributes it has."""
    if isinstance(found, str) or len(found):
        return _plain(found)
    return None if _is_nil(found) else found.text or ""


def _plain(found: Any) -> Any:
    """What the module's docstring says an element is in JSON."""
    if isinstance(found, str):
        return found
    parts: dict[str, list[Any]] = {}
    for name, full_name in islice(_attributes(found), MAX_RAW_CHARS):  # nobody will see more of them
        parts.setdefault("@" + name, []).append(found.get(full_name))
    text = found.text or ""
    for child in found:
        parts.setdefault(local_name(child.tag), []).append(_plain(child))
        text += child.tail or ""
    if not parts:
        return None if _is_nil(found) else text
    if text.strip():
        parts["#text"] = [text]
    return {name: values[0] if len(values) == 1 else values for name, values in parts.items()}


def _is_nil(element: etree._Element) -> bool:
    return not element.text and element.get(_NIL, "").strip() in ("true", "1")


def _compact(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


_Found: TypeAlias = "tuple[etree._Element, str | None]"  # noqa: SLF001
"""An element, or one of its attributes, by its full name."""


def _unknown_field(path: str, found: list[_Found]) -> Problem:
    plain = [
        _plain(element) if attribute is None else element.get(attribute)
        for element, attribute in found[:MAX_RAW_CHARS]
    ]
    value = plain[0] if len(plain) == 1 else plain
    raw = value if value is None or isinstance(value, str) else _compact(value)
    what = f"element {path[:80]!r}" if found[0][1] is None else f"attribute {path.removeprefix('@')[:80]!r}"
    message = f"The schema has no field for the {what}. Leave it out, or add it to the schema."
    return Problem(None, RecordErrorCode.UNKNOWN_FIELD, message, raw, path)
