"""The schema language: what a partner's file looks like. `define` parses it and refuses what makes no sense."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic import Field as Parsed
from pydantic_core import ErrorDetails

from tasks.pipeline.copy_text import is_storable
from tasks.pipeline.errors import DefinitionError, DefinitionProblem
from tasks.pipeline.fields import Field
from tasks.pipeline.fields.any_field import MAX_SOURCE_CHARS
from tasks.pipeline.fields.disagreement import disagreement
from tasks.pipeline.fields.pattern_size import MAX_SCHEMA_KILOBYTES, kilobytes

MAX_FIELDS = 1_000

_ENCODINGS = {
    "utf-8": ("utf8", "utf-8-sig"),
    "utf-16": ("utf16",),
    "iso-8859-1": ("iso8859-1", "latin-1", "latin1"),
    "windows-1252": ("cp1252", "cp-1252"),
}
_CANONICAL = {alias: name for name, aliases in _ENCODINGS.items() for alias in (name, *aliases)}


class UnknownFields(StrEnum):
    """What becomes of a record that has keys or columns which the schema does not name."""

    IGNORE = "IGNORE"
    REJECT = "REJECT"


def _one_character(text: str) -> str:
    if len(text) != 1 or text in "\r\n":
        raise ValueError("This must be exactly one character, and not a line break.")
    return text


def _one_character_or_none(text: str) -> str:
    return text and _one_character(text)


def _known_encoding(text: str) -> str:
    name = _CANONICAL.get(text.strip().lower().replace("_", "-"))
    if name is None:
        raise ValueError(
            f"This encoding is not supported. Use one of {', '.join(_ENCODINGS)}, or leave it out."
        )
    return name


def _without_empty_steps(path: str) -> str:
    if not all(path.split(".")):
        raise ValueError("This path has an empty step: write it like data.orders, without a dot at its ends.")
    return path


def _counted(fields: Any) -> Any:
    # Before the fields are parsed: pydantic counts those alone that parse.
    if isinstance(fields, list) and not 1 <= len(fields) <= MAX_FIELDS:
        raise ValueError(f"A schema needs 1 to {MAX_FIELDS:,} fields.")
    return fields


def _not_too_large(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    if sum(kilobytes(field.pattern) for field in fields if field.pattern) > MAX_SCHEMA_KILOBYTES:
        raise ValueError(
            "The patterns of this schema are too large together. Simplify some, or leave them out."
        )
    return fields


Character = Annotated[StrictStr, AfterValidator(_one_character)]


class Csv(BaseModel):
    """How a CSV or TSV file is written, where it differs from what is detected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delimiter: Character | None = None
    quote: Annotated[StrictStr, AfterValidator(_one_character_or_none)] = '"'
    """Empty: quotes mean nothing."""
    escape: Character | None = None
    """None: a quote is doubled."""
    skip_lines: Annotated[StrictInt, Parsed(ge=0)] = 0
    """Lines before the header."""
    header: StrictBool = True
    """False: the sources are column numbers, "1", "2", …"""
    comment: Character | None = None
    """Lines that begin with it are skipped."""

    @field_validator("escape")
    @classmethod
    def _quote_escapes_by_doubling(cls, escape: str | None, info: ValidationInfo) -> str | None:
        return None if escape == info.data.get("quote") else escape

    @model_validator(mode="after")
    def _characters_differ(self) -> Self:
        roles: dict[str, str] = {}
        problems = []
        for option in ("delimiter", "quote", "escape", "comment"):
            character = getattr(self, option)
            if character and character in roles:
                problems.append((option, f"This must not be the same character as the {roles[character]}."))
            elif character:
                roles[character] = option
        if problems:
            raise disagreement(problems)
        return self


class Definition(BaseModel):
    """A parsed record schema. Fields keep the order in which they were given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: Annotated[tuple[Field, ...], BeforeValidator(_counted), AfterValidator(_not_too_large)]
    record_path: (
        Annotated[
            StrictStr,
            StringConstraints(min_length=1, max_length=MAX_SOURCE_CHARS),
            AfterValidator(_without_empty_steps),
        ]
        | None
    ) = None
    """JSON: the dotted path of the array; XML: the record's element name."""
    unknown_fields: UnknownFields = UnknownFields.IGNORE
    encoding: Annotated[StrictStr, AfterValidator(_known_encoding)] | None = None
    """utf-8, utf-16, iso-8859-1 or windows-1252; None: detected."""
    csv: Csv = Csv()


def define(data: Mapping[str, Any]) -> Definition:
    """Parses a schema in the contract's words (snake_case keys; None counts as left out).

    Raises DefinitionError with every problem found, each with its path, such as `("fields", 0, "pattern")`.
    `define(definition.model_dump(mode="json")) == definition`.
    """
    given = _without_none(data)
    problems = [*_unstorable(given), *_same_names(given)]
    try:
        definition = Definition.model_validate(given)
    except ValidationError as error:
        problems += map(_problem, error.errors(include_url=False))
        raise DefinitionError(_first_per_path(problems)) from None
    if problems:
        raise DefinitionError(_first_per_path(problems))
    return definition


def _without_none(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_none(value) for key, value in data.items() if value is not None}
    return [_without_none(value) for value in data] if isinstance(data, list | tuple) else data


def _unstorable(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[DefinitionProblem]:
    if isinstance(data, str) and not is_storable(data):
        yield DefinitionProblem(
            path, "This holds a character that cannot be stored: NUL, or half of a surrogate pair."
        )
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _unstorable(value, (*path, key))
    elif isinstance(data, list):
        for position, value in enumerate(data):
            yield from _unstorable(value, (*path, position))


def _same_names(given: Mapping[str, Any]) -> Iterator[DefinitionProblem]:
    seen: dict[str, int] = {}
    for position, field in enumerate(_listed(given.get("fields"))):
        name = field.get("name") if isinstance(field, dict) else None
        if isinstance(name, str) and seen.setdefault(name, position) != position:
            yield DefinitionProblem(
                ("fields", position, "name"), f"Field {seen[name] + 1} has this name already."
            )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_MESSAGES = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such option here.",
    "string_type": "This must be a text.",
    "bool_type": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "list_type": "This must be a list.",
    "tuple_type": "This must be a list.",
    "string_too_short": "This must not be empty.",
    "string_too_long": "This must have at most {max_length} characters.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "model_attributes_type": "This must be an object of options.",
    "model_type": "This must be an object of options.",
    "enum": "This must be one of {expected}.",
    "union_tag_invalid": "This must be one of {expected_tags}.",
    "union_tag_not_found": "This is required.",
    "value_error": "{error}",
    "disagreement": "{reason}",
    "pattern": "This pattern cannot be used: {reason}.",
}
"""pydantic's error types in a partner's words."""


def _problem(error: ErrorDetails) -> DefinitionProblem:
    kind, path = error["type"], error["loc"]
    if kind.startswith("union_tag"):
        path = (*path, "type")
    elif len(path) > 2 and path[0] == "fields":
        path = (*path[:2], *path[3:])  # pydantic names the field's type after its position
    template = _MESSAGES.get(kind)
    return DefinitionProblem(path, template.format(**error.get("ctx", {})) if template else error["msg"])


def _first_per_path(problems: Iterable[DefinitionProblem]) -> list[DefinitionProblem]:
    first: dict[tuple[str | int, ...], DefinitionProblem] = {}
    for problem in problems:
        first.setdefault(problem.path, problem)
    return list(first.values())
