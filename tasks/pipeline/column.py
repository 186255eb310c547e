"""One field's values in many records at once: from what stood in the file to JSON, or to a refusal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from json.encoder import encode_basestring
from typing import Any

from tasks.pipeline.copy_text import is_storable
from tasks.pipeline.fields import Field
from tasks.pipeline.fields.certain import BLOCK, Blocks, Column
from tasks.pipeline.fields.steps import Refusal, Refusals
from tasks.pipeline.record import MAX_VALUE_CHARS, NotScalar, RecordErrorCode, Value

_REQUIRED = Refusal(RecordErrorCode.REQUIRED, "A value is required here.")
_NOT_A_SCALAR = Refusal(
    RecordErrorCode.NOT_A_SCALAR, "Expected one plain value, not an object, a list or repeated elements."
)
_INVALID_CHARACTER = Refusal(
    RecordErrorCode.INVALID_CHARACTER,
    "Expected valid text: this holds a NUL or bytes that are not valid in the file's encoding.",
)
_VALUE_TOO_LONG = Refusal(
    RecordErrorCode.VALUE_TOO_LONG, f"Expected at most {MAX_VALUE_CHARS:,} characters in one value."
)


@dataclass(frozen=True, slots=True)
class Fragments:
    """The JSON of every value of a column; in a refused position it means nothing."""

    texts: list[str]
    quote: str = ""
    """What stands before and after each of them."""

    def in_full(self) -> "Fragments":
        """The same, with the quotes in the texts."""
        quote = self.quote
        return Fragments([f"{quote}{text}{quote}" for text in self.texts]) if quote else self


class ColumnValidator:
    """Decides all values of one field in a chunk.

    Blocks of values that are certain are canonical as they stand. The other blocks are decided step by step; every step
    looks at all of their values at once, in C or Rust, and at single ones only where something is wrong.
    """

    def __init__(self, field: Field) -> None:
        self._steps = field.steps()
        self._quote = '"' if field.quoted else ""
        self._encode: Callable[[str], str] = encode_basestring if field.quoted else str
        self._trim = field.trim
        self._nulls = frozenset(
            null for null in field.null_values if not (field.trim and null != null.strip())
        )
        self._absent = self._nulls | {None}
        self._missing = "null"
        if field.default_text is not None:
            self._missing = self._encode(self._steps([field.default_text])[0][0] or "")
        self._required = field.required and field.default_text is None
        self._blocks = None
        if certain := self._steps.certain:
            expected = () if self._required else self._nulls
            self._blocks = Blocks(certain, expected)
            self._may_be_null = bool(expected) or bool(list(certain.matching(self._nulls)))

    def __call__(self, column: Sequence[Value]) -> tuple[Fragments, Refusals]:
        """The JSON of every value, and the refused positions."""
        if self._blocks is None:
            return self.step_by_step(column)
        doubtful = self._blocks.doubtful(column)
        if len(doubtful) * BLOCK >= len(column):
            return self.step_by_step(column)
        fragments, refusals = self._take(column, doubtful)
        if not doubtful:
            return fragments, refusals
        blocks = (column[begin : begin + BLOCK] for begin in doubtful)
        decided, refused = self.step_by_step(list(chain.from_iterable(blocks)))
        # Only the last of all blocks may be shorter, and it is the last of these, too.
        refusals |= {doubtful[k // BLOCK] + k % BLOCK: refusal for k, refusal in refused.items()}
        return _merged(fragments, decided, doubtful), refusals

    def _take(self, column: Sequence[Any], doubtful: Sequence[int]) -> tuple[Fragments, Refusals]:
        """What `step_by_step` would say of a column that is certain. Of the doubtful blocks it says nothing that counts."""
        texts, has_nulls = list(column), self._may_be_null and not self._absent.isdisjoint(column)
        if has_nulls:
            texts = [None if text in self._absent else text for text in column]
        refusals = self._missing_from(texts) if has_nulls else {}
        if self._steps.left:
            refusals |= self._steps.refused_by_left(_without_blocks(texts, doubtful))
        return (self._with_nulls(texts) if has_nulls else Fragments(texts, self._quote)), refusals

    def _with_nulls(self, texts: Column) -> Fragments:
        quote = self._quote
        return Fragments([self._missing if text is None else f"{quote}{text}{quote}" for text in texts])

    def step_by_step(self, column: Sequence[Value]) -> tuple[Fragments, Refusals]:
        """The same without the short cut for what is certain."""
        look = _Look(column)
        texts, refusals = (look.texts, {}) if look.is_clean else _screened(column)
        texts = self._present(texts, is_tight=look.is_tight)
        missing = self._missing_from(texts)
        values, refused = self._steps(texts)
        return self._json(values, is_plain=look.is_plain), missing | refusals | refused

    def _present(self, texts: Column, *, is_tight: bool) -> Column:
        """The texts as they are decided: trimmed, and None where one stands for a missing value."""
        if self._trim and not is_tight:
            texts = _trimmed(texts)
        if self._nulls.isdisjoint(texts):
            return texts
        return [None if text in self._nulls else text for text in texts]

    def _missing_from(self, texts: Column) -> Refusals:
        if not self._required or None not in texts:
            return {}
        return dict.fromkeys((k for k, text in enumerate(texts) if text is None), _REQUIRED)

    def _json(self, values: Column, *, is_plain: bool) -> Fragments:
        if None in values:
            return Fragments([self._missing if value is None else self._encode(value) for value in values])
        if self._quote and not is_plain:
            return Fragments(list(map(encode_basestring, values)))  # type: ignore[arg-type]  # no None
        return Fragments(values, self._quote)  # type: ignore[arg-type]  # no None


def _merged(certain: Fragments, decided: Fragments, doubtful: Sequence[int]) -> Fragments:
    """The fragments of both, of which the latter are those of the blocks that begin there."""
    if certain.quote != decided.quote:
        certain, decided = certain.in_full(), decided.in_full()
    for number, begin in enumerate(doubtful):
        start = number * BLOCK
        certain.texts[begin : begin + BLOCK] = decided.texts[start : start + BLOCK]
    return certain


def _without_blocks(texts: Column, doubtful: Sequence[int]) -> Column:
    """The column with None in the blocks that begin there."""
    texts = texts.copy()
    for begin in doubtful:
        texts[begin : begin + BLOCK] = [None] * len(texts[begin : begin + BLOCK])
    return texts


def _trimmed(texts: Column) -> Column:
    """Without the white space around each text: all that Unicode calls so, no-break and control spaces included."""
    if None in texts:
        return [text and text.strip() for text in texts]
    return list(map(str.strip, texts))  # type: ignore[arg-type]  # no None


def _screened(column: Sequence[Value]) -> tuple[Column, Refusals]:
    """The texts of a column, and the positions whose value cannot be decided at all, whatever the field asks."""
    texts: Column = []
    refusals: Refusals = {}
    for position, value in enumerate(column):
        text, refusal = _screened_value(value)
        texts.append(text)
        if refusal:
            refusals[position] = refusal
    return texts, refusals


class _Look:
    """One look at all texts of a column together, joined: it spares a look at each."""

    def __init__(self, column: Sequence[Value]) -> None:
        self.texts: Column = []
        self.is_clean = self.is_tight = self.is_plain = False
        try:
            joined = "".join(filter(None, column))  # type: ignore[arg-type]  # a NotScalar raises
        except TypeError:
            return
        too_long = len(joined) > MAX_VALUE_CHARS and max(map(len, filter(None, column))) > MAX_VALUE_CHARS  # type: ignore[arg-type]
        self.is_clean = not too_long and is_storable(joined)
        """All are texts, or missing, that can be stored and are not too long."""
        if not self.is_clean:
            return
        self.texts.extend(column)  # type: ignore[arg-type]  # no NotScalar is clean
        self.is_tight = len(joined.split(maxsplit=1)) <= 1 and joined.strip() == joined
        """There is no white space anywhere: nothing to trim."""
        self.is_plain = joined.isprintable() and '"' not in joined and "\\" not in joined
        """Each is a JSON string as it stands, once it has quotes around it; what conversions make of them, too."""


def _screened_value(value: Value) -> tuple[str | None, Refusal | None]:
    if isinstance(value, NotScalar):
        return None, _NOT_A_SCALAR
    if value and not is_storable(value):
        return None, _INVALID_CHARACTER
    if value and len(value) > MAX_VALUE_CHARS:
        return None, _VALUE_TOO_LONG
    return value, None
