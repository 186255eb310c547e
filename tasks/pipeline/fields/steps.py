"""How one field decides a whole column of texts: each check is one call into pydantic-core for all values at once.

A refusal is what is wrong with one position.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pydantic_core import CoreSchema

from tasks.pipeline.fields.certain import Certain, Column, column_validator, failing
from tasks.pipeline.record import RecordErrorCode


class Refusal(NamedTuple):
    """Why a value is refused."""

    code: RecordErrorCode
    message: str
    """What was expected, in words a partner understands; it does not repeat the value."""


Refusals = dict[int, Refusal]
"""Position in the column -> why it is refused."""


class Check:
    """A rule that values keep or break; it changes none of them."""

    def __init__(self, schema: CoreSchema, refusal: Refusal, *, certain: CoreSchema | None = None) -> None:
        """`certain` is a cheaper schema; what passes it is sure to pass `schema`, too."""
        self._validator = column_validator(schema)
        self._certain = None if certain is None else column_validator(certain)
        self._refusal = refusal

    def __call__(self, column: Column) -> Refusals:
        """The positions that break the rule."""
        if self._certain:
            column = _only(column, failing(self._certain, column))
        return dict.fromkeys(failing(self._validator, column), self._refusal)


class Conversion:
    """Turns texts into canonical texts: the value's own JSON, without quotes."""

    def __init__(self, exact: Callable[[str], str | Refusal]) -> None:
        """`exact` gives the canonical text or a refusal; it is asked once for each distinct text of a column."""
        self._exact = exact

    def __call__(self, column: Column) -> tuple[Column, Refusals]:
        """The canonical column, and the positions that cannot be converted, whose text is left as it was."""
        decided = {text: self._exact(text) for text in set(column) if text is not None}
        converted, refusals = column.copy(), {}
        for position, text in enumerate(column):
            if text is None:
                continue
            outcome = decided[text]
            if isinstance(outcome, Refusal):
                refusals[position] = outcome
            else:
                converted[position] = outcome
        return converted, refusals


@dataclass(frozen=True, slots=True)
class Steps:
    """Everything that one field asks of a present value, in order. A position gets its first refusal only."""

    conversion: Conversion | None
    text_checks: tuple[Check, ...]
    """Checks of the text as it stood in the file, trimmed."""
    value_checks: tuple[Check, ...]
    """Checks of the canonical text."""
    certain: Certain | None = None
    """The texts that are canonical, and of which nothing is asked but what is `left`."""
    left: tuple[Check, ...] = ()

    def __call__(self, texts: Column) -> tuple[Column, Refusals]:
        """The canonical column, and every refused position. What stands in a refused position means nothing."""
        if self.certain is None or self._is_cheap:
            return self.exact(texts)
        doubtful = self.certain.doubtful(texts)
        values, refusals = self.exact([texts[position] for position in doubtful])
        canonical = texts.copy() if doubtful else texts
        for position, value in zip(doubtful, values, strict=True):
            canonical[position] = value
        refused = {doubtful[k]: refusal for k, refusal in refusals.items()}
        return canonical, refused | self.refused_by_left(without(texts, doubtful))

    @property
    def _is_cheap(self) -> bool:
        """Whether the exact way asks no more than what is left of the short cut."""
        return self.conversion is None and len(self.text_checks) == len(self.left)

    def exact(self, texts: Column) -> tuple[Column, Refusals]:
        """The same without the short cut."""
        values, refusals = self.conversion(texts) if self.conversion else (texts, {})
        refusals |= _refused(self.text_checks, without(texts, refusals))
        return values, refusals | _refused(self.value_checks, without(values, refusals))

    def refused_by_left(self, column: Column) -> Refusals:
        """The refusals of a column in which all texts are certain."""
        return _refused(self.left, column)


def _refused(checks: Iterable[Check], column: Column) -> Refusals:
    refusals: Refusals = {}
    for check in checks:
        refusals |= check(without(column, refusals))
    return refusals


def without(column: Column, positions: Collection[int]) -> Column:
    """The column with None at these positions."""
    if not positions:
        return column
    copy = column.copy()
    for position in positions:
        copy[position] = None
    return copy


def _only(column: Column, positions: Iterable[int]) -> Column:
    only: Column = [None] * len(column) if positions else []
    for position in positions:
        only[position] = column[position]
    return only
