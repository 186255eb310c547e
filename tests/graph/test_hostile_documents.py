"""Random GraphQL documents, variables and bodies: whatever is sent, the answer is a GraphQL answer, soon, and tells nothing of ours.

SLUICE_FAULT_SEED=123 repeats the run whose test id holds that seed.
"""

import json
import random
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLType,
    get_named_type,
)

from graph.schema import schema as built
from models import Job
from tests.graph.api import Owner, id_of
from tests.graph.rows import load
from tests.seeds import seeds
from tests.stack import Stack

_RUNS = 320
[_SEED, *_] = seeds("hostile documents")
_LONGEST_SECONDS = 1.0
_STATUSES = (200, 400, 413)
_LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|asyncpg|tortoise|SELECT |INSERT |UPDATE |relation \"|/tmp/|/home/|site-packages|storage_key"
)
"""Words of a stack trace, of SQL, of paths."""
_WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, -(2**63), 10**30, 0.5, 1e308, "", "x", "\0", "é\u202e\U0001f600", "1" * 5_000,
    "'; DROP TABLE job; --", "../../etc/passwd", [], [[]], [None], {}, {"a": {}}, "UGFydG5lcjox", "%s%n{0}",
)  # fmt: skip


_DECLARED = ("($id: ID!)", "($n: Int, $id: ID!)", "($input: CreateRecordSchemaInput!)", "($x: Nope)")
_DIRECTIVES = ("@skip(if: false)", "@include(if: $n)", "@x", "@skip", "@skip(if: true) @skip(if: true)")
_ODD_SELECTIONS = (
    "__typename",
    "nothing",
    "...F0",
    "...F1",
    "... { id }",
    "... on Job { id }",
    "__schema { types { name } }",
)
_NUMBERS = (GraphQLInt, GraphQLFloat)


class _Author:
    """Writes documents that are nearly right, since what is wholly wrong gets no further than the parser."""

    def __init__(self, chance: random.Random, ids: list[str]) -> None:
        self._chance = chance
        self._ids = ids
        self._slips = 0.0
        """How likely each piece of this document is to be wrong."""

    def body(self) -> bytes:
        """One request."""
        document, variables = (
            self.document(),
            {"id": self._value(), "n": self._value(), "input": self._value()},
        )
        asked: dict[str, Any] = {"query": document, "variables": variables}
        if self._chance.random() < 0.1:
            asked[self._chance.choice(["operationName", "extensions", "variables", "query", "x"])] = (
                self._value()
            )
        body = json.dumps(asked).encode()
        return self._damaged(body) if self._chance.random() < 0.1 else body

    def document(self) -> str:
        """One to three operations and fragments."""
        chance = self._chance
        self._slips = chance.choice([0.0, 0.0, 0.02, 0.15])
        kind, root = chance.choice(
            [("query", "Query"), ("", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")]
        )
        declared = chance.choice(_DECLARED) if kind and self._slip() else ""
        text = f"{kind} {declared}{self._directives()} {self._selections(root, chance.randint(1, 6))}"
        for number in range(chance.randint(1, 2) if self._slip() else 0):
            text += f" fragment F{number} on {chance.choice(list(built._schema.type_map))} {self._selections('Job', 3)}"
        return self._damaged(text.encode()).decode(errors="ignore") if self._slip() else text

    def _slip(self) -> bool:
        return self._chance.random() < self._slips

    def _selections(self, name: str, depth: int) -> str:
        type = built._schema.type_map.get(name)
        fields = dict(type.fields) if isinstance(type, GraphQLObjectType) else {}
        chosen = []
        for field in self._chance.sample(list(fields), k=min(len(fields), self._chance.randint(1, 4))):
            details = fields[field]
            inner = get_named_type(details.type)
            deeper = depth > 0 and isinstance(inner, GraphQLObjectType)
            below = self._selections(inner.name, depth - 1) if deeper else ""
            if isinstance(inner, GraphQLObjectType | GraphQLInterfaceType):
                below = below or "{ __typename }"
            alias = f"a{self._chance.randrange(50)}: " if self._slip() else ""
            chosen.append(f"{alias}{field}{self._arguments(details.args)}{self._directives()} {below}")
        if self._slip() or not chosen:
            chosen.append(self._chance.choice(_ODD_SELECTIONS))
        return "{ " + " ".join(chosen) + " }"

    def _arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        given = [
            f"{name}: {self._literal(argument.type)}"
            for name, argument in arguments.items() if isinstance(argument.type, GraphQLNonNull) or self._chance.random() < 0.5
        ]  # fmt: skip
        return f"({', '.join(given)})" if given else ""

    def _directives(self) -> str:
        return self._chance.choice(_DIRECTIVES) if self._slip() else ""

    def _literal(self, type: GraphQLType, depth: int = 4) -> str:
        """Mostly of the type; sometimes of another, or a variable."""
        chance = self._chance
        if self._slip():
            return chance.choice(["$id", "$n", "$input", "null", "$nowhere", "WORD", *map(_written, _WRONG)])
        inner = type.of_type if isinstance(type, GraphQLNonNull) else type
        if isinstance(inner, GraphQLList):
            return (
                "["
                + ", ".join(self._literal(inner.of_type, depth - 1) for _ in range(chance.randint(0, 3)))
                + "]"
            )
        if isinstance(inner, GraphQLEnumType):
            return str(chance.choice(list(inner.values)))
        if isinstance(inner, GraphQLInputObjectType) and depth:
            return "{" + ", ".join(self._members(inner.fields, depth)) + "}"
        if inner in _NUMBERS:
            return chance.choice(["1", "20", "0", "-1", "100000"])
        if inner is GraphQLBoolean:
            return chance.choice(["true", "false"])
        return chance.choice([_written(value) for value in (*self._ids, *_WRONG) if isinstance(value, str)])

    def _members(self, fields: dict[str, GraphQLInputField], depth: int) -> Iterator[str]:
        for name, field in fields.items():
            if isinstance(field.type, GraphQLNonNull) or self._chance.random() < 0.3:
                yield f"{name}: {self._literal(field.type, depth - 1)}"

    def _value(self) -> Any:
        return self._chance.choice(
            [*_WRONG, *self._ids, {"name": "x", "fields": [self._chance.choice(_WRONG)]}]
        )

    def _damaged(self, text: bytes) -> bytes:
        """Some bytes lost, doubled or replaced."""
        damaged = bytearray(text)
        for _ in range(self._chance.randint(1, 4)):
            at = self._chance.randrange(len(damaged))
            damaged[at : at + self._chance.randint(0, 3)] = self._chance.choice(
                [b"", b"{", b"}", b'"', b"\\ud800", b"\x00", b"\xff", b"...", b"$", b"NaN", b"[" * 50]
            )
        return bytes(damaged)


def _written(value: Any) -> str:
    """As a GraphQL literal."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_written(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value)


@pytest.mark.parametrize("seed", [_SEED], ids=[f"seed-{_SEED}"])
async def test_whatever_is_asked_is_answered_in_graphql(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, job: Job, seed: int
) -> None:
    """No 500, no INTERNAL, valid JSON with `data` or `errors`, each error with a code, in under a second."""
    await load(job, ['{"id": 1}'] * 30, [(30, "id", "REQUIRED")])
    author = _Author(random.Random(seed), [id_of(job), id_of(partner.row)])
    log, reached = len(stack.log), 0
    headers = partner.headers | {"content-type": "application/json"}

    for _ in range(_RUNS):
        body = author.body()
        began = time.perf_counter()
        response = await app_client.post("/graphql", content=body, headers=headers)
        seconds = time.perf_counter() - began

        reached += _checked(response, body)
        assert seconds < _LONGEST_SECONDS, body

    assert reached > _RUNS / 20  # else all of it would end in the parser, and show little
    assert "Traceback" not in stack.log[log:]


def _checked(response: httpx.Response, body: bytes) -> bool:
    """Whether the operation was executed."""
    assert response.status_code in _STATUSES, body
    answer = response.json()
    errors = answer.get("errors", [])
    assert errors or isinstance(answer["data"], dict), body
    for error in errors:
        assert error["extensions"]["code"] in ("BAD_USER_INPUT", "PAYLOAD_TOO_LARGE"), (error, body)
        # What the client sent may be quoted; what it did not send is ours.
        leaked = _LEAKS.search(error["message"])
        assert leaked is None or leaked[0].encode() in body, (error, body)
    return "data" in answer
