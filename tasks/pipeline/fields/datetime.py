"""DATETIME: a date and time as RFC 3339 writes it, or in the field's `format`. Without a zone it is UTC.

`2026-03-31T14:25:36Z`: a space may stand for the T, both letters may be small, the zone may be `Z`, `+02:00` or left out;
the seconds may not. Fractions are kept to the microsecond, further digits are cut off.
"""

import re
from datetime import UTC, datetime, time
from typing import Any, Literal

from pydantic_core import CoreSchema, core_schema

from tasks.pipeline.fields.date import CERTAIN_DAY, iso_date
from tasks.pipeline.fields.moment import MomentField
from tasks.pipeline.fields.steps import Conversion, Refusal
from tasks.pipeline.fields.strptime import MAX_TEXT_CHARS, example, parsed
from tasks.pipeline.record import RecordErrorCode

_CERTAIN = rf"{CERTAIN_DAY}T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){{2}}(?:[.][0-9]{{1,6}})?Z"
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.]([0-9]+))?"
    r"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
_INVALID = Refusal(
    RecordErrorCode.INVALID_DATETIME,
    "Expected a date and time such as 2026-03-31T14:25:36Z or 2026-03-31T14:25:36+02:00.",
)
_OUT_OF_RANGE = Refusal(
    RecordErrorCode.OUT_OF_RANGE, "Expected a date and time of the years 1 to 9999 in UTC."
)


class DatetimeField(MomentField):
    """A point in time, loaded in UTC with a `Z`."""

    type: Literal["DATETIME"]

    def conversion(self) -> Conversion:
        """From the text in the file to RFC 3339 in UTC."""
        if self.format is None:
            return Conversion(exact_datetime)
        format, refusal = self.format, _other_format(self.format)

        def exact(text: str) -> str | Refusal:
            value = parsed(text, format) if len(text) <= MAX_TEXT_CHARS else None
            return refusal if value is None else _in_utc(value)

        return Conversion(exact)

    def certain_pattern(self) -> str | None:
        """RFC 3339 in UTC, with a T and a Z."""
        return _CERTAIN if self.format is None else None

    @classmethod
    def bound(cls, option: Any) -> datetime:
        """`min` or `max` as a value that compares; a date alone is its midnight. Raises ValueError in a partner's words."""
        canonical = exact_datetime(option) if isinstance(option, str) else _INVALID
        return (
            datetime.combine(iso_date(option), time(), UTC)
            if isinstance(canonical, Refusal)
            else datetime.fromisoformat(canonical)
        )

    @staticmethod
    def value_schema(*, ge: datetime | None = None, le: datetime | None = None) -> CoreSchema:
        """The pydantic-core schema that reads a canonical text and compares it."""
        return core_schema.datetime_schema(ge=ge, le=le)


def exact_datetime(text: str) -> str | Refusal:
    """The canonical text of any date and time that RFC 3339 allows, and of one without a zone."""
    found = _RFC_3339.fullmatch(text)
    if not found:
        return _INVALID
    day, clock, fraction, zone = found.groups()
    try:
        value = datetime.fromisoformat(f"{day}T{clock}{zone if zone and len(zone) > 1 else '+00:00'}")
    except ValueError:
        return _INVALID
    return _in_utc(value, (fraction or "")[:6])


def _in_utc(value: datetime, fraction: str = "") -> str | Refusal:
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        return _OUT_OF_RANGE
    text = moment.isoformat().removesuffix("+00:00")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def _other_format(format: str) -> Refusal:
    return Refusal(
        RecordErrorCode.INVALID_DATETIME,
        f"Expected a date and time in the format {format}, such as {example(format)}.",
    )
