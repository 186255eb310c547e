"""Failures of ours, in every operation and over every transport: the client gets a reference, and the log's line has it, too."""

import json
import re
from typing import Any

import httpx
import pytest

from models import Job, RecordSchema
from sluice.endpoints import Services
from tests.graph.api import Owner, id_of, submission, submit
from tests.graph.event_streams import streamed
from tests.graph.sockets import PROGRESS, acknowledged, receive, send, watch
from tests.stack import Stack, running

_QUERY = "query ($id: ID!) { job(id: $id) { format } }"
_MUTATION = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { format } } }"
_REFERENCE = re.compile(r"Internal error\. .* the reference ([0-9a-f]{12}) ")


@pytest.fixture
async def broken(stack: Stack, job: Job) -> Job:
    """A job that no code of ours writes, and none can show."""
    await stack.query("UPDATE job SET status = 'NOPE' WHERE id = $1", job.id)
    return job


def _assert_masked(stack: Stack, errors: list[dict[str, Any]]) -> None:
    """One error, which tells nothing but a reference; one line of the log tells the rest."""
    [error] = errors
    assert "INTERNAL" == error["extensions"]["code"]
    found = _REFERENCE.match(error["message"])
    assert found, error
    assert "NOPE" not in error["message"]
    lines = [json.loads(line) for line in stack.log.splitlines() if found[1] in line]
    assert [("internal error", found[1])] == [(line["event"], line["reference"]) for line in lines]
    assert "Traceback" in json.dumps(lines)


@pytest.mark.parametrize("query", [_QUERY, _MUTATION], ids=["query", "mutation"])
async def test_over_http(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, broken: Job, query: str
) -> None:
    """As JSON, and as an event."""
    body = {"query": query, "variables": {"id": id_of(broken)}}
    response = await app_client.post("/graphql", json=body, headers=partner.headers)
    _assert_masked(stack, response.json()["errors"])

    async with streamed(app_client, partner, query, id=id_of(broken)) as stream:
        _assert_masked(stack, (await stream.next())["errors"])


@pytest.mark.parametrize("query", [_QUERY, _MUTATION], ids=["query", "mutation"])
async def test_over_a_socket(stack: Stack, partner: Owner, broken: Job, query: str) -> None:
    """As the result of the operation."""
    async with acknowledged(stack, partner) as opened:
        payload = {"query": query, "variables": {"id": id_of(broken)}}
        await send(opened, type="subscribe", id="1", payload=payload)
        message = await receive(opened)
        assert "next" == message["type"]
        _assert_masked(stack, message["payload"]["errors"])


async def test_of_a_subscription_over_a_socket(stack: Stack, partner: Owner, broken: Job) -> None:
    """It ends there."""
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(broken))
        message = await receive(opened)
        assert "error" == message["type"]
        _assert_masked(stack, message["payload"])


async def test_of_a_subscription_over_an_event_stream(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, broken: Job
) -> None:
    """It ends there, too."""
    async with streamed(app_client, partner, PROGRESS, id=id_of(broken)) as stream:
        _assert_masked(stack, (await stream.next())["errors"])
        assert ["complete"] == [event.name for event in await stream.rest()]


async def test_of_an_uploads_answer(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """In a resolver, as in any mutation."""
    await RecordSchema.filter(id=schema.id).update(definition={"fields": "NOPE"})
    body = submission(id_of(schema)).replace(b"job { id", b"job { recordSchema { fields { name } } id")

    response = await submit(app_client, partner, body)

    _assert_masked(stack, response.json()["errors"])


async def test_of_an_uploads_storage(services: Services, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The whole request fails with it, with 500."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "files").write_text("not a folder")
    async with running(services, folder, workers=0) as stack, await stack.partner() as client:
        key = client._headers["X-API-Key"]
        create = 'mutation { createRecordSchema(input: {name: "a", fields: [{name: "id", type: STRING}]}) { recordSchema { id } } }'
        schema = (await client.execute(create, {}))["createRecordSchema"]["recordSchema"]["id"]
        async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as http:
            response = await http.post(
                "/graphql", content=submission(schema), headers={"x-api-key": key, "content-type": "multipart/form-data; boundary=----sluice-test"}
            )  # fmt: skip

        assert 500 == response.status_code
        _assert_masked(stack, response.json()["errors"])
