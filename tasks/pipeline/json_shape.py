"""Records of one shape, many at once: most files repeat the same keys, in the same order, in the same spelling.

    shapes = Shapes(definition)
    shapes.offer(texts, hits)                    # JSON texts that went the exact way, and how many records did not
    rows, missed = shapes.shape.lines(text)      # NDJSON: a row for each line; `missed`: the lines of another shape
    rows, starts, end = shapes.shape.run(text, position)      # JSON: the elements from there on, up to one that differs

A shape is a regular expression: the text between the values, letter by letter as it stood in a record that was decoded
exactly, and JSON's grammar for a plain value in each gap. What it matches is JSON with just those keys, each of them
once, and its groups are the values in their own spelling. So nothing can be lost: whatever is nested, damaged, repeated,
left out or only spelled in another way does not match, and goes the exact way of `elements.py`.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tasks.pipeline.definition import Definition, UnknownFields
from tasks.pipeline.elements import make_scan
from tasks.pipeline.record import Value

SAMPLE = 64
"""A shape is learned from so many records: a small file is read before its expression would be compiled."""

MAX_CHARS = 600_000
"""No more text than this is matched at once: each escape in a string costs memory until its record has been matched."""

_MAX_TEXT_CHARS = 10_000
_MAX_KEYS = 250
_MAX_WAIT = 64 * 1024
_REVIEW = 1_000
_COMMON = 0.5
_MANY_NULLS = 0.1

_BLANK = "[ \\t\\n\\r]*+"
_PLAIN = r'[^"\\\x00-\x1f]*+'
_STRING = rf'{_PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_PLAIN})*'
_NUMBER = r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?+[0-9]++)?"
_BARE = f"(?:{_NUMBER}|true|false)"
_PAIR = re.compile(
    rf'{_BLANK}"({_STRING})"{_BLANK}:{_BLANK}(?:("{_STRING}")|({_BARE})|null)(?={_BLANK}([,}}]))'
)
_scan = make_scan()
_fetch_groups: Callable[[re.Match[str]], tuple[str, ...]] = re.Match.groups
_fetch_start: Callable[[re.Match[str]], int] = re.Match.start

Rows = list[Sequence[Value]]


class Kind(Enum):
    """What stands in one gap, with the expression whose one group is the value."""

    STRING = rf'"({_STRING})"'
    BARE = f"({_BARE})"
    EITHER = rf'"?((?<="){_STRING}(?=")|(?<!"){_BARE}(?!"))"?'
    """Quotes on both sides or on none."""
    NULLABLE = rf'("{_STRING}"|{_BARE}|null)'
    """With its quotes, so that null is told from "null"."""
    UNWANTED = rf'(?:"{_STRING}"|{_BARE}|null)'


class Shape:
    """The rows of all records that are written like the ones it was learned from."""

    def __init__(
        self, gaps: Sequence[str], keys: Sequence[str], kinds: Sequence[Kind], sources: Sequence[str]
    ) -> None:
        values = "".join(re.escape(gap) + kind.value for gap, kind in zip(gaps, kinds, strict=False))
        record = values + re.escape(gaps[-1])
        self._line = re.compile(rf"^(?:{record}[ \t\r]*+\n|.*\n)", re.MULTILINE)
        self._element = re.compile(rf"{record}{_BLANK},{_BLANK}(?=[^\],])")
        wanted = [(key, kind) for key, kind in zip(keys, kinds, strict=True) if kind is not Kind.UNWANTED]
        self._nothing = ("",) * len(wanted)
        self._nullable = [number for number, (_, kind) in enumerate(wanted) if kind is Kind.NULLABLE]
        groups = {key: number for number, (key, _) in enumerate(wanted)}
        self._columns = [groups.get(source) for source in sources]
        self._is_direct = self._columns == list(range(len(wanted))) and not self._nullable

    def lines(self, text: str) -> tuple[Rows, list[int]]:
        """A row for each line of the text, which ends with a line feed; and which of the rows mean nothing.

        Those lines have another shape, or no text in any value.
        """
        # Each match begins where a line does and ends where it ends, since neither strings nor gaps hold a line feed.
        found = self._found(self._line.findall(text))
        missed: list[int] = []
        if self._nothing in found:
            missed = [position for position, values in enumerate(found) if values == self._nothing]
            if len(missed) == len(found):
                return [()] * len(found), missed
        return self._rows(found, text), missed

    def run(self, text: str, position: int) -> tuple[Rows, list[int], int]:
        """Rows of the array's elements from `position` on, where each starts, and where it went no further.

        Each is followed by a comma and the beginning of the next element, and goes no further than that.
        """
        # A scanner (as re.Scanner uses it) matches again and again, always where the last match ended.
        matches = list(iter(self._element.scanner(text, position).match, None))  # type: ignore[attr-defined]
        if not matches:
            return [], [], position
        starts = list(map(_fetch_start, matches))
        return self._rows(list(map(_fetch_groups, matches)), text), starts, matches[-1].end()

    def _found(self, found: list[Any]) -> list[tuple[str, ...]]:
        return found if len(self._nothing) > 1 else list(zip(found, strict=True))

    def _rows(self, found: list[tuple[str, ...]], text: str) -> Rows:
        has_escapes = "\\" in text
        if self._is_direct and not has_escapes:
            return found  # type: ignore[return-value]  # only read
        columns: list[Sequence[Value]] = list(zip(*found, strict=True))
        for number in self._nullable:
            columns[number] = list(map(_bare, columns[number]))
        if has_escapes:
            columns = list(map(_unescaped, columns))
        nothing = (None,) * len(found)
        return list(
            zip(*(nothing if number is None else columns[number] for number in self._columns), strict=True)
        )


class Shapes:
    """Learns the shape of a file's records, and learns anew when it changes."""

    def __init__(self, definition: Definition) -> None:
        self.shape: Shape | None = None
        self._sources = tuple(field.source for field in definition.fields)
        self._strict = definition.unknown_fields is UnknownFields.REJECT
        self._sample: list[str] = []
        self._needed = SAMPLE
        self._hits = self._misses = 0

    def offer(self, texts: Sequence[str], hits: int) -> None:
        """Note that `hits` records had the shape, and others had these texts."""
        self._hits += hits
        self._misses += len(texts)
        if self.shape and 4 * self._misses <= self._hits + self._misses:
            if self._hits > _REVIEW:
                self._forget()
            return
        self._sample += [text for text in texts[-SAMPLE:] if len(text) <= _MAX_TEXT_CHARS]
        del self._sample[:-SAMPLE]
        if self._misses >= self._needed:
            self.shape = learn(self._sample, self._sources, strict=self._strict)
            # Where records have no shape in common, looking for it must not cost much.
            self._needed = min(2 * self._needed, _MAX_WAIT)
            self._forget()

    def _forget(self) -> None:
        self._hits = self._misses = 0
        self._sample = []


@dataclass(frozen=True, slots=True)
class _Written:
    """How one record is written: what stands before each value and after the last; and its values' kinds."""

    gaps: tuple[str, ...]
    keys: tuple[str, ...]
    kinds: tuple[Kind, ...]
    """STRING, BARE, or NULLABLE for null."""


def learn(texts: Sequence[str], sources: Sequence[str], *, strict: bool) -> Shape | None:
    """The shape of at least half of these records; None where there is none, or nothing to gain."""
    written = [found for found in map(_written, texts) if found]
    ((gaps, count),) = Counter(found.gaps for found in written).most_common(1) or (((), 0),)
    if count < _COMMON * len(texts) or count == 0:
        return None
    alike = [found for found in written if found.gaps == gaps]
    keys = alike[0].keys
    is_known = set(sources).issuperset(keys)
    if set(sources).isdisjoint(keys) or len(set(keys)) < len(keys) or (strict and not is_known):
        return None
    nulls = sum(Kind.NULLABLE in found.kinds for found in alike) > _MANY_NULLS * count
    kinds = [
        _kind(set(column), nulls=nulls) for column in zip(*(found.kinds for found in alike), strict=True)
    ]
    wanted = [kind if key in sources else Kind.UNWANTED for key, kind in zip(keys, kinds, strict=True)]
    return Shape(gaps, keys, wanted, sources)


def _kind(seen: set[Kind], *, nulls: bool) -> Kind:
    if Kind.NULLABLE in seen and (nulls or len(seen) == 1):
        return Kind.NULLABLE
    seen -= {Kind.NULLABLE}
    return seen.pop() if len(seen) == 1 else Kind.EITHER


def _written(text: str) -> _Written | None:
    """None unless it is a flat object."""
    gaps, keys, kinds = [], [], []
    end, position = 0, 1
    while text[:1] == "{" and (pair := _PAIR.match(text, position)):
        key, string, bare, after = pair.groups()
        value_start = pair.start(2) if string else pair.start(3) if bare else pair.end() - len("null")
        gaps.append(text[end:value_start])
        keys.append(_scan(f'"{key}"', 0)[0])
        kinds.append(Kind.STRING if string else Kind.BARE if bare else Kind.NULLABLE)
        end = pair.end()
        position = pair.start(4) + 1
        if after == "}":
            is_whole = position == len(text) and len(keys) <= _MAX_KEYS
            return _Written((*gaps, text[end:]), tuple(keys), tuple(kinds)) if is_whole else None
    return None


def _bare(text: Value) -> Value:
    """A nullable value without the quotes that were caught with it, not yet unescaped."""
    return None if text == "null" else text[1:-1] if text[:1] == '"' else text  # type: ignore[index]


def _unescaped(column: Sequence[Value]) -> Sequence[Value]:
    """Strings decoded; nothing else holds a backslash."""
    if "\\" not in "".join(filter(None, column)):  # type: ignore[arg-type]  # all are texts
        return column
    return [_scan(f'"{text}"', 0)[0] if text and "\\" in text else text for text in column]  # type: ignore[operator]
