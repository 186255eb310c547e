"""P8: a partner sees, guesses or cancels nothing of another partner's."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, GraphQLObjectType, get_named_type

from graph.ids import global_id
from graph.schema import schema as built
from models import Discard, Job, JobStatus, RecordSchema
from tests.factories import make_job
from tests.graph.api import Owner, data, id_of, submission, submit
from tests.graph.rows import load, make_schema
from tests.graph.sockets import PROGRESS, subscribe
from tests.stack import Stack

_QUERIES = {
    "job": "query ($id: ID!) { found: job(id: $id) { id } }",
    "recordSchema": "query ($id: ID!) { found: recordSchema(id: $id) { id } }",
    "node": "query ($id: ID!) { found: node(id: $id) { id } }",
}


async def _theirs(other: Owner, mine: Owner) -> dict[str, str]:
    """Ids that must look as if they did not exist."""
    schema = await make_schema(partner=other.row)
    job = await make_job(partner=other.row, schema=schema)
    await load(job, ['{"id": 1}'], [(1, "id", "REQUIRED")])
    ended = await make_job(partner=other.row, schema=schema, status=JobStatus.COMPLETED)
    dry = await make_job(partner=other.row, schema=schema, status=JobStatus.COMPLETED, dry_run=True)
    discarded = await make_job(partner=other.row, schema=schema, status=JobStatus.COMPLETED)
    await Discard.request(discarded.id, other.id)
    return {
        "their job": id_of(job),
        "their finished job": id_of(ended),
        "their dry run": id_of(dry),
        "their discarded job": id_of(discarded),
        "their schema": id_of(schema),
        "their partner": id_of(other.row),
        "nobody's job": global_id("Job", uuid4()),
        "nobody's schema": global_id("RecordSchema", uuid4()),
        "their job as a schema": global_id("RecordSchema", job.id),
        "my partner as a job": global_id("Job", mine.id),
        "another type": global_id("Record", job.id),
        "no base64": "%%%",
        "bare uuid": str(job.id),
        "no uuid": base64.b64encode(b"Job:1").decode(),
        "no type": base64.b64encode(str(job.id).encode()).decode(),
        "uuid in capitals": base64.b64encode(f"Job:{job.id}".upper().encode()).decode(),
        "uuid in braces": base64.b64encode(f"Job:{{{job.id}}}".encode()).decode(),
        "bytes": base64.b64encode(b"Job:\xff\xfe").decode(),
        "NUL": "\0",
        "empty": "",
        "long": "A" * 10_000,
    }


@pytest.mark.parametrize("query", _QUERIES.values(), ids=_QUERIES)
async def test_a_query_for_what_is_not_ones_own_is_null(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, query: str
) -> None:
    """Foreign, unknown and senseless ids cannot be told apart."""
    for name, id in (await _theirs(other_partner, partner)).items():
        assert {"found": None} == await data(app_client, partner, query, id=id), name


async def test_node_gives_what_is_ones_own(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, job: Job
) -> None:
    """A partner, a schema and a job, each with its type."""
    query = "query ($id: ID!) { node(id: $id) { __typename id ... on Job { filename } } }"

    for row, typename in ((partner.row, "Partner"), (schema, "RecordSchema"), (job, "Job")):
        found = (await data(app_client, partner, query, id=id_of(row)))["node"]
        assert (typename, id_of(row)) == (found["__typename"], found["id"])


async def test_cancelling_what_is_not_ones_own_is_not_found(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner
) -> None:
    """And cancels nothing."""
    query = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { id } userErrors { code field } } }"

    for name, id in (await _theirs(other_partner, partner)).items():
        payload = (await data(app_client, partner, query, id=id))["cancelJob"]
        assert {"job": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "jobId"]}]} == payload, (
            name
        )

    assert 0 == await Job.filter(status=JobStatus.CANCELLED, partner_id=other_partner.id).count()


async def test_submitting_to_what_is_not_ones_own_is_not_found(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner
) -> None:
    """And makes no job."""
    for name, id in (await _theirs(other_partner, partner)).items():
        response = await submit(app_client, partner, submission(id))
        [error] = response.json()["data"]["submitFile"]["userErrors"]
        assert ("NOT_FOUND", ["input", "schemaId"]) == (error["code"], error["field"]), name

    assert 0 == await Job.filter(partner_id=partner.id).count()


async def test_watching_what_is_not_ones_own_is_not_found(
    stack: Stack, partner: Owner, other_partner: Owner
) -> None:
    """The subscription ends in an error with NOT_FOUND."""
    for name, id in (await _theirs(other_partner, partner)).items():
        [message] = await subscribe(stack, partner, id)
        assert ("error", "NOT_FOUND") == (message["type"], message["payload"][0]["extensions"]["code"]), name


@dataclass(frozen=True)
class _World:
    """Two partners, each with two jobs of two records and a retry; the other one's were made in between."""

    http: httpx.AsyncClient
    stack: Stack
    me: Owner
    my_job: Job
    my_rows: set[str]
    """The ids of my jobs and schemas."""
    cursors: dict[str, str]
    """By list: a cursor that the other partner got."""

    async def ask(self, query: str, **variables: Any) -> Any:
        return await data(self.http, self.me, query, **variables)


async def _world(http: httpx.AsyncClient, stack: Stack, me: Owner, other: Owner) -> _World:
    rows: list[Job | RecordSchema] = []
    for owner in (me, other, me, other):
        schema = await make_schema(partner=owner.row)
        job = await make_job(partner=owner.row, schema=schema)
        await load(
            job,
            [f'{{"owner": "{owner.id}"}}'] * 2,
            [(2, "mine" if owner is me else "theirs", "REQUIRED")] * 2,
        )
        retry = await make_job(partner=owner.row, schema=schema, parent_id=job.id, root_id=job.id)
        rows += [schema, retry, job]
    page = "(first: 1) { pageInfo { endCursor } }"
    their_job = rows[-1]
    query = f"query ($id: ID!) {{ jobs{page} recordSchemas{page} job(id: $id) {{ records{page} errors{page} retries{page} }} }}"
    seen = await data(http, other, query, id=id_of(their_job))
    lists = {"jobs": seen["jobs"], "recordSchemas": seen["recordSchemas"], **seen["job"]}
    cursors = {name: page["pageInfo"]["endCursor"] for name, page in lists.items()}
    my_job = next(
        row for row in rows if isinstance(row, Job) and row.partner_id == me.id and row.parent_id is None
    )
    mine = {id_of(row) for row in rows if getattr(row, "partner_id", None) == me.id}
    return _World(http, stack, me, my_job, mine, cursors)


async def _found(world: _World, field: str, id: str) -> object:
    return await world.ask(f"query ($id: ID!) {{ found: {field}(id: $id) {{ id }} }}", id=id)


async def _filtered(world: _World, id: str) -> object:
    query = "query ($id: ID!) { jobs(filter: {recordSchemaId: $id}) { totalCount nodes { id } pageInfo { endCursor } } }"
    return (await world.ask(query, id=id))["jobs"]


async def _cancelled(world: _World, id: str) -> object:
    query = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { id } userErrors { code } } }"
    return (await world.ask(query, id=id))["cancelJob"]


async def _submitted(world: _World, id: str) -> object:
    answer = (await submit(world.http, world.me, submission(id))).json()["data"]["submitFile"]
    return {"job": answer["job"], "userErrors": [{"code": error["code"]} for error in answer["userErrors"]]}


async def _committed(world: _World, id: str) -> object:
    query = "mutation ($id: ID!) { commitJob(input: {jobId: $id}) { job { id } userErrors { code } } }"
    return (await world.ask(query, id=id))["commitJob"]


async def _discarded(world: _World, id: str) -> object:
    query = "mutation ($id: ID!) { discardRecords(input: {jobId: $id}) { job { id } userErrors { code } } }"
    return (await world.ask(query, id=id))["discardRecords"]


async def _watched(world: _World, id: str, query: str = PROGRESS) -> object:
    async with asyncio.timeout(5):  # a job that may be watched goes on for ever
        messages = await subscribe(world.stack, world.me, id, query)
    return [(message["type"], message["payload"][0]["extensions"]["code"]) for message in messages]


_DISCARDING = "subscription ($id: ID!) { discardProgress(jobId: $id) { at } }"


async def _retried(world: _World, id: str) -> object:
    return await _retry(world, {"jobId": id})


async def _retried_by(world: _World, id: str) -> object:
    return await _retry(world, {"jobId": id_of(world.my_job), "schemaId": id})


async def _retry(world: _World, given: dict[str, str]) -> object:
    query = "mutation ($input: RetryJobInput!) { retryJob(input: $input) { job { id } userErrors { code } } }"
    return (await world.ask(query, input=given))["retryJob"]


_NOTHING = {"job": None, "userErrors": [{"code": "NOT_FOUND"}]}
_IDS: dict[str, tuple[Callable[[_World, str], Awaitable[object]], object]] = {
    "Query.job(id)": (lambda world, given: _found(world, "job", given), {"found": None}),
    "Query.node(id)": (lambda world, given: _found(world, "node", given), {"found": None}),
    "Query.recordSchema(id)": (lambda world, given: _found(world, "recordSchema", given), {"found": None}),
    "Query.jobs(filter.recordSchemaId)": (_filtered, {"totalCount": "0", "nodes": [], "pageInfo": {"endCursor": None}}),
    "Mutation.cancelJob(input.jobId)": (_cancelled, _NOTHING),
    "Mutation.commitJob(input.jobId)": (_committed, _NOTHING),
    "Mutation.discardRecords(input.jobId)": (_discarded, _NOTHING),
    "Mutation.retryJob(input.jobId)": (_retried, _NOTHING),
    "Mutation.retryJob(input.schemaId)": (_retried_by, _NOTHING),
    "Mutation.submitFile(input.schemaId)": (_submitted, _NOTHING),
    "Subscription.jobProgress(jobId)": (_watched, [("error", "NOT_FOUND")]),
    "Subscription.discardProgress(jobId)": (
        lambda world, given: _watched(world, given, _DISCARDING), [("error", "NOT_FOUND")]
    ),
}  # fmt: skip
"""Every place into which an id goes, and what comes of one that is not the caller's."""


async def _rows_after(world: _World, name: str) -> set[str]:
    query = f"query ($after: String) {{ {name}(first: 100, after: $after) {{ nodes {{ id }} }} }}"
    return {node["id"] for node in (await world.ask(query, after=world.cursors[name]))[name]["nodes"]}


async def _inner_after(world: _World, name: str, field: str) -> set[str]:
    query = f"query ($id: ID!, $after: String) {{ job(id: $id) {{ {name}(first: 100, after: $after) {{ nodes {{ {field} }} }} }} }}"
    found = await world.ask(query, id=id_of(world.my_job), after=world.cursors[name])
    return {str(node[field]) for node in found["job"][name]["nodes"]}


async def _retries_after(world: _World) -> set[str]:
    return await _inner_after(world, "retries", "id")


_CURSORS: dict[str, tuple[Callable[[_World], Awaitable[set[str]]], Callable[[_World], set[str]]]] = {
    "Query.jobs(after)": (lambda world: _rows_after(world, "jobs"), lambda world: world.my_rows),
    "Query.recordSchemas(after)": (lambda world: _rows_after(world, "recordSchemas"), lambda world: world.my_rows),
    "Job.records(after)": (lambda world: _inner_after(world, "records", "data"), lambda world: {str({"owner": str(world.me.id)})}),
    "Job.retries(after)": (_retries_after, lambda world: world.my_rows),
    "Job.errors(after)": (lambda world: _inner_after(world, "errors", "field"), lambda world: {"mine"}),
}  # fmt: skip
"""Every place into which a cursor goes, and what may come of another partner's."""


def _places(
    type: GraphQLInputType, path: str, seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Where in an argument there is an id or a cursor: (path, "ID" or "cursor")."""
    named = get_named_type(type)
    if named.name == "ID":
        yield path, "ID"
    elif path in ("after", "before", "cursor"):
        yield path, "cursor"
    elif isinstance(named, GraphQLInputObjectType) and named.name not in seen:
        for name, field in named.fields.items():
            yield from _places(field.type, f"{path}.{name}", seen | {named.name})


def _all_places(kind: str) -> set[str]:
    objects = [type for type in built._schema.type_map.values() if isinstance(type, GraphQLObjectType)]
    return {
        f"{type.name}.{field}({path})"
        for type in objects if not type.name.startswith("__")
        for field, details in type.fields.items()
        for argument, given in details.args.items()
        for path, found in _places(given.type, argument) if found == kind
    }  # fmt: skip


def test_every_place_for_an_id_or_a_cursor_has_a_case() -> None:
    """A new argument of the schema fails here until its case is added above."""
    assert set(_IDS) == _all_places("ID")
    assert set(_CURSORS) == _all_places("cursor")


@pytest.mark.parametrize("place", _IDS)
async def test_a_foreign_id_is_like_nobodys_wherever_it_goes(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, other_partner: Owner, place: str
) -> None:
    """Foreign, unknown and senseless ids have one and the same answer, which tells nothing."""
    world = await _world(app_client, stack, partner, other_partner)
    ask, nothing = _IDS[place]
    before = await Job.filter(partner_id=partner.id).count()

    for name, id in (await _theirs(other_partner, partner)).items():
        assert nothing == await ask(world, id), name

    assert 0 == await Job.filter(status=JobStatus.CANCELLED).filter(partner_id=other_partner.id).count()
    assert before == await Job.filter(partner_id=partner.id).count()
    theirs = await Job.filter(partner_id=other_partner.id).values_list("id", flat=True)
    assert 1 == await Discard.filter(job_id__in=list(theirs)).count()


@pytest.mark.parametrize("place", _CURSORS)
async def test_a_foreign_cursor_shows_only_ones_own(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, other_partner: Owner, place: str
) -> None:
    """A cursor is a place in an order, never a right: behind another partner's there are the caller's own rows."""
    world = await _world(app_client, stack, partner, other_partner)
    ask, mine = _CURSORS[place]

    found = await ask(world)

    assert found
    assert found <= mine(world)
