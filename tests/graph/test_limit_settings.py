"""Every limit is a setting: an API with small ones refuses what is one more, with a code, and takes what is not."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import asyncpg
import httpx
import pytest
from tortoise import connections
from websockets.exceptions import ConnectionClosed

from models import Job, RecordSchema
from sluice.endpoints import Services
from tests.factories import make_job, make_schema
from tests.graph.api import (
    MAP,
    MULTIPART,
    Owner,
    closed,
    codes,
    data,
    execute,
    id_of,
    part,
    submission,
    submit,
)
from tests.graph.event_streams import EVENTS, streamed
from tests.graph.rows import finish
from tests.graph.sockets import PROGRESS, acknowledged, receive, send, socket, watch
from tests.stack import Stack, running

_RETRY = "mutation ($input: RetryJobInput!) { retryJob(input: $input) { userErrors { message } } }"
_REJECTED = 500_000
_UPLOAD_BYTES = 50_000
_VIEWER = "{ viewer { name } }"
_CHARS, _JSON_BYTES, _OPERATIONS, _SOCKETS, _SECONDS = 2_000, 10_000, 2, 3, 0.7


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API that allows next to nothing."""
    async with running(
        services, tmp_path_factory.mktemp("small"), workers=0, max_document_chars=str(_CHARS), max_tokens="200",
        max_depth="5", max_aliases="3", max_nodes="500", max_json_bytes=str(_JSON_BYTES),
        max_operations_per_socket=str(_OPERATIONS), max_sockets_per_key=str(_SOCKETS),
        execution_seconds=str(_SECONDS), max_upload_bytes=str(_UPLOAD_BYTES),
    ) as stack:  # fmt: skip
        yield stack


_DOCUMENTS = {
    "depth": (
        "{ jobs(first: 1) { nodes { recordSchema { fields { name } } } } }",
        "{ jobs(first: 1) { edges { node { recordSchema { fields { name } } } } } }",
        "5 levels",
    ),
    "aliases": (
        "{ a: viewer { id } b: viewer { id } c: viewer { id } }",
        "{ a: viewer { id } b: viewer { id } c: viewer { id } d: viewer { id } }",
        "3 are allowed",
    ),
    "nodes": (
        "{ jobs(first: 5) { nodes { records(first: 100) { totalCount } } } }",
        "{ jobs(first: 5) { nodes { records(first: 101) { totalCount } } } }",
        "500 nodes",
    ),
    "tokens": ("{" + "viewer { id } " * 45 + "}", "{" + "viewer { id } " * 55 + "}", "200 tokens"),
    "characters": (_VIEWER.ljust(_CHARS), _VIEWER.ljust(_CHARS + 1), "2,000 characters"),
}  # fmt: skip


@pytest.mark.parametrize(("allowed", "refused", "said"), _DOCUMENTS.values(), ids=_DOCUMENTS)
async def test_a_document_has_limits(
    app_client: httpx.AsyncClient, partner: Owner, allowed: str, refused: str, said: str
) -> None:
    """Each is named in the refusal."""
    await data(app_client, partner, allowed)
    answer = await execute(app_client, partner, refused)

    assert ["BAD_USER_INPUT"] == codes(answer)
    assert said in answer["errors"][0]["message"]


async def test_a_body_has_so_many_bytes(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """413 for one more."""
    headers = partner.headers | {"content-type": "application/json"}
    longest = b'{"query": "{ viewer { name } }"}'.ljust(_JSON_BYTES)

    taken = await app_client.post("/graphql", content=longest, headers=headers)
    refused = await app_client.post("/graphql", content=longest + b" ", headers=headers)

    assert 200 == taken.status_code
    assert (413, ["PAYLOAD_TOO_LARGE"]) == (refused.status_code, codes(refused.json()))
    assert "10,000 bytes" in refused.json()["errors"][0]["message"]


async def test_a_socket_runs_so_many_operations(stack: Stack, partner: Owner, job: Job) -> None:
    """One more is RATE_LIMITED; the others go on."""
    async with acknowledged(stack, partner) as opened:
        for number in range(_OPERATIONS):
            await watch(opened, id_of(job), str(number))
            assert "next" == (await receive(opened))["type"]
        await watch(opened, id_of(job), "more")
        message = await receive(opened)

    assert ("error", "more") == (message["type"], message["id"])
    assert "RATE_LIMITED" == message["payload"][0]["extensions"]["code"]


async def test_a_key_has_so_many_sockets_and_streams(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, job: Job
) -> None:
    """One more socket is closed, one more stream is a 429; other keys are not touched, and who leaves makes room."""
    body = {"query": PROGRESS, "variables": {"id": id_of(job)}}
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(streamed(app_client, partner, PROGRESS, id=id_of(job)))
        await opened.enter_async_context(acknowledged(stack, partner))
        async with acknowledged(stack, partner):
            async with socket(stack, partner.headers) as refused:
                await send(refused, type="connection_init")
                with pytest.raises(ConnectionClosed):
                    await receive(refused)
            response = await app_client.post("/graphql", json=body, headers=partner.headers | EVENTS)
            async with acknowledged(stack, other_partner):
                pass
        assert (1013, True) == (
            refused.close_code,
            str(refused.close_reason).startswith("RATE_LIMITED: A key"),
        )
        assert (429, ["RATE_LIMITED"]) == (response.status_code, codes(response.json()))
        assert 1 <= int(response.headers["retry-after"])
        async with asyncio.timeout(5):
            while not await _is_let_in(stack, partner):
                await asyncio.sleep(0.05)


async def _is_let_in(stack: Stack, owner: Owner) -> bool:
    async with socket(stack, owner.headers) as opened:
        await send(opened, type="connection_init")
        try:
            return "connection_ack" == str((await receive(opened))["type"])
        except ConnectionClosed:
            return False


@asynccontextmanager
async def _locked(stack: Stack, table: str) -> AsyncIterator[None]:
    """Nobody else gets at that table."""
    connection = await asyncpg.connect(stack.services.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


_SLOW = {
    "query": ("job", "{ jobs { totalCount } }", {}),
    "mutation": (
        "record_schema",
        "mutation ($input: CreateRecordSchemaInput!) { createRecordSchema(input: $input) { recordSchema { id } } }",
        {"input": {"name": "late", "fields": [{"name": "a", "type": "STRING"}]}},
    ),
}


@pytest.mark.parametrize(("table", "query", "variables"), _SLOW.values(), ids=_SLOW)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_what_takes_too_long_is_ended(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, table: str, query: str, variables: dict[str, object], accept: str
) -> None:  # fmt: skip
    """503 and UNAVAILABLE; nothing of it happens later, and its connection to the database is free again."""
    async with _locked(stack, table):
        began = time.monotonic()
        responses = await asyncio.gather(*(
            app_client.post("/graphql", json={"query": query, "variables": variables}, headers=partner.headers | {"accept": accept})
            for _ in range(12)
        ))  # fmt: skip
        seconds = time.monotonic() - began

    assert {(503, "UNAVAILABLE")} == {
        (response.status_code, *codes(response.json())) for response in responses
    }
    assert {"5"} == {response.headers["retry-after"] for response in responses}
    assert _SECONDS <= seconds < 5
    assert {"viewer": {"name": "Acme"}} == await data(app_client, partner, _VIEWER)
    assert 0 == await RecordSchema.filter(partner_id=partner.id, name="late").count()


async def test_what_takes_too_long_on_a_socket_is_ended(stack: Stack, partner: Owner) -> None:
    """With an error; the socket lives."""
    async with acknowledged(stack, partner) as opened:
        async with _locked(stack, "job"):
            await send(opened, type="subscribe", id="1", payload={"query": "{ jobs { totalCount } }"})
            message = await receive(opened)
        assert ("error", "1") == (message["type"], message["id"])
        assert "UNAVAILABLE" == message["payload"][0]["extensions"]["code"]

        await send(opened, type="subscribe", id="1", payload={"query": _VIEWER})
        assert {"data": {"viewer": {"name": "Acme"}}} == (await receive(opened))["payload"]


async def test_noting_what_is_outstanding_may_take_as_long_as_it_does(
    app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """The file of a retry has arrived by then: it would have been sent for nothing."""
    await Job.filter(id=job.id).update(status="COMPLETED", records_rejected=_REJECTED)
    await connections.get("default").execute_query(
        "INSERT INTO record_error (job_id, record_index, seq, line, byte_offset, byte_length, code, message)"
        " SELECT $1, k, 0, k, k, 1, 'COLUMN_COUNT', 'No.' FROM generate_series(0, $2::bigint - 1) AS k",
        [job.id, _REJECTED],
    )
    operations = {"query": _RETRY, "variables": {"input": {"jobId": id_of(job), "file": None}}}
    body = closed(
        [
            part("operations", json.dumps(operations)),
            part("map", MAP),
            part("0", b"id\n1\n", filename="a.csv"),
        ]
    )

    began = time.monotonic()
    answer = (await submit(app_client, partner, body)).json()

    assert {"retryJob": {"userErrors": []}} == answer["data"], answer
    assert _SECONDS < time.monotonic() - began
    retry = await Job.get(parent_id=job.id)
    assert retry.origins_key is not None


async def test_a_file_of_rejected_records_has_so_many_bytes(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """A long namespace that was declared once would be declared around each of them, and fill the disk."""
    start = f'<os><g><o><id>1</id></o></g><g xmlns:a="urn:{"x" * 10_000}">'
    element, records = "<o><a:id>x</a:id></o>", 20
    content = f"{start}{element * records}</g></os>".encode()
    definition = {"fields": [{"name": "id", "type": "INTEGER"}], "record_path": "o"}
    schema = await make_schema(partner=partner.row, definition=definition)
    job = await make_job(
        partner=partner.row, schema=schema, status="COMPLETED", format="XML", filename="os.xml", records_accepted=1,
        records_rejected=records, size_bytes=len(content), storage_key=uuid4().hex,
    )  # fmt: skip
    files = stack.folder / "files"
    files.mkdir(exist_ok=True)
    (files / job.storage_key).write_bytes(content)
    await connections.get("default").execute_query(
        "INSERT INTO record_error (job_id, record_index, seq, byte_offset, byte_length, field, code, message)"
        " SELECT $1, 1 + k, 0, $2::bigint + $3::bigint * k, $3, 'id', 'INVALID_INTEGER', 'No.'"
        " FROM generate_series(0, $4::bigint - 1) AS k",
        [job.id, len(start), len(element), records],
    )
    before = set(files.iterdir())

    answer = await data(app_client, partner, _RETRY, input={"jobId": id_of(job)})

    assert "more than 100,000 bytes" in answer["retryJob"]["userErrors"][0]["message"]
    assert before == set(files.iterdir())


async def test_a_subscription_may_take_as_long_as_it_likes(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """Over both transports."""
    async with (
        acknowledged(stack, partner) as opened,
        streamed(app_client, partner, PROGRESS, id=id_of(job)) as stream,
    ):
        await watch(opened, id_of(job))
        assert "next" == (await receive(opened))["type"]
        await stream.progress()
        await asyncio.sleep(2 * _SECONDS)
        await finish(job)

        assert "COMPLETED" == (await stream.progress())["status"]
        assert "next" == (await receive(opened))["type"]


async def test_the_time_of_a_files_bytes_does_not_count(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """A slow upload is taken; how slow it may be is another setting's affair."""
    body = submission(id_of(schema))

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:-20]
        await asyncio.sleep(2 * _SECONDS)
        yield body[-20:]

    response = await app_client.post("/graphql", content=slowly(), headers=MULTIPART | partner.headers)

    assert response.json()["data"]["submitFile"]["job"]


async def test_the_time_after_a_file_counts(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """What is done with it must not hang."""
    async with _locked(stack, "job"):
        response = await submit(app_client, partner, submission(id_of(schema)))

    assert (503, ["UNAVAILABLE"]) == (response.status_code, codes(response.json()))
