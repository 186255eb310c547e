"""What the types have in common whose length can be limited: STRING, EMAIL, URL."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StrictInt
from pydantic_core import core_schema

from tasks.pipeline.fields.any_field import AnyField
from tasks.pipeline.fields.steps import Check, Refusal
from tasks.pipeline.record import RecordErrorCode

Length = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class TextField(AnyField):
    """A field whose value is a text. Lengths count characters (code points)."""

    min_length: Length | None = None
    max_length: Length | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """(option, message) of each option that contradicts another one of this field."""
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            yield "max_length", "maxLength must not be less than minLength."

    def length_checks(self) -> Iterator[Check]:
        """What minLength and maxLength ask."""
        if self.min_length is not None:
            refusal = Refusal(RecordErrorCode.TOO_SHORT, f"Expected at least {_characters(self.min_length)}.")
            yield Check(core_schema.str_schema(min_length=self.min_length), refusal)
        if self.max_length is not None:
            refusal = Refusal(RecordErrorCode.TOO_LONG, f"Expected at most {_characters(self.max_length)}.")
            yield Check(core_schema.str_schema(max_length=self.max_length), refusal)


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"
