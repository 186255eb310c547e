"""NUMBER: a decimal number, exact to its last digit; it never goes through a float.

Sign, digits, one point (`.5` and `5.` will do) and an exponent. At most 1,000 digits; without its sign a number is 0, or
from 10^-308 to 10^308. What is loaded keeps every digit that was written: `0.10` stays `0.10`, `+007e+2` is `7e2`.
"""

import re
from decimal import Decimal
from typing import Any, Literal

from pydantic_core import CoreSchema, core_schema

from tasks.pipeline.fields.any_field import scalar_text
from tasks.pipeline.fields.bounded import BoundedField
from tasks.pipeline.fields.steps import Check, Conversion, Refusal
from tasks.pipeline.record import RecordErrorCode

MAX_DIGITS = 1_000
MAX_EXPONENT = 308

# In so few digits no number leaves the range.
_CERTAIN_FROM_ZERO = "(?:0|[1-9][0-9]{0,99})(?:[.][0-9]{1,99})?"
_CERTAIN = f"-?{_CERTAIN_FROM_ZERO}"
_GRAMMAR = re.compile("([+-]?)([0-9]*)(?:[.]([0-9]*))?(?:[eE]([+-]?)([0-9]+))?")
_INVALID = Refusal(
    RecordErrorCode.INVALID_NUMBER,
    "Expected a number such as 12, -0.5 or 1.2e3, with a point before the decimals.",
)
_OUT_OF_RANGE = Refusal(
    RecordErrorCode.OUT_OF_RANGE,
    f"Expected a number of at most {MAX_DIGITS:,} digits and of a size between 10^-{MAX_EXPONENT} and 10^{MAX_EXPONENT}.",
)


class NumberField(BoundedField):
    """A decimal number, loaded as a JSON number with all its digits."""

    quoted = False
    type: Literal["NUMBER"]

    def conversion(self) -> Conversion:
        """From the text in the file to the same number as JSON writes it."""
        return Conversion(exact_number)

    def certain_pattern(self) -> str:
        """Digits as they are written out, without an exponent."""
        return _CERTAIN_FROM_ZERO if self.is_just_not_negative else _CERTAIN

    @classmethod
    def bound(cls, option: Any) -> Decimal:
        """`min` or `max` as a value that compares. Raises ValueError in a partner's words."""
        return decimal_bound(option)

    @staticmethod
    def value_schema(*, ge: Decimal | None = None, le: Decimal | None = None) -> CoreSchema:
        """The pydantic-core schema that reads a canonical text and compares it."""
        return core_schema.decimal_schema(ge=ge, le=le)

    # Rounding to a float keeps the order: where the rounded numbers differ, the exact ones differ the same way. So
    # floats decide all but the closest cases, and what they leave open is compared as decimals.

    def at_least(self, bound: Decimal, refusal: Refusal) -> Check:
        """The check of a canonical text against the least value."""
        return Check(self.value_schema(ge=bound), refusal, certain=core_schema.float_schema(gt=float(bound)))

    def at_most(self, bound: Decimal, refusal: Refusal) -> Check:
        """The check of a canonical text against the greatest value."""
        return Check(self.value_schema(le=bound), refusal, certain=core_schema.float_schema(lt=float(bound)))


def decimal_bound(option: str | float) -> Decimal:
    """A schema's `min` or `max` as an exact number. Raises ValueError in a partner's words."""
    text = _INVALID if isinstance(option, bool) else exact_number(scalar_text(option))
    if isinstance(text, Refusal):
        raise ValueError(text.message)  # noqa: TRY004
    return Decimal(text)


def exact_number(text: str) -> str | Refusal:
    """The canonical text of any number in range. Never writes an exponent out: `1e999999999` costs nothing."""
    found = _GRAMMAR.fullmatch(text)
    if not found or not (found[2] or found[3]):
        return _INVALID
    sign, whole, fraction = found[1].replace("+", ""), found[2].lstrip("0"), found[3] or ""
    if len(whole) + len(fraction) > MAX_DIGITS:
        return _OUT_OF_RANGE
    mantissa = f"{sign}{whole or '0'}{'.' if fraction else ''}{fraction}"
    if found[5] is None:
        return mantissa if _in_range(whole, fraction, 0) else _OUT_OF_RANGE
    return _with_exponent(mantissa, whole, fraction, found[4], found[5].lstrip("0"))


def _with_exponent(mantissa: str, whole: str, fraction: str, sign: str, digits: str) -> str | Refusal:
    if not (whole + fraction).strip("0"):
        return mantissa  # zero, whatever its exponent
    if len(digits) > len(str(MAX_DIGITS + MAX_EXPONENT)):
        return _OUT_OF_RANGE
    exponent = int(f"{sign}{digits or 0}")
    return f"{mantissa}e{exponent}" if _in_range(whole, fraction, exponent) else _OUT_OF_RANGE


def _in_range(whole: str, fraction: str, exponent: int) -> bool:
    """Whether a number without its sign is 0, or from 10^-308 to 10^308."""
    significant = (whole + fraction).lstrip("0")
    first = len(significant) - len(fraction) - 1 + exponent
    if first == MAX_EXPONENT:
        return not significant[1:].strip("0") and significant[:1] in ("", "1")
    return not significant or -MAX_EXPONENT <= first < MAX_EXPONENT
