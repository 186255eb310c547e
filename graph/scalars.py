"""The scalars beyond GraphQL's own."""

from datetime import UTC, datetime
from typing import Any, NewType

import orjson
import strawberry
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from graph.errors import bad_user_input
from graph.exact_json import exact_literal, exact_value
from graph.uploads import Upload

BigInt = NewType("BigInt", int)


def loaded_json(text: str) -> JSON:
    """JSON text that goes into the answer as it is: numbers keep every digit."""
    return JSON(orjson.Fragment(text))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse_datetime(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise bad_user_input("A DateTime must be an RFC 3339 text.") from None


def _parse_big_int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad_user_input('A BigInt must be a whole number in a string, such as "524288000".') from None


def _parse_upload(value: Any) -> Upload:
    if not isinstance(value, Upload):
        raise bad_user_input(
            "A file cannot be sent as JSON. Send the request as multipart/form-data with the parts `operations`, "
            "`map` and the file (GraphQL multipart request specification)."
        )
    return value


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description='A whole number that may not fit into 32 bits, as a string: "524288000".',
        serialize=str,
        parse_value=_parse_big_int,
        specified_by_url="https://www.w3.org/TR/xmlschema11-2/#integer",
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='A moment in RFC 3339, always in UTC: "2026-11-23T18:00:00.123456Z".',
        serialize=_rfc3339,
        parse_value=_parse_datetime,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description=(
            "Any JSON value. Numbers that Sluice loaded are given with all their digits; numbers that you send are "
            "kept with all theirs, as a string where a double would lose some."
        ),
        serialize=lambda value: value,
        parse_value=exact_value,
        parse_literal=exact_literal,
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
    ),
    Upload: strawberry.scalar(
        name="Upload",
        description="A file, sent as a part of a multipart request: first `operations`, then `map`, then the file.",
        parse_value=_parse_upload,
        specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
    ),
}
