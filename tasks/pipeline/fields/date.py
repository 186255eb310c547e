"""DATE: a day as YYYY-MM-DD, or in the field's `format`."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from pydantic_core import CoreSchema, core_schema

from tasks.pipeline.fields.moment import MomentField
from tasks.pipeline.fields.steps import Check, Conversion, Refusal
from tasks.pipeline.fields.strptime import MAX_TEXT_CHARS, example, parsed
from tasks.pipeline.record import RecordErrorCode

_ISO = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "[0-9]{2}(?:0[48]|[2468][048]|[13579][26])"
CERTAIN_DAY = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
"""Matches days of the years 1 to 9999, all but the leap days of full centuries."""
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INVALID = Refusal(RecordErrorCode.INVALID_DATE, "Expected a date as YYYY-MM-DD, such as 2026-03-31.")


class DateField(MomentField):
    """A day, loaded as `YYYY-MM-DD`."""

    type: Literal["DATE"]

    def grammar_checks(self) -> Iterator[Check]:
        """What a date must look like where no `format` says otherwise."""
        if self.format is None:
            # The pattern first: pydantic reads numbers as seconds since 1970.
            steps: list[CoreSchema] = [core_schema.str_schema(pattern=_ISO), core_schema.date_schema()]
            yield Check(core_schema.chain_schema(steps), _INVALID)

    def certain_pattern(self) -> str | None:
        """Every day of the calendar as ISO 8601 writes it."""
        return CERTAIN_DAY if self.format is None else None

    def conversion(self) -> Conversion | None:
        """From a date in `format` to `YYYY-MM-DD`."""
        if self.format is None:
            return None
        format, refusal = self.format, _other_format(self.format)

        def exact(text: str) -> str | Refusal:
            value = parsed(text, format) if len(text) <= MAX_TEXT_CHARS else None
            return refusal if value is None else value.date().isoformat()

        return Conversion(exact)

    @classmethod
    def bound(cls, option: Any) -> date:
        """`min` or `max` as a value that compares. Raises ValueError in a partner's words."""
        return iso_date(option)

    @staticmethod
    def value_schema(*, ge: date | None = None, le: date | None = None) -> CoreSchema:
        """The pydantic-core schema that reads a canonical text and compares it."""
        return core_schema.date_schema(ge=ge, le=le)


def iso_date(option: Any) -> date:
    """The day that a schema's `min` or `max` names. Raises ValueError in a partner's words."""
    try:
        if isinstance(option, str) and _DAY.fullmatch(option):
            return date.fromisoformat(option)
    except ValueError:
        pass
    raise ValueError("This must be a date as YYYY-MM-DD, such as 2026-03-31.")


def _other_format(format: str) -> Refusal:
    return Refusal(
        RecordErrorCode.INVALID_DATE, f"Expected a date in the format {format}, such as {example(format)}."
    )
