"""From an HTTP request to the GraphQL operation that it asks for."""

import re
from dataclasses import dataclass
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from graph.body import Body
from graph.context import Backends
from graph.errors import ErrorCode, Refusal, bad_request
from graph.exact_json import TooMuchJson, exact_loads
from graph.multipart import MultipartBody, Part
from graph.uploads import Upload, too_large
from settings import settings

MAX_JSON_BYTES = settings.max_json_bytes
MAX_OPERATIONS_BYTES = 256 * 1024
MAX_MAP_BYTES = 16 * 1024
MULTIPART_SLACK_BYTES = 1024 * 1024
"""What a multipart body may have beside the file."""
_LIST_INDEX = re.compile("[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Operation:
    """What is to be executed."""

    query: str
    variables: dict[str, Any] | None
    name: str | None
    upload: Upload | None = None


async def read_operation(request: Request, body: Body, backends: Backends) -> Operation:
    """Reads the request; of a multipart body everything before the file's first byte. Raises Refusal."""
    if request.method == "GET":
        return _from_query_string(request)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _unsupported("A Content-Encoding is not supported: send the body as it is.")
    content_type = request.headers.get("content-type", "")
    media_type, options = parse_options_header(content_type)
    if media_type == b"multipart/form-data":
        return await _from_multipart(body, content_type, backends)
    if media_type != b"application/json" or options.get(b"charset", b"utf-8").lower() not in (
        b"utf-8",
        b"utf8",
    ):
        raise _unsupported(
            "The Content-Type must be application/json (UTF-8), or multipart/form-data for an upload."
        )
    return _operation(strict_json(await body.read_whole(MAX_JSON_BYTES), "The body"))


def strict_json(text: str | bytes, what: str) -> Any:
    """The JSON value, as `exact_loads` gives it. Raises Refusal."""
    try:
        return exact_loads(text)
    except TooMuchJson as error:
        raise bad_request(f"{what} {error}.") from None
    except (ValueError, RecursionError):
        raise bad_request(f"{what} must be valid JSON in UTF-8.") from None


def _unsupported(message: str) -> Refusal:
    return Refusal(415, ErrorCode.BAD_USER_INPUT, message)


def _from_query_string(request: Request) -> Operation:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if given.get(name):
            given[name] = strict_json(given[name], f"The parameter `{name}`")
        else:
            given.pop(name, None)
    return _operation(given)


def _operation(given: Any, upload: Upload | None = None) -> Operation:
    if isinstance(given, list):
        raise bad_request("Batches are not supported: send one operation in a request.")
    if not isinstance(given, dict):
        raise bad_request("A GraphQL request must be a JSON object with the key `query`.")
    if not isinstance(given.get("query"), str) or not given["query"].strip():
        raise bad_request("The key `query` must hold the GraphQL document, as a string.")
    for key, kind, words in _SHAPES:
        if not isinstance(given.get(key), kind | None):
            raise bad_request(f"The key `{key}` must be {words} or null.")
    return Operation(given["query"], given.get("variables"), given.get("operationName"), upload)


_SHAPES: tuple[tuple[str, type, str], ...] = (
    ("variables", dict, "an object"),
    ("operationName", str, "a string"),
    ("extensions", dict, "an object"),
)


async def _from_multipart(body: Body, content_type: str, backends: Backends) -> Operation:
    limit = backends.settings.max_upload_bytes
    if body.announced is not None and body.announced > limit + MULTIPART_SLACK_BYTES:
        raise too_large(limit)
    parts = MultipartBody(body, content_type)
    operations = strict_json(
        await _field(parts, "first", "operations", MAX_OPERATIONS_BYTES), "The part `operations`"
    )
    _operation(operations)
    file_name, path = _mapped(
        strict_json(await _field(parts, "second", "map", MAX_MAP_BYTES), "The part `map`")
    )
    holder, key = _placeholder(operations, path)
    part = await _file_part(parts, file_name)
    upload = Upload(part.filename, parts, backends.store, limit)
    holder[key] = upload
    return _operation(operations, upload)


async def _field(parts: MultipartBody, place: str, name: str, limit: int) -> bytes:
    part = await parts.next_part()
    if part is None or part.name != name:
        raise bad_request(
            f"The {place} part of the body must be `{name}`: send `operations`, then `map`, then the file."
        )
    return await parts.text(part, limit)


def _mapped(map: Any) -> tuple[str, str]:
    """The one file's part name, and the path of its placeholder."""
    if not isinstance(map, dict):
        raise bad_request('The part `map` must be a JSON object, such as {"0": ["variables.input.file"]}.')
    if len(map) != 1:
        raise bad_request(f"The part `map` must name exactly one file; it names {len(map)}.")
    [(file_name, paths)] = map.items()
    if not isinstance(paths, list) or len(paths) != 1 or not isinstance(paths[0], str):
        raise bad_request(
            f'In `map`, "{file_name}" must be a list of exactly one path, such as ["variables.file"].'
        )
    if not paths[0].startswith("variables."):
        raise bad_request("In `map`, a path must begin with `variables.`.")
    return file_name, paths[0]


def _placeholder(operations: Any, path: str) -> tuple[Any, str | int]:
    """The object or list, and the key in it, that the path leads to. There must be a null there."""
    *way, last = path.split(".")
    holder, missing = (
        operations,
        bad_request(f"In `map`, the path `{path}` leads to nothing in `operations`."),
    )
    for step in way:
        holder = _at(holder, step, missing)
    if _at(holder, last, missing) is not None:
        raise bad_request(
            f"In `map`, the path `{path}` must lead to a null, which the file takes the place of."
        )
    return holder, int(last) if isinstance(holder, list) else last


def _at(holder: Any, step: str, missing: Refusal) -> Any:
    if isinstance(holder, dict) and step in holder:
        return holder[step]
    if isinstance(holder, list) and _LIST_INDEX.fullmatch(step) and int(step) < len(holder):
        return holder[int(step)]
    raise missing


async def _file_part(parts: MultipartBody, name: str) -> Part:
    part = await parts.next_part()
    if part is None:
        raise bad_request(f'The file is missing: `map` names a part "{name}", and the body ends without it.')
    if part.name != name:
        raise bad_request(f'`map` names the file "{name}", but the part after it is called "{part.name}".')
    return part
