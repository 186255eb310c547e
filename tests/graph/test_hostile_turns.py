"""No request under the size limits keeps the event loop from others for longer than a tenth of a second."""

import asyncio
import gc
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from graphql import get_introspection_query
from starlette.types import ASGIApp, Message, Scope
from tortoise import connections

from graph.exact_json import MAX_VALUES
from graph.limits import MAX_QUERY_CHARS
from graph.requests import MAX_JSON_BYTES
from models import Job
from tests.graph.api import Owner, id_of
from tests.graph.in_process import application
from tests.stack import Stack

_LONGEST_TURN_SECONDS = 0.1
_VIEWER = "{ viewer { id } }"
_CREATE = "mutation ($input: CreateRecordSchemaInput!) { createRecordSchema(input: $input) { recordSchema { id } userErrors { message } } }"
_LAST = MAX_VALUES - 30
"""Values that are just not too many."""


def _asked(query: str, **variables: Any) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def _repeated(value: str, times: int) -> bytes:
    """A query with a variable that nobody declared: a list of many values."""
    listed = ",".join([value] * times)
    return f'{{"query": "{_VIEWER}", "variables": {{"a": [{listed}]}}}}'.encode()


def _saved(*fields: Any) -> bytes:
    return _asked(_CREATE, input={"name": "hostile", "fields": fields})


def _fragments(count: int) -> str:
    spread = " ".join(f"...F{number}" for number in range(count))
    return f"{{ {spread} }} " + " ".join(
        f"fragment F{number} on Query {{ viewer {{ id }} }}" for number in range(count)
    )


_TYPES = "types { name description fields { name args { name type { name } } type { name ofType { name } } } inputFields { name } enumValues { name } }"

_REQUESTS: dict[str, Callable[[], bytes]] = {
    "as many bytes as allowed": lambda: b'"' + b"x" * (MAX_JSON_BYTES - 2) + b'"',
    "integers": lambda: _repeated("1", 500_000),
    "numbers with a fraction": lambda: _repeated("1.5", 250_000),
    "numbers with an exponent": lambda: _repeated("1e9", 250_000),
    "as many numbers as allowed": lambda: _repeated("1.5", _LAST),
    "long integers": lambda: _repeated("9" * 4_299, 240),
    "objects": lambda: _repeated("{}", 340_000),
    "as many objects as allowed": lambda: _repeated('{"a": {}}', _LAST),
    "keys": lambda: ('{"query": "{ viewer { id } }", "variables": {' + ",".join(f'"{i:x}":1' for i in range(90_000)) + "}}").encode(),
    "deep": lambda: _repeated("[" * 900 + "]" * 900, 1),
    "comments": lambda: _asked("#\n" * 300_000 + _VIEWER),
    "a long comment": lambda: _asked("#" + "x" * 1_000_000 + "\n" + _VIEWER),
    "white space": lambda: _asked(" " * 1_000_000 + _VIEWER),
    "a long string": lambda: _asked('{ job(id: "' + "x" * 1_000_000 + '") { id } }'),
    "a long block string": lambda: _asked('{ job(id: """' + "x\n" * 300_000 + '""") { id } }'),
    "long unknown names": lambda: _asked("{ " + " ".join("x" * 500 + str(i) for i in range(1_990)) + " }"),
    "the longest document of comments": lambda: _asked("#" + "x" * (MAX_QUERY_CHARS - 30) + "\n" + _VIEWER),
    "the longest document of text": lambda: _asked('{ job(id: """' + "x\n" * 32_700 + '""") { id } }'),
    "one field": lambda: _asked("{ viewer { " + "id " * 1_900 + "} }"),
    "one field with fields": lambda: _asked("{ " + "viewer { id } " * 490 + "}"),
    "as many pairs as allowed": lambda: _asked("{ " + "viewer { id } " * 70 + "}"),
    "spread fragments": lambda: _asked(_fragments(170)),
    "as many spread fragments as allowed": lambda: _asked(_fragments(70)),
    "a chain of fragments": lambda: _asked("{ ...F0 } " + " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(180))),
    "directives": lambda: _asked("{ viewer { id " + "@x " * 950 + "} }"),
    "unused variables": lambda: _asked("query (" + " ".join(f"$a{i}: Int" for i in range(480)) + ") { viewer { id } }"),
    "introspection": lambda: _asked(get_introspection_query()),
    "introspection many times": lambda: _asked("{ " + " ".join(f"a{i}: __schema {{ {_TYPES} }}" for i in range(29)) + " }"),
    "introspection in circles": lambda: _asked("{ __schema { types { fields { type { fields { type { name } } } } } } }"),
    "too many fields of a schema": lambda: _saved(*[{"name": "a", "type": "STRING"}] * 9_000),
    "fields that are none": lambda: _saved(*[1] * _LAST),
    "unknown keys": lambda: _asked(_CREATE, input={f"x{i}": 1 for i in range(_LAST)}),
    "fields of unknown keys": lambda: _saved(*[{f"x{i}": 1 for i in range(14)} for _ in range(1_000)]),
    "long unknown keys": lambda: _asked(_CREATE, input={f"{'x' * 10_000}{i}": 1 for i in range(100)}),
    "a long key": lambda: _saved({"name": "a", "type": "STRING", "x" * 900_000: 1}),
    "a long choice": lambda: _saved({"name": "a", "type": "x" * 900_000}),
    "as many fields as a schema may have": lambda: _saved(*[{"name": f"f{i}", "type": "STRING"} for i in range(1_000)]),
    "fields with patterns": lambda: _saved(*[{"name": f"f{i}", "type": "STRING", "pattern": "(a|b|c[a-z0-9]{1,5})*x{1,9}"} for i in range(1_000)]),
    "fields with lists": lambda: _saved(*[{"name": f"f{i}", "type": "STRING", "enum": [f"v{j}" for j in range(12)]} for i in range(1_000)]),
    "a default that is a list": lambda: _saved({"name": "a", "type": "STRING", "default": [1] * _LAST}),
}  # fmt: skip


async def _longest_turn(
    app: ASGIApp, state: dict[str, Any], owner: Owner, body: bytes, *, least_bytes: int = 0
) -> float:
    """The most CPU time for which this thread served one request without letting anybody else have a turn.

    CPU, not wall clock: what other processes of this machine do does not count.
    """
    headers = {b"content-type": b"application/json", b"content-length": str(len(body)).encode()}
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "", "state": state.copy(),
        "headers": [(b"x-api-key", owner.key.encode()), *headers.items()],
    }  # fmt: skip
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answer.append(message)

    gc.collect()  # what the request before left behind is not this one's
    task, longest = asyncio.ensure_future(app(scope, receive, send)), 0.0
    while not task.done():
        began = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    await task
    assert answer[0]["status"] < 500
    assert b"Internal error" not in answer[1]["body"]
    assert len(answer[1]["body"]) >= least_bytes
    return longest


@pytest.mark.parametrize("name", _REQUESTS)
async def test_no_request_keeps_the_event_loop_for_long(stack: Stack, partner: Owner, name: str) -> None:
    """The best of three counts: caches fill, and the garbage collector strikes where it likes."""
    body = _REQUESTS[name]()
    assert len(body) <= MAX_JSON_BYTES

    async with application(stack) as (app, state):
        turns = [await _longest_turn(app, state, partner, body)]
        while min(turns) >= _LONGEST_TURN_SECONDS and len(turns) < 3:
            turns.append(await _longest_turn(app, state, partner, body))

    assert min(turns) < _LONGEST_TURN_SECONDS


@pytest.mark.parametrize(("count", "length"), [(1_000, 4_100), (100, 300_000), (4, 4_000_000)])
async def test_no_answer_keeps_the_event_loop_for_long(
    stack: Stack, partner: Owner, job: Job, count: int, length: int
) -> None:
    """As much data as an operation may have: many records, or few long ones."""
    await connections.get("default").execute_query(
        'INSERT INTO record (job_id, "index", data) SELECT $1, n, jsonb_build_object($$a$$, repeat($$x$$, $3))'
        " FROM generate_series(0, $2 - 1) n",
        [job.id, count, length],
    )
    lists = " ".join(f"a{n}: records(first: 1000) {{ nodes {{ index data }} }}" for n in range(4))
    body = _asked(f"query ($id: ID!) {{ job(id: $id) {{ {lists} }} }}", id=id_of(job))

    async with application(stack) as (app, state):
        turns = [await _longest_turn(app, state, partner, body, least_bytes=15_000_000) for _ in range(3)]

    assert min(turns) < _LONGEST_TURN_SECONDS
