"""What the types have in common whose values have an order: INTEGER, NUMBER, DATE, DATETIME."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import field_validator
from pydantic_core import CoreSchema

from tasks.pipeline.fields.any_field import AnyField, Scalar
from tasks.pipeline.fields.steps import Check, Refusal
from tasks.pipeline.record import RecordErrorCode


class BoundedField(AnyField):
    """A field with a least and a greatest value, both of them allowed. They are kept as they were given."""

    min: Scalar | None = None
    max: Scalar | None = None

    @classmethod
    def bound(cls, option: Any) -> Any:
        """`min` or `max` as a value that compares. Raises ValueError in a partner's words."""
        raise NotImplementedError

    @field_validator("min", "max")
    @classmethod
    def _bound_is_of_this_type(cls, option: Any) -> Any:
        if option is not None:
            cls.bound(option)
        return option

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """(option, message) of each option that contradicts another one of this field."""
        yield from super().contradictions()
        if self.min is not None and self.max is not None and self.bound(self.min) > self.bound(self.max):
            yield "max", "max must not be less than min."

    def bound_checks(self) -> Iterator[Check]:
        """What min and max ask of the canonical text."""
        if self.min is not None:
            refusal = Refusal(RecordErrorCode.TOO_SMALL, f"Expected a value of {self.min} or more.")
            yield self.at_least(self.bound(self.min), refusal)
        if self.max is not None:
            refusal = Refusal(RecordErrorCode.TOO_LARGE, f"Expected a value of {self.max} or less.")
            yield self.at_most(self.bound(self.max), refusal)

    @property
    def is_just_not_negative(self) -> bool:
        """Whether a least number of 0 is all that is asked: then numbers without a sign are within the bounds."""
        return self.max is None and self.min is not None and bool(self.bound(self.min) == 0)

    def bounds_left(self) -> Iterable[Check]:
        """None where the pattern allows no sign and that is enough."""
        return () if self.is_just_not_negative else self.bound_checks()

    def at_least(self, bound: Any, refusal: Refusal) -> Check:
        """The check of a canonical text against the least value."""
        return Check(self.value_schema(ge=bound), refusal)

    def at_most(self, bound: Any, refusal: Refusal) -> Check:
        """The check of a canonical text against the greatest value."""
        return Check(self.value_schema(le=bound), refusal)

    @staticmethod
    def value_schema(*, ge: Any = None, le: Any = None) -> CoreSchema:
        """The pydantic-core schema that reads a canonical text and compares it."""
        raise NotImplementedError
