"""createRecordSchema and cancelJob (submitFile has test_upload.py)."""

import asyncio
import json
import logging
from typing import Any, cast

import httpx
import pytest
from redis.asyncio import Redis

from graph.context import Backends, Context
from graph.schema import schema as graph_schema
from models import Job, RecordSchema
from tasks.progress import Progress, ProgressFeed
from tests.factories import make_job
from tests.graph.api import Owner, codes, data, execute, id_of
from tests.graph.rows import finish
from tests.graph.sockets import acknowledged, receive
from tests.stack import Stack

CREATE = """mutation ($input: CreateRecordSchemaInput!) { createRecordSchema(input: $input) {
  userErrors { code message field }
  recordSchema { id name version recordPath unknownFields encoding createdAt
    csv { delimiter quote escape skipLines header comment }
    fields { name source type required default nullValues trim min max minLength maxLength pattern enum format } } } }"""
CANCEL = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { id status finishedAt } userErrors { code field } } }"
_PLAIN = {"name": "id", "type": "INTEGER"}


async def _create(client: httpx.AsyncClient, owner: Owner, **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = (await data(client, owner, CREATE, input=input))["createRecordSchema"]
    return payload


async def test_create_record_schema_fills_in_the_defaults(
    app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """What is left out reads as the contract says."""
    payload = await _create(app_client, partner, name="orders", fields=[_PLAIN])

    assert [] == payload["userErrors"]
    schema = payload["recordSchema"]
    assert id_of(await RecordSchema.get(partner_id=partner.id)) == schema.pop("id")
    assert schema.pop("createdAt").endswith("Z")
    assert {
        "name": "orders", "version": 1, "recordPath": None, "unknownFields": "IGNORE", "encoding": None,
        "csv": {"delimiter": None, "quote": '"', "escape": None, "skipLines": 0, "header": True, "comment": None},
        "fields": [{
            "name": "id", "source": "id", "type": "INTEGER", "required": True, "default": None, "nullValues": [""],
            "trim": True, "min": None, "max": None, "minLength": None, "maxLength": None, "pattern": None,
            "enum": None, "format": None,
        }],
    } == schema  # fmt: skip


async def test_create_record_schema_keeps_every_option(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Including falsy ones, which are not the same as left out."""
    fields: list[dict[str, Any]] = [
        {"name": "n", "source": "N", "type": "NUMBER", "required": False, "default": 0, "min": -1.5, "max": 10,
         "nullValues": [], "trim": False},
        {"name": "s", "type": "STRING", "minLength": 0, "maxLength": 5, "pattern": "[a-z]*", "enum": ["a", "b"]},
        {"name": "d", "type": "DATE", "format": "%d/%m/%Y", "min": "2020-01-01"},
        {"name": "b", "type": "BOOLEAN", "default": False, "nullValues": ["", "NA"]},
    ]  # fmt: skip
    csv = {"delimiter": ";", "quote": "", "skipLines": 2, "header": False, "comment": "#"}

    payload = await _create(
        app_client, partner, name="all", fields=fields, csv=csv, recordPath="a.b", unknownFields="REJECT",
        encoding="windows-1252",
    )  # fmt: skip

    assert [] == payload["userErrors"]
    schema = payload["recordSchema"]
    for sent, saved in zip(fields, schema["fields"], strict=True):
        assert sent == {option: saved[option] for option in sent}
    assert csv == {option: schema["csv"][option] for option in csv}
    assert ("a.b", "REJECT", "windows-1252") == (
        schema["recordPath"],
        schema["unknownFields"],
        schema["encoding"],
    )


async def test_saving_a_name_again_makes_its_next_version(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner
) -> None:
    """Also at the same time; another partner's versions are apart."""
    await _create(app_client, other_partner, name="orders", fields=[_PLAIN])

    made = await asyncio.gather(
        *(_create(app_client, partner, name="orders", fields=[_PLAIN]) for _ in range(4))
    )

    assert [1, 2, 3, 4] == sorted(payload["recordSchema"]["version"] for payload in made)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "  "}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "a\0"}, ["name"]),
        ({"fields": []}, ["fields"]),
        ({"fields": [_PLAIN, {"name": "s", "type": "STRING", "pattern": "("}]}, ["fields", "1", "pattern"]),
        ({"fields": [{"name": "s", "type": "STRING", "minLength": -1}]}, ["fields", "0", "minLength"]),
        ({"fields": [{"name": "n\0", "type": "STRING"}]}, ["fields", "0", "name"]),
        ({"fields": [{"name": "n", "type": "NUMBER", "default": {"a": 1}}]}, ["fields", "0", "default"]),
        ({"encoding": "ebcdic"}, ["encoding"]),
        ({"csv": {"delimiter": ";;"}}, ["csv", "delimiter"]),
        ({"csv": {"skipLines": -1}}, ["csv", "skipLines"]),
    ],
    ids=[
        "empty name",
        "blank name",
        "long name",
        "NUL in the name",
        "no fields",
        "pattern",
        "length",
        "field name",
        "default",
        "encoding",
        "delimiter",
        "skipped lines",
    ],
)
async def test_a_schema_that_makes_no_sense_is_refused_with_its_path(
    app_client: httpx.AsyncClient, partner: Owner, change: dict[str, Any], path: list[str]
) -> None:
    """INVALID, in the contract's spelling, and nothing is saved."""
    payload = await _create(app_client, partner, **{"name": "orders", "fields": [_PLAIN]} | change)

    assert None is payload["recordSchema"]
    assert ("INVALID", ["input", *path]) == (
        payload["userErrors"][0]["code"],
        payload["userErrors"][0]["field"],
    )
    assert 0 == await RecordSchema.filter(partner_id=partner.id).count()


async def test_all_faults_of_a_schema_are_told_at_once(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Name and definition together."""
    payload = await _create(
        app_client, partner, name="", fields=[{"name": "s", "type": "STRING", "pattern": "("}]
    )

    assert [["input", "name"], ["input", "fields", "0", "pattern"]] == [
        error["field"] for error in payload["userErrors"]
    ]


@pytest.mark.parametrize("number", ["123456789012345678901234567890", "1e400", "9" * 4301, "1" * 4000])
async def test_a_default_with_many_digits_is_never_an_internal_error(
    app_client: httpx.AsyncClient, partner: Owner, number: str
) -> None:
    """It is kept exactly, or refused."""
    body = '{"query": %s, "variables": {"input": {"name": "n", "fields": [{"name": "n", "type": "NUMBER", "default": %s}]}}}'
    response = await app_client.post(
        "/graphql", content=body % (json.dumps(CREATE), number),
        headers=partner.headers | {"content-type": "application/json"},
    )  # fmt: skip

    if response.status_code == 200 and (
        schema := response.json()["data"]["createRecordSchema"]["recordSchema"]
    ):
        assert number == str(schema["fields"][0]["default"])
    else:
        assert "INTERNAL" not in response.text


_EXACT = "0.123456789012345678901234567890"
_BOUNDS = "mutation ($input: CreateRecordSchemaInput!) { createRecordSchema(input: $input) { recordSchema { fields { min } } } }"
_LITERAL = """mutation { createRecordSchema(input: {name: "n", fields: [{name: "n", type: NUMBER, min: %s}]}) {
  recordSchema { fields { min } } } }"""


@pytest.mark.parametrize(("number", "shown"), [(_EXACT, _EXACT), ("-1.50", -1.5), ("1e3", 1000.0)])
@pytest.mark.parametrize("way", ["variable", "literal", "socket"])
async def test_a_bound_keeps_all_its_digits(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, number: str, shown: str | float, way: str
) -> None:
    """As a text where a float would lose some; wherever it is written."""
    field = f'{{"name": "n", "type": "NUMBER", "min": {number}}}'
    variables = f'{{"input": {{"name": "n", "fields": [{field}]}}}}'
    payload = f'{{"query": {json.dumps(_BOUNDS)}, "variables": {variables}}}'
    if way == "literal":
        payload = json.dumps({"query": _LITERAL % number})
    if way == "socket":
        async with acknowledged(stack, partner) as opened:
            await opened.send(f'{{"type": "subscribe", "id": "1", "payload": {payload}}}')
            answer = (await receive(opened))["payload"]
    else:
        response = await app_client.post(
            "/graphql", content=payload, headers=partner.headers | {"content-type": "application/json"}
        )
        answer = response.json()

    assert {"data": {"createRecordSchema": {"recordSchema": {"fields": [{"min": shown}]}}}} == answer


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING"])
async def test_cancel_job_stops_a_job(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, job: Job, status: str
) -> None:
    """It is final when it answers, and every API process is told."""
    await Job.filter(id=job.id).update(status=status)
    async with (
        Redis.from_url(stack.services.redis_url) as redis,
        ProgressFeed(redis) as feed,
        feed.watch(Progress, job.id) as slot,
    ):
        payload = (await data(app_client, partner, CANCEL, id=id_of(job)))["cancelJob"]
        told: Progress | None = await slot.take(5)

    assert ([], "CANCELLED") == (payload["userErrors"], payload["job"]["status"])
    assert payload["job"]["finishedAt"]
    assert told is not None
    assert "CANCELLED" == told.status


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
async def test_cancelling_a_finished_job_is_an_invalid_state(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, status: str
) -> None:
    """The job comes along, as it was."""
    await finish(job, status=status)

    payload = (await data(app_client, partner, CANCEL, id=id_of(job)))["cancelJob"]

    assert [{"code": "INVALID_STATE", "field": ["input", "jobId"]}] == payload["userErrors"]
    assert (id_of(job), status) == (payload["job"]["id"], payload["job"]["status"])


async def test_a_failed_job_says_why_and_where(
    app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """Other jobs have no failure."""
    query = "query ($id: ID!) { job(id: $id) { failure { code message recordIndex line } } }"
    assert {"job": {"failure": None}} == await data(app_client, partner, query, id=id_of(job))
    await finish(
        job, status="FAILED", failure_code="TRUNCATED", failure_message="It ends.", failure_record_index=7
    )

    found = await data(app_client, partner, query, id=id_of(job))

    assert {"code": "TRUNCATED", "message": "It ends.", "recordIndex": "7", "line": None} == found["job"][
        "failure"
    ]


async def test_schemas_of_many_jobs_are_loaded_at_once(
    partner: Owner, schema: RecordSchema, caplog: pytest.LogCaptureFixture
) -> None:
    """A page of jobs with their schemas takes two queries, however many jobs it has."""
    for _ in range(10):
        await make_job(partner=partner.row, schema=schema)
    context = Context(cast("Backends", None), partner.key, partner.row)

    with caplog.at_level(logging.DEBUG, "tortoise.db_client"):
        result = await graph_schema.execute(
            "{ jobs { nodes { recordSchema { version } } } }", context_value=context
        )

    assert result.data is not None
    assert 10 == len(result.data["jobs"]["nodes"])
    assert 2 == len(caplog.records)


async def test_an_unknown_enum_value_is_bad_user_input(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Coercion of variables speaks of the value, not of Python."""
    answer = await execute(
        app_client, partner, CREATE, input={"name": "x", "fields": [{"name": "x", "type": "MONEY"}]}
    )

    assert ["BAD_USER_INPUT"] == codes(answer)
    assert "MONEY" in answer["errors"][0]["message"]
