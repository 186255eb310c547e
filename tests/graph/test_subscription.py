"""jobProgress over a real WebSocket; the tests publish and write what a worker would."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from tortoise import Tortoise
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from graph.sockets import MAX_OPERATIONS
from graph.subscriptions import POLL_SECONDS
from models import Job, JobStatus
from settings import tortoise_config
from sluice.endpoints import Services
from tasks.progress import Progress, publish
from tests.factories import make_job
from tests.graph.api import Owner, id_of
from tests.graph.rows import finish, load
from tests.graph.sockets import acknowledged, receive, send, socket, subscribe, watch
from tests.stack import Stack, interrupt, running


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    """The Redis of that API."""
    async with Redis.from_url(stack.services.redis_url) as client:
        yield client


async def _event(opened: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(2 * POLL_SECONDS):
        message = await receive(opened)
    assert "next" == message["type"], message
    event: dict[str, Any] = message["payload"]["data"]["jobProgress"]
    return event


async def _running(job: Job, bytes_read: int) -> Progress:
    await Job.filter(id=job.id).update(status=JobStatus.PROCESSING, bytes_read=bytes_read)
    return Progress.of(await Job.get(id=job.id))


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"status": "CANCELLED"},
        {"status": "FAILED", "failure_code": "MALFORMED", "failure_message": "Bad."},
    ],
    ids=["completed", "cancelled", "failed"],
)
async def test_a_finished_job_sends_one_event(
    stack: Stack, partner: Owner, job: Job, columns: dict[str, str]
) -> None:
    """Its final state, then it completes."""
    await finish(job, **columns)

    [message] = await subscribe(stack, partner, id_of(job))

    event = message["payload"]["data"]["jobProgress"]
    assert (id_of(job), columns.get("status", "COMPLETED")) == (event["jobId"], event["status"])


async def test_a_subscriber_gets_the_state_now_then_newer_ones_then_the_final_one(
    stack: Stack, partner: Owner, job: Job, redis: Redis
) -> None:
    """Older states are dropped, and the final one is what the row says."""
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(job))
        assert "PENDING" == (await _event(opened))["status"]

        later = await _running(job, 50)
        await publish(redis, later)
        event = await _event(opened)
        assert ("PROCESSING", "50", 50.0) == (event["status"], event["bytesRead"], event["percent"])

        await publish(redis, replace(later, bytes_read=20))
        await finish(job, records_accepted=7)
        await publish(redis, replace(later, status=JobStatus.COMPLETED, bytes_read=100, records_accepted=6))
        final = await _event(opened)

        assert ("COMPLETED", "7", "100") == (final["status"], final["recordsAccepted"], final["bytesRead"])
        assert {"type": "complete", "id": "1"} == await receive(opened)


async def test_the_final_state_arrives_without_any_message(stack: Stack, partner: Owner, job: Job) -> None:
    """A slow poll of the row repairs what Redis lost."""
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(job))
        await _event(opened)
        await finish(job)

        assert "COMPLETED" == (await _event(opened))["status"]


async def test_the_state_is_read_anew_when_redis_comes_back(
    stack: Stack, partner: Owner, job: Job, redis: Redis
) -> None:
    """A lost pub/sub connection is replaced, and messages arrive again."""
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(job))
        await _event(opened)
        await redis.client_kill_filter(_type="pubsub")
        await _running(job, 10)

        assert "10" == (await _event(opened))["bytesRead"]
        await publish(redis, await _running(job, 20))
        assert "20" == (await _event(opened))["bytesRead"]


async def test_many_subscriptions_share_a_connection(
    stack: Stack, partner: Owner, job: Job, redis: Redis
) -> None:
    """Each gets every state, and ends on its own."""
    async with acknowledged(stack, partner) as opened:
        for number in range(10):
            await watch(opened, id_of(job), str(number))
            await _event(opened)
        await send(opened, type="complete", id="0")
        await finish(job)
        await publish(redis, Progress.of(await Job.get(id=job.id)))

        messages = [await receive(opened) for _ in range(18)]

    assert {str(number) for number in range(1, 10)} == {message["id"] for message in messages}


@pytest.mark.parametrize("way", ["header", "payload"])
async def test_a_key_in_the_header_or_the_payload_is_accepted(stack: Stack, partner: Owner, way: str) -> None:
    """Browsers cannot set headers."""
    headers, payload = (partner.headers, None) if way == "header" else (None, {"apiKey": partner.key})

    async with socket(stack, headers) as opened:
        await send(opened, type="connection_init", payload=payload)

        assert {"type": "connection_ack"} == await receive(opened)


@pytest.mark.parametrize(
    "payload", [None, {}, {"apiKey": "slc_x_y"}, {"apiKey": 5}, {"apiKey": None}, {"apiKey": "\0"}]
)
async def test_a_socket_without_a_valid_key_is_closed_with_4403(
    stack: Stack, payload: dict[str, Any] | None
) -> None:
    """Forbidden."""
    async with socket(stack) as opened:
        await send(opened, type="connection_init", payload=payload)

        assert 4403 == await _close_code(opened)


async def test_a_wrong_key_in_the_payload_is_not_healed_by_the_header(stack: Stack, partner: Owner) -> None:
    """Who sends a key means it."""
    async with socket(stack, partner.headers) as opened:
        await send(opened, type="connection_init", payload={"apiKey": "slc_x_y"})

        assert 4403 == await _close_code(opened)


async def test_a_subscription_before_the_init_is_closed_with_4401(
    stack: Stack, job: Job, partner: Owner
) -> None:
    """Even if the header has a key."""
    async with socket(stack, partner.headers) as opened:
        await watch(opened, id_of(job))

        assert 4401 == await _close_code(opened)


@pytest.mark.parametrize(
    "message",
    [
        "hello", "[]", "5", "null", "{}", '{"type": 5}', '{"type": "' + "x" * 500 + '"}', "[" * 5000,
        '{"type": "subscribe"}', '{"type": "subscribe", "id": [], "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "1", "payload": []}', '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": [1]}}',
        '{"type": "complete", "id": {}}', '{"type": "complete"}', '{"type": "connection_init", "payload": "x"}',
    ],
)  # fmt: skip
async def test_a_message_that_makes_no_sense_closes_with_4400(
    stack: Stack, partner: Owner, message: str
) -> None:
    """Never with an error of the server."""
    log = len(stack.log)
    async with acknowledged(stack, partner) as opened:
        await opened.send(message)

        assert 4400 == await _close_code(opened)
    assert "Traceback" not in stack.log[log:]


async def test_a_binary_message_closes_with_4400(stack: Stack, partner: Owner) -> None:
    """The protocol is text."""
    async with acknowledged(stack, partner) as opened:
        await opened.send(b"{}")

        assert 4400 == await _close_code(opened)


async def test_the_old_protocol_is_not_spoken(stack: Stack, partner: Owner) -> None:
    """graphql-ws of subscriptions-transport-ws is closed with 4406."""
    async with socket(stack, partner.headers, "graphql-ws") as opened:
        assert 4406 == await _close_code(opened)


@pytest.mark.parametrize(
    "query",
    ["{", "{ " + '"' + "x" * 500, "subscription { nothing }", "{ nothing }", "subscription { a: jobProgress(jobId: 1) { at } b: jobProgress(jobId: 1) { at } }",
     "subscription A { jobProgress(jobId: 1) { at } } query B { viewer { name } }"],
    ids=["syntax", "long syntax error", "unknown subscription", "unknown field", "two root fields", "two operations"],
)  # fmt: skip
async def test_a_bad_operation_ends_in_an_error_and_the_socket_lives(
    stack: Stack, partner: Owner, query: str
) -> None:
    """The other operations of the connection go on."""
    async with acknowledged(stack, partner) as opened:
        await send(opened, type="subscribe", id="bad", payload={"query": query})
        message = await receive(opened)
        assert ("error", "bad") == (message["type"], message["id"])
        assert "BAD_USER_INPUT" == message["payload"][0]["extensions"]["code"]

        await send(opened, type="subscribe", id="good", payload={"query": "{ viewer { name } }"})
        assert {"data": {"viewer": {"name": "Acme"}}} == (await receive(opened))["payload"]


async def test_numbers_keep_their_digits_over_a_socket_too(stack: Stack, partner: Owner, job: Job) -> None:
    """The record's text is in the message as it is."""
    await load(job, ['{"a": 0.10}'], [])
    query = "query ($id: ID!) { job(id: $id) { records { nodes { data } } } }"

    async with acknowledged(stack, partner) as opened:
        await send(
            opened, type="subscribe", id="1", payload={"query": query, "variables": {"id": id_of(job)}}
        )

        assert '{"a": 0.10}' in str(await opened.recv())


async def test_a_connection_runs_so_many_operations_at_a_time(stack: Stack, partner: Owner, job: Job) -> None:
    """One more is RATE_LIMITED; the others go on."""
    async with acknowledged(stack, partner) as opened:
        for number in range(MAX_OPERATIONS):
            await watch(opened, id_of(job), str(number))
            await _event(opened)
        await watch(opened, id_of(job), "more")
        message = await receive(opened)

    assert ("error", "more") == (message["type"], message["id"])
    assert "RATE_LIMITED" == message["payload"][0]["extensions"]["code"]


async def test_subscriptions_end_when_the_api_shuts_down(services: Services, tmp_path: Path) -> None:
    """The client is told to come back, and the API exits 0 at once."""
    async with running(services, tmp_path, workers=0) as stack:
        await Tortoise.init(config=tortoise_config(stack.services.database_url))
        partner = await Owner.create("Acme")
        job = await make_job(partner=partner.row)
        async with acknowledged(stack, partner) as opened:
            await watch(opened, id_of(job))
            await _event(opened)

            code, seconds = await asyncio.to_thread(interrupt, stack.processes[0])

            assert 1012 == await _close_code(opened)
        await Tortoise.close_connections()

    assert 0 == code
    assert seconds < 4


async def test_limits_hold_on_a_socket_too(stack: Stack, partner: Owner) -> None:
    """An operation that is refused over HTTP is refused here."""
    query = "{ jobs(first: 100) { nodes { records(first: 1000) { totalCount } } } }"

    async with acknowledged(stack, partner) as opened:
        await send(opened, type="subscribe", id="1", payload={"query": query})

        assert "error" == (await receive(opened))["type"]


async def _close_code(opened: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        await _listen(opened)
    return opened.close_code


async def _listen(opened: ClientConnection) -> None:
    async with asyncio.timeout(5):
        while True:
            await opened.recv()
