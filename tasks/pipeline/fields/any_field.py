"""What every field of a record schema has, whatever its type."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainValidator,
    StrictBool,
    StrictStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, SchemaError, SchemaValidator, core_schema

from tasks.pipeline.fields.certain import MAX_CHOICES_CHARS, Certain
from tasks.pipeline.fields.disagreement import disagreement
from tasks.pipeline.fields.pattern_size import MAX_PATTERN_KILOBYTES, kilobytes
from tasks.pipeline.fields.steps import Check, Conversion, Refusal, Steps
from tasks.pipeline.record import RecordErrorCode

MAX_NAME_CHARS = 200
MAX_SOURCE_CHARS = 1_000
MAX_PATTERN_CHARS = 2_000
_MAX_INT64 = 2**63 - 1
_MAX_INT_BITS = 4_096
_SHOWN_CHOICES = 10
_SHOWN_CHARS = 200
_REASON_PREFIX = re.compile("^ *(?:SchemaError: |error: )*")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("A name needs at least one visible character.")
    return text


def _scalar(value: Any) -> Any:
    """`value` where it is a JSON text, number or boolean. Numbers beyond 64 bits become their text."""
    if not isinstance(value, str | int | float):
        raise ValueError("This must be one plain value: a text, a number, or true or false.")  # noqa: TRY004
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("This must be a finite number.")
    if isinstance(value, int) and value.bit_length() > _MAX_INT_BITS:
        raise ValueError("This number is too large.")
    if isinstance(value, int) and abs(value) > _MAX_INT64:
        return str(value)
    return value


Name = Annotated[
    StrictStr, StringConstraints(min_length=1, max_length=MAX_NAME_CHARS), AfterValidator(_not_blank)
]
Scalar = Annotated[str | int | float | bool, PlainValidator(_scalar)]


def scalar_text(value: str | float | bool) -> str:
    """The text that stands for a JSON scalar, as it would stand in a file: 5, 0.1, true."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class AnyField(BaseModel):
    """One field: where it is in the file, what it must be, and what it is called in the loaded record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quoted: ClassVar[bool] = True
    """Whether the JSON of a value is a string."""

    name: Name
    source: Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_SOURCE_CHARS)]
    type: str
    required: StrictBool = True
    default: Scalar | None = None
    null_values: tuple[StrictStr, ...] = ("",)
    trim: StrictBool = True
    enum: tuple[StrictStr, ...] | None = None
    pattern: Annotated[StrictStr, StringConstraints(max_length=MAX_PATTERN_CHARS)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _source_is_name(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "source" in data:
            return data
        name = data.get("name")
        # Where the name itself is at fault, that is told once: any source will do.
        return {**data, "source": name if isinstance(name, str) and name else "name"}

    @field_validator("enum")
    @classmethod
    def _enum_has_choices(cls, enum: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if enum is not None and not enum:
            raise ValueError("An enum needs at least one choice. Leave it out to allow every value.")
        return enum

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None and kilobytes(pattern) > MAX_PATTERN_KILOBYTES:
            raise ValueError(
                "This pattern is too large once its repetitions are written out. Leave lengths to minLength and maxLength, "
                "or write [A-Za-z0-9_] for \\w where that is meant."
            )
        # Alone first: a stray parenthesis must not be healed by the ones around it.
        for candidate in () if pattern is None else (pattern, _whole(pattern)):
            if error := _fault(candidate):
                reason = _REASON_PREFIX.sub("", str(error).strip().splitlines()[-1]).rstrip(".")
                raise PydanticCustomError("pattern", "{reason}", {"reason": reason[:_SHOWN_CHARS]})
        return pattern

    @model_validator(mode="after")
    def _options_agree(self) -> Self:
        problems = [*self.contradictions(), *self._enum_misfit()] or list(self._default_misfit())
        if problems:
            raise disagreement(problems)
        return self

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """(option, message) of each option that contradicts another one of this field."""
        return ()

    def _enum_misfit(self) -> Iterator[tuple[str, str]]:
        """A choice that is no value of the field's type could never be met."""
        convert = Steps(self.conversion(), tuple(self.grammar_checks()), ())
        _, refusals = convert(list(self.enum or ()))
        for position, refusal in sorted(refusals.items())[:1]:
            choice = (self.enum or ())[position][:_SHOWN_CHARS]
            yield "enum", f"The choice {choice!r} is no value of this type. {refusal.message}"

    def _default_misfit(self) -> Iterator[tuple[str, str]]:
        if self.default is not None:
            _, refusals = self.steps()([scalar_text(self.default)])
            for refusal in refusals.values():
                yield "default", f"The default does not fit the field's own rules. {refusal.message}"

    @property
    def default_text(self) -> str | None:
        """The default as it would stand in a file; None when there is none."""
        return None if self.default is None else scalar_text(self.default)

    def steps(self) -> Steps:
        """What is asked of each present value: convert, enum, length, pattern, min and max."""
        steps = Steps(self.conversion(), tuple(self._text_checks()), tuple(self.bound_checks()))
        pattern = self.certain_pattern()
        if pattern is None:
            return steps
        left = (*self.length_checks(), *self._pattern_check(), *self.bounds_left())
        if self.enum is None:
            return replace(steps, certain=Certain(pattern), left=left)
        if sum(map(len, self.enum)) > MAX_CHOICES_CHARS:
            return replace(steps, certain=Certain(pattern), left=(*self._enum_check(), *left))
        return replace(steps, certain=_certain_choices(self.enum, Certain(pattern), steps))

    def conversion(self) -> Conversion | None:
        """From the text in the file to the canonical text; None when they are the same."""
        return None

    def grammar_checks(self) -> Iterable[Check]:
        """What a text must look like where it is loaded as it is; a step of converting."""
        return ()

    def certain_pattern(self) -> str | None:
        """Matches texts that are canonical as they stand, of which nothing is asked but what is left; see `Certain`."""
        return None

    def bounds_left(self) -> Iterable[Check]:
        """The bound checks that `certain_pattern` does not imply."""
        return self.bound_checks()

    def length_checks(self) -> Iterable[Check]:
        """What minLength and maxLength ask."""
        return ()

    def bound_checks(self) -> Iterable[Check]:
        """What min and max ask of the canonical text."""
        return ()

    def _text_checks(self) -> Iterator[Check]:
        yield from self.grammar_checks()
        yield from self._enum_check()
        yield from self.length_checks()
        yield from self._pattern_check()

    def _enum_check(self) -> Iterator[Check]:
        if self.enum is not None:
            refusal = Refusal(RecordErrorCode.NOT_IN_ENUM, f"Expected one of: {_choices(self.enum)}.")
            yield Check(core_schema.literal_schema(list(self.enum)), refusal)

    def _pattern_check(self) -> Iterator[Check]:
        if self.pattern is not None:
            refusal = Refusal(
                RecordErrorCode.PATTERN_MISMATCH,
                f"Expected a value that matches the pattern {self.pattern[:_SHOWN_CHARS]}",
            )
            yield Check(core_schema.str_schema(pattern=_whole(self.pattern)), refusal)


def _certain_choices(enum: tuple[str, ...], certain: Certain, steps: Steps) -> Certain | None:
    """The choices of an enum that keep every other rule, too, and are canonical."""
    choices = list(certain.matching(enum))
    _, refusals = steps.exact([*choices])
    kept = [re.escape(choice) for position, choice in enumerate(choices) if position not in refusals]
    return Certain("|".join(kept)) if kept else None


def _whole(pattern: str) -> str:
    """Matches whole values only. A line break ends a comment at the end of a pattern with the flag `x`."""
    whole = f"^(?:{pattern})$"
    return f"^(?:{pattern}\n)$" if _fault(whole) and not _fault(pattern) else whole


@lru_cache(maxsize=256)
def _fault(pattern: str) -> SchemaError | None:
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError as error:
        return error
    return None


def _choices(enum: tuple[str, ...]) -> str:
    shown = ", ".join(enum[:_SHOWN_CHOICES])[:_SHOWN_CHARS]
    more = len(enum) - _SHOWN_CHOICES
    return f"{shown} and {more} more" if more > 0 else shown
