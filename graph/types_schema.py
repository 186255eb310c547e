"""Record schemas: what a partner's file looks like."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON
from tortoise.queryset import QuerySet

import models
from graph import ids
from graph.connections import Connection, Keyset, Start, uuid, whole_number
from graph.context import Info
from graph.enums import FieldType
from graph.types import Node
from models.record_schema import MAX_NAME_CHARS
from tasks.pipeline.copy_text import is_storable
from tasks.pipeline.definition import UnknownFields

_Keyed = Sequence[tuple[tuple[Any, ...], "RecordSchema"]]


def _version(value: Any) -> int:
    """A part of a sort key that is a version. Raises ValueError."""
    if (version := whole_number(value)) >= 2**31:
        raise ValueError("more than its column holds")
    return version


def _name(value: Any) -> str:
    """A part of a sort key that is a name. Raises ValueError."""
    if not isinstance(value, str) or value != _sought(value):
        raise ValueError("not a name")
    return value


def _sought(name: str) -> str:
    """The name in a form that the database can look for: "", which no schema is called, for one that none can have."""
    return name if len(name) <= MAX_NAME_CHARS and is_storable(name) else ""


_RECORD_SCHEMAS = Keyset("recordSchemas", uuid)
_VERSIONS = Keyset("recordSchemas of a name", _version)
_LATEST = Keyset("recordSchemas of each name", _name)


@strawberry.type(description="How a CSV or TSV file is written.")
class Csv:
    """How a CSV or TSV file is written."""

    delimiter: str | None = strawberry.field(
        description="Between two values; null: found out from the header."
    )
    quote: str = strawberry.field(description='Around values; "" when quotes mean nothing.')
    escape: str | None = strawberry.field(
        description="Before a quote inside quotes; null: a quote is doubled."
    )
    skip_lines: int = strawberry.field(description="How many lines come before the header.")
    header: bool = strawberry.field(description='Whether there is a header; without, sources are "1", "2", …')
    comment: str | None = strawberry.field(description="Lines that begin with it are skipped.")


@strawberry.type(description="One field of a loaded record.")
class Field:
    """One field of a loaded record."""

    name: str = strawberry.field(description="The key in the loaded record.")
    source: str = strawberry.field(
        description="Where it is in the file: CSV header, JSON key or path, XML path."
    )
    type: FieldType = strawberry.field(description="What the text is converted to.")
    required: bool = strawberry.field(description="Whether a record without a value is rejected.")
    default: JSON | None = strawberry.field(description="Used when the value is missing.")
    null_values: list[str] = strawberry.field(description="Texts that mean: missing.")
    trim: bool = strawberry.field(description="Whether white space around the value is cut off.")
    min: JSON | None = strawberry.field(description="The smallest value allowed.")
    max: JSON | None = strawberry.field(description="The largest value allowed.")
    min_length: int | None = strawberry.field(description="The fewest characters allowed.")
    max_length: int | None = strawberry.field(description="The most characters allowed.")
    pattern: str | None = strawberry.field(
        description="A regular expression that must match the whole value."
    )
    enum: list[str] | None = strawberry.field(description="The values allowed.")
    format: str | None = strawberry.field(description="The strptime pattern of dates; null: ISO 8601.")

    @classmethod
    def of(cls, saved: dict[str, Any]) -> Self:
        """From a saved definition; a type has only some of the options."""
        return cls(
            name=saved["name"],
            source=saved["source"],
            type=FieldType(saved["type"]),
            required=saved["required"],
            default=saved["default"],
            null_values=saved["null_values"],
            trim=saved["trim"],
            **{option: saved.get(option) for option in _TYPE_OPTIONS},
        )


_TYPE_OPTIONS = ("min", "max", "min_length", "max_length", "pattern", "enum", "format")


@strawberry.type(description="One version of what a partner's file looks like. It never changes.")
class RecordSchema(Node):
    """One version of what a partner's file looks like."""

    name: str = strawberry.field(description="The partner's name for it; versions share it.")
    version: int = strawberry.field(description="1 for the first one of this name, then 2, …")
    saved_fields: strawberry.Private[list[dict[str, Any]]]
    record_path: str | None = strawberry.field(
        description="JSON: the path of the array; XML: the record's element name; null: at the top."
    )
    unknown_fields: UnknownFields = strawberry.field(description="What becomes of keys that no field names.")
    encoding: str | None = strawberry.field(
        description="The files' encoding; null: UTF-8, or UTF-16 by its mark."
    )
    csv: Csv | None = strawberry.field(description="How CSV and TSV files are written.")
    created_at: datetime = strawberry.field(description="When this version was saved.")

    @strawberry.field(description="The fields of a loaded record, in order.")
    async def fields(self, info: Info) -> list[Field]:
        """One schema's after the other's: giving a thousand fields takes a while, and others wait meanwhile."""
        async with info.context.turn:
            await asyncio.sleep(0)
        return [Field.of(field) for field in self.saved_fields]

    @classmethod
    def of(cls, row: models.RecordSchema) -> Self:
        """From the table's row."""
        saved = row.definition
        return cls(
            id=ids.global_id("RecordSchema", row.id),
            name=row.name,
            version=row.version,
            saved_fields=saved["fields"],
            record_path=saved["record_path"],
            unknown_fields=UnknownFields(saved["unknown_fields"]),
            encoding=saved["encoding"],
            csv=Csv(**saved["csv"]),
            created_at=row.created_at,
        )


async def record_schema_page(
    partner: models.Partner, first: int | None, after: str | None, name: str | None
) -> Connection[RecordSchema]:
    """A page of the partner's record schemas, of `name` or of all names, newest first."""
    owned = models.RecordSchema.filter(partner_id=partner.id)
    if name is None:
        return await _descending(_RECORD_SCHEMAS, owned, "id", first, after)
    return await _descending(_VERSIONS, owned.filter(name=_sought(name)), "version", first, after)


async def _descending(
    keyset: Keyset, rows: QuerySet[models.RecordSchema], column: str, first: int | None, after: str | None
) -> Connection[RecordSchema]:
    async def fetch(start: Start, limit: int) -> _Keyed:
        behind = rows.filter(**{f"{column}__lt": start[0]}) if start else rows
        found = await behind.order_by(f"-{column}").limit(limit)
        return [
            ((row.version if column == "version" else str(row.id),), RecordSchema.of(row)) for row in found
        ]

    async def count() -> int:
        return await rows.count()

    return await keyset.page(first, after, fetch, count)


async def latest_schema_page(
    partner: models.Partner, first: int | None, after: str | None, name: str | None
) -> Connection[RecordSchema]:
    """A page of the newest version of each of the partner's names, or of `name` alone, in the order of the names.

    By age it would be a list whose elements move: a name that gets a new version between two pages would be on neither.
    """
    only = None if name is None else _sought(name)

    async def fetch(start: Start, limit: int) -> _Keyed:
        [behind] = start or ("",)
        found = await models.RecordSchema.newest_of_names(partner.id, behind, limit, only)
        return [((row.name,), RecordSchema.of(row)) for row in found]

    async def count() -> int:
        return await models.RecordSchema.count_names(partner.id, only)

    return await _LATEST.page(first, after, fetch, count)


@strawberry.input(
    description="How a CSV or TSV file is written; what is left out is detected, or as in RFC 4180."
)
class CsvInput:
    """How a CSV or TSV file is written."""

    delimiter: str | None = strawberry.field(
        default=UNSET, description="One character. Left out: found among , ; tab and | in the header."
    )
    quote: str | None = strawberry.field(
        default='"', description='One character, or "" when quotes mean nothing.'
    )
    escape: str | None = strawberry.field(
        default=UNSET, description="One character. Left out: a quote is doubled."
    )
    skip_lines: int | None = strawberry.field(default=0, description="How many lines come before the header.")
    header: bool | None = strawberry.field(
        default=True, description='false: there is no header, and sources are column numbers, "1", "2", …'
    )
    comment: str | None = strawberry.field(default=UNSET, description="Lines that begin with it are skipped.")


@strawberry.input(description="One field of a loaded record.")
class FieldInput:
    """One field of a loaded record."""

    name: str = strawberry.field(description="The key in the loaded record.")
    source: str | None = strawberry.field(
        default=UNSET,
        description=(
            "Where it is in the file: the CSV header, the JSON key or dotted path, the XML child path "
            '("customer.email", "customer/email", "@id" for an attribute). Left out: the same as `name`.'
        ),
    )
    type: FieldType = strawberry.field(description="What the text is converted to.")
    required: bool | None = strawberry.field(
        default=True, description="Whether a record without a value (and without `default`) is rejected."
    )
    default: JSON | None = strawberry.field(
        default=UNSET, description="Used when the value is missing or one of `nullValues`."
    )
    null_values: list[str] | None = strawberry.field(
        default_factory=lambda: [""], description="Texts that mean: missing."
    )
    trim: bool | None = strawberry.field(default=True, description="Cut off white space around the value.")
    min: JSON | None = strawberry.field(
        default=UNSET, description="The smallest value: a number, or an ISO string for DATE and DATETIME."
    )
    max: JSON | None = strawberry.field(default=UNSET, description="The largest value, as for `min`.")
    min_length: int | None = strawberry.field(
        default=UNSET, description="STRING, EMAIL and URL: the fewest characters allowed."
    )
    max_length: int | None = strawberry.field(
        default=UNSET, description="STRING, EMAIL and URL: the most characters allowed."
    )
    pattern: str | None = strawberry.field(
        default=UNSET, description="A regular expression (of linear time) that must match the whole value."
    )
    enum: list[str] | None = strawberry.field(default=UNSET, description="The values allowed.")
    format: str | None = strawberry.field(
        default=UNSET,
        description='DATE and DATETIME: a strptime pattern such as "%d/%m/%Y". Left out: ISO 8601.',
    )


@strawberry.input(description="A record schema to save. Saving a name again makes its next version.")
class CreateRecordSchemaInput:
    """A record schema to save."""

    name: str = strawberry.field(description="Your name for it, of 1 to 200 characters.")
    fields: list[FieldInput] = strawberry.field(description="The fields of a loaded record, in order.")
    record_path: str | None = strawberry.field(
        default=UNSET,
        description=(
            'JSON: the dotted path of the array ("data.orders"); XML: the name of the record\'s element ("order"). '
            "Left out: the array at the top; the children of the root element."
        ),
    )
    unknown_fields: UnknownFields | None = strawberry.field(
        default=UnknownFields.IGNORE, description="What becomes of keys or columns that no field names."
    )
    encoding: str | None = strawberry.field(
        default=UNSET,
        description='"utf-8", "utf-16", "iso-8859-1" or "windows-1252". Left out: UTF-8, or UTF-16 by its mark.',
    )
    csv: CsvInput | None = strawberry.field(default=UNSET, description="For CSV and TSV files only.")
