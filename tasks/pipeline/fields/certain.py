"""What a field is sure to accept as it stands: a pattern, tried on a whole block of values in one call into Rust.

It spares nearly every value a look of its own. A value that it does not match is in doubt, no more than that.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from tasks.pipeline.record import MAX_VALUE_CHARS, Value

Column = list[str | None]
"""Texts, and None where there is nothing to decide."""

BLOCK = 32
"""Values. Fewer cost more calls, and more have a bad value among them more often: at 2 % bad this is the best."""

PLAIN = r'[^"\\\x00-\x1f]'
"""A character that stands for itself in JSON and in COPY."""
PLAIN_EDGE = r'[^\s"\\\x00-\x1f]'
"""Such a character that nobody trims."""

MAX_CHOICES_CHARS = 2_000
"""Choices of one field together: as a pattern they take some 300 times their size, and the engine takes 10 MiB at most."""

_BLOCKS_TO_GIVE_UP = 4


class Certain:
    r"""The texts that match a pattern are canonical: nothing to trim, convert or escape in them.

    The pattern never matches a line break, an unpaired quote or a backslash, and takes linear time, as all of Rust's do.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._values = column_validator(core_schema.str_schema(pattern=f"^(?:{pattern})$"))

    def doubtful(self, column: Column) -> Sequence[int]:
        """The positions of a column whose texts do not match."""
        # Columns are alike throughout: when the first value is doubtful, most are, and finding each by way of a
        # ValidationError would cost more than to decide them all.
        first = next((text for text in column if text is not None), None)
        if failing(self._values, [first]):
            return [position for position, text in enumerate(column) if text is not None]
        return failing(self._values, column)

    def matching(self, texts: Iterable[str]) -> Iterator[str]:
        """Those that match."""
        return (text for text in texts if not failing(self._values, [text]))


class Blocks:
    """Tells which blocks of a column hold a value in doubt. Texts that stand for a missing value are none, unless they are
    too many."""

    def __init__(self, certain: Certain, nulls: Iterable[str]) -> None:
        nulls = frozenset(filter(_is_one_line, nulls))
        if sum(map(len, nulls)) > MAX_CHOICES_CHARS:
            nulls = frozenset()
        self._may_be_absent = "" in nulls
        choices = "|".join([f"(?:{certain.pattern})", *map(re.escape, nulls)])
        self._validator = SchemaValidator(core_schema.str_schema(pattern=f"^(?:(?:{choices})\n)*$"))

    def doubtful(self, column: Sequence[Value]) -> Sequence[int]:
        """Where those blocks begin; all of them where the first few are."""
        begins = range(0, len(column), BLOCK)
        first = begins[:_BLOCKS_TO_GIVE_UP]
        doubtful = [begin for begin in first if not self._is_certain(column[begin : begin + BLOCK])]
        if len(doubtful) == len(first):
            return begins
        rest = begins[_BLOCKS_TO_GIVE_UP:]
        doubtful += [begin for begin in rest if not self._is_certain(column[begin : begin + BLOCK])]
        return doubtful

    def _is_certain(self, block: Sequence[Value]) -> bool:
        try:
            text = "\n".join(block)  # type: ignore[arg-type]  # what is no text raises
        except TypeError:
            if not (None in block and self._may_be_absent):
                return False
            return self._is_certain([value or "" for value in block])
        if text.count("\n") >= len(block) or len(text) > MAX_VALUE_CHARS:
            return False
        return self._validator.isinstance_python(f"{text}\n")


def column_validator(schema: CoreSchema) -> SchemaValidator:
    """Validates all values of a column at once, for `failing`."""
    # Only the positions count: without messages of its own, pydantic would spell out an enum for every value.
    quiet = core_schema.custom_error_schema(schema, "refused", custom_error_message="refused")
    return SchemaValidator(core_schema.list_schema(core_schema.nullable_schema(quiet)))


def failing(validator: SchemaValidator, column: Column) -> list[int]:
    """The positions of the column that break the rule of a `column_validator`."""
    try:
        validator.validate_python(column)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return [int(detail["loc"][0]) for detail in details]
    return []


def _is_one_line(text: str) -> bool:
    return "\n" not in text
