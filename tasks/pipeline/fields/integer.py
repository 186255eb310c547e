"""INTEGER: a whole number of 64 bits, written with a sign and digits only."""

import math
import re
from decimal import Decimal
from typing import Any, Literal

from pydantic_core import CoreSchema, core_schema

from tasks.pipeline.fields.bounded import BoundedField
from tasks.pipeline.fields.number import decimal_bound
from tasks.pipeline.fields.steps import Conversion, Refusal
from tasks.pipeline.record import RecordErrorCode

_CERTAIN = "0|-?[1-9][0-9]{0,17}"
_CERTAIN_FROM_ZERO = "0|[1-9][0-9]{0,17}"
_GRAMMAR = re.compile("([+-]?)([0-9]+)")
_MAX_DIGITS = 19
_LEAST, _GREATEST = -(2**63), 2**63 - 1
_INVALID = Refusal(
    RecordErrorCode.INVALID_INTEGER, "Expected a whole number such as 42 or -7, in digits only."
)
_OUT_OF_RANGE = Refusal(
    RecordErrorCode.OUT_OF_RANGE, f"Expected a whole number from {_LEAST} to {_GREATEST} (64 bits)."
)


class IntegerField(BoundedField):
    """A whole number, loaded as a JSON number."""

    quoted = False
    type: Literal["INTEGER"]

    def conversion(self) -> Conversion:
        """From the text in the file to the shortest digits."""
        return Conversion(exact_integer)

    def certain_pattern(self) -> str:
        """Digits as they are written out."""
        return _CERTAIN_FROM_ZERO if self.is_just_not_negative else _CERTAIN

    @classmethod
    def bound(cls, option: Any) -> Decimal:
        """`min` or `max` as a value that compares. Raises ValueError in a partner's words."""
        return decimal_bound(option)

    @staticmethod
    def value_schema(*, ge: Decimal | None = None, le: Decimal | None = None) -> CoreSchema:
        """The pydantic-core schema that reads a canonical text and compares it."""
        return core_schema.int_schema(
            ge=None if ge is None else math.ceil(ge), le=None if le is None else math.floor(le)
        )


def exact_integer(text: str) -> str | Refusal:
    """The canonical text of any whole number of 64 bits, however it is signed and padded."""
    found = _GRAMMAR.fullmatch(text)
    if not found:
        return _INVALID
    sign, digits = found[1], found[2].lstrip("0") or "0"
    if len(digits) > _MAX_DIGITS:  # int() has limits of its own
        return _OUT_OF_RANGE
    value = int(sign + digits)
    return str(value) if _LEAST <= value <= _GREATEST else _OUT_OF_RANGE
