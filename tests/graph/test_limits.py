"""What one operation may ask for."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, cast

import httpx
import pytest
from graphql import get_introspection_query, parse

from graph.context import Backends, Context
from graph.exact_json import MAX_DEPTH as MAX_JSON_DEPTH
from graph.exact_json import MAX_VALUES, exact_loads
from graph.limits import MAX_OBJECTS, MAX_QUERY_CHARS, MAX_TOKENS, excesses
from graph.schema import schema
from models import RecordSchema
from tasks.pipeline.definition import define
from tests.graph.api import Owner, codes, data, execute

_TWO = (
    "query A($n: Int = 1000) { jobs(first: 100) { nodes { records(first: $n) { nodes { index } } } } } "
    "query B($n: Int = 1) { jobs(first: $n) { nodes { id } } }"
)


def _messages(query: str, variables: dict[str, Any] | None = None, name: str | None = None) -> list[str]:
    return [error.message for error in excesses(parse(query), variables or {}, name)]


_ALLOWED: dict[str, tuple[str, dict[str, Any]]] = {
    "a usual page": ("{ jobs { nodes { id errors { nodes { code } } } } }", {}),
    "20 times 1,000": ("{ jobs(first: 20) { edges { node { records(first: 1000) { nodes { data } } } } } }", {}),
    "the value of a variable": ("query ($n: Int) { jobs(first: $n) { nodes { records(first: 1000) { totalCount } } } }", {"n": 3}),
    "a variable left out": ("query ($n: Int) { jobs(first: 100) { nodes { records(first: $n) { totalCount } } } }", {}),
    "null": ("{ jobs(first: null) { nodes { records(first: 1000) { totalCount } } } }", {}),
    "introspection": (get_introspection_query(), {}),
    "fields of a page of schemas": ("{ recordSchemas(first: 100) { nodes { id fields { name } } } }", {}),
    "summaries of a page of jobs": ("{ jobs(first: 100) { nodes { errorSummary { count } recordSchema { fields { name } } } } }", {}),
    "introspection twice": ("{ " + " ".join(f"a{i}: __schema {{ types {{ fields {{ args {{ name }} }} }} }}" for i in range(2)) + " }", {}),
    "30 aliases of many fields": ("{ " + " ".join(f"a{i}: jobs {{ nodes {{ id status filename format createdAt progress {{ percent }} }} }}" for i in range(30)) + " }", {}),
    "30 aliases": ("{ " + " ".join(f"a{i}: __typename" for i in range(30)) + " }", {}),
}  # fmt: skip
_REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "too many nodes": ("{ jobs(first: 21) { nodes { records(first: 1000) { totalCount } } } }", {}),
    "side by side": ("{ jobs(first: 20) { nodes { records(first: 900) { totalCount } errors(first: 200) { totalCount } } } }", {}),
    "through fragments": ("{ jobs(first: 100) { nodes { ...F } } } fragment F on Job { records(first: 1000) { totalCount } }", {}),
    "a variable's value": ("query ($n: Int) { jobs(first: 100) { nodes { records(first: $n) { totalCount } } } }", {"n": 1000}),
    "a float": ("query ($n: Int) { jobs(first: 100) { nodes { records(first: $n) { totalCount } } } }", {"n": 1000.0}),
    "a variable's default": ("query ($n: Int = 1000) { jobs(first: 100) { nodes { records(first: $n) { totalCount } } } }", {}),
    "no number": ("query ($n: Int) { jobs(first: 100) { nodes { records(first: $n) { totalCount } } } }", {"n": "x"}),
    "a huge number": ("{ jobs(first: " + "9" * 3000 + ") { totalCount } }", {}),
    "fields of many pages of schemas": ("{ " + " ".join(f"a{i}: recordSchemas(first: 100) {{ nodes {{ fields {{ name }} }} }}" for i in range(10)) + " }", {}),
    "summaries of many pages of jobs": ("{ " + " ".join(f"a{i}: jobs(first: 100) {{ nodes {{ errorSummary {{ count }} }} }}" for i in range(10)) + " }", {}),
    "31 aliases": ("{ " + " ".join(f"a{i}: __typename" for i in range(31)) + " }", {}),
    "aliases in fragments": ("{ " + "...F " * 16 + "} fragment F on Query { a: __typename b: __typename }", {}),
    "a field many times": ("{ " + "viewer { id } " * 101 + "}", {}),
    "a fragment many times": ("{ " + "...F " * 101 + "} fragment F on Query { __typename }", {}),
    "repetitions in an operation that does not run": ("{ viewer { id } } fragment F on Query { " + "viewer { id } " * 101 + "}", {}),
    "introspection many times": ("{ " + " ".join(f"a{i}: __schema {{ types {{ fields {{ args {{ name }} }} }} }}" for i in range(4)) + " }", {}),
    "introspection in circles": ("{ __schema { types { fields { type { fields { name } } } } } }", {}),
    "too deep": ("{ a " * 16 + "}" * 16, {}),
}  # fmt: skip


@pytest.mark.parametrize(("query", "variables"), _ALLOWED.values(), ids=_ALLOWED)
def test_a_modest_operation_is_allowed(query: str, variables: dict[str, Any]) -> None:
    """Nothing is said about it."""
    assert [] == _messages(query, variables)


@pytest.mark.parametrize(("query", "variables"), _REFUSED.values(), ids=_REFUSED)
def test_an_immodest_operation_is_refused(query: str, variables: dict[str, Any]) -> None:
    """One limit is exceeded, and it is named."""
    assert 1 == len(_messages(query, variables))


@pytest.mark.parametrize(("name", "refused"), [("A", 1), ("B", 0)])
def test_the_operation_that_runs_is_measured_with_its_own_defaults(name: str, refused: int) -> None:
    """Another operation of the document has variables of its own, whatever they are called."""
    assert refused == len(_messages(_TWO, name=name))


def test_one_of_several_operations_must_be_named() -> None:
    """Nobody guesses which one is meant."""
    [message] = _messages(_TWO)

    assert "operationName" in message


async def test_of_several_operations_none_runs_without_a_name(
    app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """Over HTTP; with a name, that one runs."""
    body = {"query": "query A { a: viewer { name } } query B { b: viewer { name } }"}

    unnamed = await app_client.post("/graphql", json=body, headers=partner.headers)
    named = await app_client.post("/graphql", json=body | {"operationName": "B"}, headers=partner.headers)

    assert ["BAD_USER_INPUT"] == codes(unnamed.json())
    assert "data" not in unnamed.json()
    assert {"data": {"b": {"name": "Acme"}}} == named.json()


def test_chained_fragments_are_measured_in_no_time() -> None:
    """A chain that doubles at every link is not walked 2^300 times."""
    chain = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(300))
    query = f"{{ ...F0 }} {chain} fragment F300 on Query {{ a: viewer {{ id }} }}"
    start = time.perf_counter()

    messages = _messages(query)

    assert time.perf_counter() - start < 1
    assert 1 == len(messages)


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...Nowhere }",
        "{ jobs(first: 100) { nodes { records(first: 1000) { totalCount } } } }",
    ],
    ids=["fragments in a circle", "unknown fragment", "nodes"],
)
async def test_what_is_refused_is_bad_user_input(
    app_client: httpx.AsyncClient, partner: Owner, query: str
) -> None:
    """Over HTTP, too, and quickly."""
    start = time.perf_counter()

    answer = await execute(app_client, partner, query)

    assert {"BAD_USER_INPUT"} == set(codes(answer))
    assert time.perf_counter() - start < 1


async def test_a_document_has_so_many_tokens(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """What is longer is not even parsed to its end."""
    [error] = (await execute(app_client, partner, "{ " + "viewer { id } " * (MAX_TOKENS // 4) + "}"))[
        "errors"
    ]

    assert f"more than {MAX_TOKENS} tokens" in error["message"]


async def test_a_document_has_so_many_characters(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Comments are no tokens, but somebody has to read them."""
    longest = "{ viewer { name } } #".ljust(MAX_QUERY_CHARS, "x")

    assert {"viewer": {"name": "Acme"}} == await data(app_client, partner, longest)
    answer = await execute(app_client, partner, longest + "x")

    assert ["BAD_USER_INPUT"] == codes(answer)
    assert "too long" in answer["errors"][0]["message"]


async def test_a_list_has_so_many_objects(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """They are refused before an input is made of each."""
    query = "query ($a: [JobFilter!]) { viewer { name } }"
    wanted = "A list may have at most"

    for count, refused in ((MAX_OBJECTS, False), (MAX_OBJECTS + 1, True)):
        answer = await execute(app_client, partner, query, a=[{}] * count)
        assert refused == any(wanted in error["message"] for error in answer["errors"])


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("[" + "1," * (MAX_VALUES - 1) + "1]", False),
        ("[" + "1," * MAX_VALUES + "1]", True),
        ("[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH, False),
        ("[" * (MAX_JSON_DEPTH + 1) + "]" * (MAX_JSON_DEPTH + 1), True),
        ('{"a":' * (MAX_JSON_DEPTH + 1) + "1" + "}" * (MAX_JSON_DEPTH + 1), True),
    ],
    ids=["most values", "too many values", "deepest", "too deep", "objects too deep"],
)
def test_json_has_so_many_values_and_levels(text: str, refused: bool) -> None:
    """What would be parsed for long, or would break those who walk through it, is no JSON to us."""
    if refused:
        with pytest.raises(ValueError, match="too"):
            exact_loads(text)
    else:
        assert exact_loads(text)


async def test_a_quotation_of_what_was_sent_is_cut(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """GraphQL quotes names in full: up to a hundred times what was sent."""
    answer = await execute(app_client, partner, "{ " + "x" * 10_000 + " }")

    assert all(len(error["message"]) < 1_100 for error in answer["errors"])


async def test_many_fields_of_one_name_are_validated_quickly(
    app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """GraphQL compares fields of one name pair by pair; within the token limit that must not take long."""
    start = time.perf_counter()

    await execute(app_client, partner, "{ viewer { " + "id " * (MAX_TOKENS - 20) + "} }")

    assert time.perf_counter() - start < 1.5


async def test_introspection_is_answered(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Clients and code generators need it."""
    found = await data(app_client, partner, get_introspection_query(specified_by_url=True))

    assert "Query" == found["__schema"]["queryType"]["name"]


async def test_others_are_served_while_big_schemas_are_shown(
    app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """The fields of many big schemas are given one schema at a time."""
    fields = [{"name": f"f{number}", "type": "STRING"} for number in range(1_000)]
    definition = define({"fields": fields}).model_dump(mode="json")
    for name in range(30):
        await RecordSchema.save_version(partner.id, f"big {name}", definition)
    options = (
        "name source type required default nullValues trim min max minLength maxLength pattern enum format"
    )
    query = "{ recordSchemas(first: 30) { nodes { fields { " + options + " } } } }"
    context = Context(cast("Backends", None), partner.key, partner.row)

    waits = await _waits(schema.execute(query, context_value=context))

    assert max(waits) < sum(waits) / 2


async def _waits(work: Awaitable[Any]) -> list[float]:
    """How long others had to wait for their turns in the event loop, in seconds."""
    task, waits = asyncio.ensure_future(work), []
    while not task.done():
        start = time.perf_counter()
        await asyncio.sleep(0)
        waits.append(time.perf_counter() - start)
    assert task.result().errors is None
    return waits


@pytest.mark.parametrize("first", ["-1000000", "0"])
async def test_a_negative_first_does_not_pay_for_its_neighbours(
    app_client: httpx.AsyncClient, partner: Owner, first: str
) -> None:
    """Below a job that does not exist it is never looked at: its count must not be taken off the others'."""
    query = (
        f'{{ a: job(id: "x") {{ records(first: {first}) {{ totalCount }} }}'
        " b: jobs(first: 100) { nodes { records(first: 1000) { nodes { data } } } } }"
    )

    answer = await execute(app_client, partner, query)

    assert ["BAD_USER_INPUT"] == codes(answer)
    assert "20,000 nodes" in answer["errors"][0]["message"]
