"""How one field decides a whole column of texts: each step is one call into pydantic-core for all values at once.

A column is a list of texts, None where there is nothing to decide. A refusal is what is wrong with one position.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from tasks.pipeline.record import RecordErrorCode

Column = list[str | None]


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
        self._validator = _column_validator(schema)
        self._certain = None if certain is None else _column_validator(certain)
        self._refusal = refusal

    def __call__(self, column: Column) -> Refusals:
        """The positions that break the rule."""
        if self._certain:
            column = _only(column, _failing(self._certain, column))
        return dict.fromkeys(_failing(self._validator, column), self._refusal)


class Conversion:
    """Turns texts into canonical texts: the value's own JSON, without quotes.

    A text that passes `certain` is canonical as it stands, at the speed of Rust. For every other text `exact` gives
    the canonical text or a refusal; it is asked once for each distinct text of a column.
    """

    def __init__(self, exact: Callable[[str], str | Refusal], *, certain: CoreSchema | None = None) -> None:
        self._exact = exact
        self._certain = None if certain is None else _column_validator(certain)

    def __call__(self, column: Column) -> tuple[Column, Refusals]:
        """The canonical column, and the positions that cannot be converted, whose text is left as it was."""
        doubtful = self._doubtful(column)
        if not doubtful:
            return column, {}
        decided = {text: self._exact(text) for text in {text for _, text in doubtful}}
        converted, refusals = column.copy(), {}
        for position, text in doubtful:
            outcome = decided[text]
            if isinstance(outcome, Refusal):
                refusals[position] = outcome
            else:
                converted[position] = outcome
        return converted, refusals

    def _doubtful(self, column: Column) -> list[tuple[int, str]]:
        if self._certain is None or self._begins_doubtful(self._certain, column):
            return [(position, text) for position, text in enumerate(column) if text is not None]
        return [(position, column[position] or "") for position in _failing(self._certain, column)]

    @staticmethod
    def _begins_doubtful(certain: SchemaValidator, column: Column) -> bool:
        # Columns are alike throughout: when the first value is doubtful, most are, and finding each by way of a
        # ValidationError would cost more than to decide them all.
        first = next((text for text in column if text is not None), None)
        return bool(_failing(certain, [first]))


@dataclass(frozen=True, slots=True)
class Steps:
    """Everything that one field asks of a present value, in order. A position gets its first refusal only."""

    conversion: Conversion | None
    text_checks: Iterable[Check]
    """Checks of the text as it stood in the file, trimmed."""
    value_checks: Iterable[Check]
    """Checks of the canonical text."""

    def __call__(self, texts: Column) -> tuple[Column, Refusals]:
        """The canonical column, and every refused position. What stands in a refused position means nothing."""
        values, refusals = self.conversion(texts) if self.conversion else (texts, {})
        for check in self.text_checks:
            refusals |= check(without(texts, refusals))
        for check in self.value_checks:
            refusals |= check(without(values, refusals))
        return values, refusals


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


def _column_validator(schema: CoreSchema) -> SchemaValidator:
    # Only the positions count: without messages of its own, pydantic would spell out an enum for every value.
    quiet = core_schema.custom_error_schema(schema, "refused", custom_error_message="refused")
    return SchemaValidator(core_schema.list_schema(core_schema.nullable_schema(quiet)))


def _failing(validator: SchemaValidator, column: Column) -> list[int]:
    try:
        validator.validate_python(column)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return [int(detail["loc"][0]) for detail in details]
    return []
