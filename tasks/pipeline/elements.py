"""From the JSON text of one element to its row, lossless: shared by the JSON and the NDJSON reader.

    scan = make_scan()
    value, end = scan(text, position)      # no white space before `position`; ends right after the element
    rows, faults = Elements(definition).pick([value, ...], [text[position:end], ...])

`scan` runs in C. It gives objects as tuples of (key, value) pairs, so that no duplicate key is lost; arrays as lists;
numbers and strings as str (numbers in their own spelling, however long); and True, False and None. It raises what
`SCAN_ERRORS` lists; `explain` puts such an error into words.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from json import JSONDecodeError, JSONDecoder
from operator import itemgetter
from typing import Any, NoReturn

from tasks.pipeline.compact_json import Number, compact
from tasks.pipeline.definition import Definition, UnknownFields
from tasks.pipeline.first_problems import first_problems
from tasks.pipeline.record import MAX_RAW_CHARS, NotScalar, Problem, RecordErrorCode, Value

Scan = Callable[[str, int], tuple[Any, int]]
"""(text, position) -> (value, position after it)."""

SCAN_ERRORS = (ValueError, StopIteration, RecursionError)
"""What a `Scan` raises: JSONDecodeError or ValueError, StopIteration where no value begins, RecursionError."""

_Twice = tuple[Sequence[tuple[str, Any]], str]
"""The pairs of an object that has a key twice, and the dotted prefix of its keys."""

_Tree = dict[str, "_Tree"]
"""The inner nodes of all dotted sources: "a.b.c" and "a.d" give {"a": {"b": {}}}."""

_PLAIN = frozenset((str, type(None)))
_SPELLING = {True: "true", False: "false"}


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def make_scan(number: Callable[[str], str] = str) -> Scan:
    """A lossless scanner in C."""
    decoder = JSONDecoder(
        object_pairs_hook=tuple, parse_int=number, parse_float=number, parse_constant=_refuse
    )
    scan: Scan = decoder.scan_once  # type: ignore[attr-defined]
    return scan


def explain(error: Exception) -> tuple[str, int | None]:
    """What a scan's error means, in words without a full stop, and the position in the text where it is known."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply", None
    if isinstance(error, JSONDecodeError):
        return error.msg.removesuffix(" at").removesuffix(" starting"), error.pos
    if isinstance(error, StopIteration):
        return "Expecting value", error.value
    return str(error), None


class Elements:
    """Takes the schema's fields out of decoded elements."""

    def __init__(self, definition: Definition) -> None:
        self._sources = tuple(field.source for field in definition.fields)
        self._known = frozenset(self._sources)
        self._strict = definition.unknown_fields is UnknownFields.REJECT
        self._paths = _tree(self._sources)
        self._behind: dict[str, list[str]] = {}
        self._exact = make_scan(Number)
        self._fetch = itemgetter(*self._sources) if len(self._sources) > 1 else None

    def pick(
        self, values: Sequence[Any], texts: Sequence[str]
    ) -> tuple[list[Sequence[Value]], dict[int, list[Problem]]]:
        """Rows and faults (by position in `values`) as `record.Chunk` has them. `texts`: each value's JSON text."""
        faults: dict[int, list[Problem]] = {}
        objects = self._objects(values, texts, faults)
        spoiled = tuple(faults)
        nested = _Nested(self._again, texts)
        if self._strict and not self._known.issuperset(chain.from_iterable(objects)):
            self._report_unknown(objects, values, nested, faults)
        rows = self._plain_rows(self._rows(objects), nested)
        for position in spoiled:
            rows[position] = ()
        return rows, faults

    def _objects(
        self, values: Sequence[Any], texts: Sequence[str], faults: dict[int, list[Problem]]
    ) -> list[dict[str, Any]]:
        """Each element as a dict with all sources at its top; an empty one where there is a fault."""
        if not set(map(type, values)) <= {tuple}:
            faults.update(_not_objects(values, texts))
            values = [() if position in faults else value for position, value in enumerate(values)]
        objects: list[dict[str, Any]] = list(map(dict, values))
        twice: dict[int, _Twice] = {}
        if list(map(len, objects)) != list(map(len, values)):
            twice = {k: (values[k], "") for k, top in enumerate(objects) if len(top) != len(values[k])}
        if self._paths:
            for position, top in enumerate(objects):
                if found := self._flatten(top, top, self._paths, ""):
                    twice.setdefault(position, found)
        for position, found in twice.items():
            faults[position] = [_duplicate_key(*found, texts[position])]
            objects[position] = {}
        return objects

    def _flatten(
        self, flat: dict[str, Any], inner: dict[str, Any], paths: _Tree, prefix: str
    ) -> _Twice | None:
        """Bring the keys of objects on a mapped path into `flat` under their dotted names.

        A key of `flat` that is spelled with the dots wins. An array in the way of a path stands for every value
        behind it. Returns an object that has a key twice, if there is one.
        """
        for key, deeper in paths.items():
            value = inner.get(key, False)
            if isinstance(value, str | bool):
                continue
            name = prefix + key
            if name not in self._known:
                flat.pop(name, None)
            if isinstance(value, list):
                self._stand_for_all(value, name + ".", flat)
            elif isinstance(value, tuple) and (twice := self._unfold(value, name + ".", flat, deeper)):
                return twice
        return None

    def _unfold(
        self, pairs: Sequence[tuple[str, Any]], prefix: str, flat: dict[str, Any], deeper: _Tree
    ) -> _Twice | None:
        below = dict(pairs)
        if len(below) != len(pairs):
            return pairs, prefix
        for key, value in pairs:
            flat.setdefault(prefix + key, value)
        return self._flatten(flat, below, deeper, prefix)

    def _stand_for_all(self, value: Any, prefix: str, flat: dict[str, Any]) -> None:
        behind = self._behind.get(prefix)
        if behind is None:
            behind = [source for source in self._sources if source.startswith(prefix)]
            self._behind[prefix] = behind
        for source in behind:
            flat.setdefault(source, value)

    def _rows(self, objects: list[dict[str, Any]]) -> list[Sequence[Any]]:
        try:
            if self._fetch is None:
                return list(zip(map(itemgetter(self._sources[0]), objects)))
            return list(map(self._fetch, objects))
        except KeyError:
            return [tuple(map(top.get, self._sources)) for top in objects]

    def _plain_rows(self, rows: list[Sequence[Any]], nested: "_Nested") -> list[Sequence[Value]]:
        columns = list(zip(*rows, strict=True))
        changed = False
        for number, column in enumerate(columns):
            kinds = set(map(type, column))
            if not kinds <= _PLAIN:
                columns[number] = _plain_column(column, kinds, self._sources[number], nested)
                changed = True
        return list(zip(*columns, strict=True)) if changed else rows

    def _again(self, text: str) -> dict[str, Any]:
        """An element as `_objects` gives it, its numbers told apart from strings."""
        top = dict(self._exact(text, 0)[0])
        self._flatten(top, top, self._paths, "")
        return top

    def _report_unknown(
        self,
        objects: list[dict[str, Any]],
        values: Sequence[Any],
        nested: "_Nested",
        faults: dict[int, list[Problem]],
    ) -> None:
        for position, top in enumerate(objects):
            if self._known.issuperset(top):
                continue
            names = dict.fromkeys(_names(values[position], self._paths, ""))
            unknown = [name for name in names if name in top and name not in self._known]
            problems = (_unknown_key(name, nested.plain(top[name], name, position)) for name in unknown)
            faults[position] = first_problems(problems, len(unknown))


def fill(
    rows: list[Sequence[Value]],
    gaps: Sequence[int],
    picked: Sequence[Sequence[Value]],
    faults: dict[int, list[Problem]],
) -> dict[int, list[Problem]]:
    """Put picked rows into the gaps of others; gives their faults by position among all rows."""
    for position, row in zip(gaps, picked, strict=True):
        rows[position] = row
    return {gaps[position]: problems for position, problems in faults.items()}


class _Nested:
    """Writes the objects and arrays inside elements as compact JSON.

    For that an element is decoded once more, since its numbers must be told apart from strings: at most once, and
    only where it is asked for.
    """

    def __init__(self, decode: Callable[[str], dict[str, Any]], texts: Sequence[str]) -> None:
        self._decode = decode
        self._texts = texts
        self._decoded: dict[int, dict[str, Any] | None] = {}

    def plain(self, value: Any, key: str, position: int) -> Value:
        """A decoded value as it goes into a row; `key`: under which of the element's keys it stands."""
        if not isinstance(value, tuple | list):
            plain: Value = _SPELLING.get(value, value)
            return plain
        if position not in self._decoded:
            self._decoded[position] = self._top(position)
        top = self._decoded[position]
        # Where it is too deep to decode here, though it was not before, any part of its text tells what it is.
        return NotScalar(self._texts[position][:MAX_RAW_CHARS] if top is None else compact(top[key]))

    def _top(self, position: int) -> dict[str, Any] | None:
        try:
            return self._decode(self._texts[position])
        except RecursionError:
            return None


def _plain_column(column: Sequence[Any], kinds: set[type], source: str, nested: _Nested) -> tuple[Value, ...]:
    if kinds.isdisjoint((tuple, list)):
        return tuple(map(_SPELLING.get, column, column))
    return tuple([nested.plain(value, source, position) for position, value in enumerate(column)])


def _names(pairs: Sequence[tuple[str, Any]], paths: _Tree, prefix: str) -> Iterator[str]:
    """The dotted names of all keys that flattening may have kept, in the element's own order."""
    for key, value in pairs:
        yield prefix + key
        if key in paths and isinstance(value, tuple):
            yield from _names(value, paths[key], f"{prefix}{key}.")


def _unknown_key(key: str, value: Value) -> Problem:
    message = f"The schema has no field for the key {key[:80]!r}. Leave it out, or add it to the schema."
    raw = value.text if isinstance(value, NotScalar) else value
    return Problem(None, RecordErrorCode.UNKNOWN_FIELD, message, raw, key)


def _not_objects(values: Sequence[Any], texts: Sequence[str]) -> Iterator[tuple[int, list[Problem]]]:
    for position, value in enumerate(values):
        if not isinstance(value, tuple):
            kind = "an array" if isinstance(value, list) else "null" if value is None else "a plain value"
            message = f'Expected an object ({{"key": value, ...}}), found {kind}.'
            yield position, [Problem(None, RecordErrorCode.NOT_AN_OBJECT, message, texts[position])]


def _duplicate_key(pairs: Sequence[tuple[str, Any]], prefix: str, text: str) -> Problem:
    seen: set[str] = set()
    key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    message = f"The key {(prefix + key)[:80]!r} stands there more than once: which value counts is unclear."
    return Problem(None, RecordErrorCode.DUPLICATE_KEY, message, text, prefix + key)


def _tree(sources: Sequence[str]) -> _Tree:
    tree: _Tree = {}
    for source in sources:
        node = tree
        for part in source.split(".")[:-1]:
            node = node.setdefault(part, {})
    return tree
