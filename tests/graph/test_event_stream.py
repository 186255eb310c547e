"""Subscriptions as server-sent events over a real connection; the tests publish and write what a worker would."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from models import Job, JobStatus
from tasks.progress import Progress, publish
from tests.faults.jobs import until
from tests.graph.api import MULTIPART, Owner, codes, id_of, submission
from tests.graph.event_streams import EVENTS, Event, streamed
from tests.graph.rows import finish, make_schema
from tests.graph.sockets import PROGRESS, acknowledged, receive, watch
from tests.stack import Stack

_VIEWER = "{ viewer { name } }"
_URQL = {
    "accept": "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
}
_COMPLETE = Event("complete", None)


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    """The Redis of that API."""
    async with Redis.from_url(stack.services.redis_url) as client:
        yield client


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_finished_job_is_one_event_and_complete(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, method: str
) -> None:
    """Then the response ends. Nobody on the way may keep or change it."""
    await finish(job)

    async with streamed(app_client, partner, PROGRESS, method=method, id=id_of(job)) as stream:
        state = await stream.progress()
        rest = await stream.rest()

    assert (id_of(job), "COMPLETED") == (state["jobId"], state["status"])
    assert [_COMPLETE] == rest
    assert "no-store, no-transform" == stream.response.headers["cache-control"]
    assert "no" == stream.response.headers["x-accel-buffering"]


async def test_the_state_now_then_newer_ones_then_the_final_one(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, redis: Redis
) -> None:
    """As over a WebSocket: nothing goes back, and the end is what the row says."""
    async with streamed(app_client, partner, PROGRESS, id=id_of(job)) as stream:
        assert "PENDING" == (await stream.progress())["status"]

        await Job.filter(id=job.id).update(status=JobStatus.PROCESSING, bytes_read=50)
        later = Progress.of(await Job.get(id=job.id))
        await publish(redis, later)
        assert "50" == (await stream.progress())["bytesRead"]

        await publish(redis, replace(later, bytes_read=20))
        await finish(job, records_accepted=7)
        await publish(redis, replace(later, status=JobStatus.COMPLETED, bytes_read=100, records_accepted=6))
        final = await stream.progress()

        assert ("COMPLETED", "7", "100") == (final["status"], final["recordsAccepted"], final["bytesRead"])
        assert [_COMPLETE] == await stream.rest()


async def test_a_foreign_job_is_not_found(
    app_client: httpx.AsyncClient, other_partner: Owner, job: Job
) -> None:
    """An event with an error, as clients expect it, and then it is complete."""
    async with streamed(app_client, other_partner, PROGRESS, id=id_of(job)) as stream:
        result = await stream.next()
        assert [_COMPLETE] == await stream.rest()

    assert ["NOT_FOUND"] == codes(result)
    assert "data" not in result


@pytest.mark.parametrize(
    "query",
    [
        "subscription {",
        "subscription { nothing }",
        "{ nothing }",
        "subscription { a: jobProgress(jobId: 1) { at } b: jobProgress(jobId: 1) { at } }",
        "subscription A { jobProgress(jobId: 1) { at } } query B { viewer { name } }",
        "{ jobs(first: 100) { nodes { records(first: 1000) { totalCount } } } }",
        "subscription { jobProgress(jobId: 1) { at } } #" + "x" * 70_000,
    ],
    ids=["syntax", "unknown subscription", "unknown field", "two root fields", "two operations", "nodes", "length"],
)  # fmt: skip
async def test_what_is_not_executed_is_told_in_an_event(
    app_client: httpx.AsyncClient, partner: Owner, query: str
) -> None:
    """The protocol has it so: a browser shows nothing of a response that is not 200."""
    async with streamed(app_client, partner, query) as stream:
        result = await stream.next()
        assert [_COMPLETE] == await stream.rest()

    assert {"BAD_USER_INPUT"} == set(codes(result))


async def test_a_query_and_a_mutation_are_one_event(
    app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """For clients that take nothing else."""
    cancel = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { status } } }"

    async with streamed(app_client, partner, _VIEWER, method="GET") as stream:
        assert [Event("next", {"data": {"viewer": {"name": "Acme"}}}), _COMPLETE] == await stream.rest()
    async with streamed(app_client, partner, cancel, id=id_of(job)) as stream:
        assert {"data": {"cancelJob": {"job": {"status": "CANCELLED"}}}} == await stream.next()
        assert [_COMPLETE] == await stream.rest()


async def test_an_upload_is_one_event(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Whatever can be executed can be answered so."""
    schema = await make_schema(partner=partner.row)
    headers = partner.headers | MULTIPART | EVENTS

    response = await app_client.post("/graphql", content=submission(id_of(schema)), headers=headers)

    assert response.text.startswith('event: next\ndata: {"data":{"submitFile":{"job":{"id":')
    assert response.text.endswith("\n\nevent: complete\ndata:\n\n")


async def test_a_mutation_by_get_is_refused(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """405: a link must not do anything."""
    params = {"query": 'mutation { cancelJob(input: {jobId: "x"}) { job { id } } }'}

    response = await app_client.get("/graphql", params=params, headers=partner.headers | EVENTS)

    assert (405, "POST") == (response.status_code, response.headers["allow"])


async def test_who_takes_events_too_gets_them_for_subscriptions_alone(
    app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """A query's result is JSON for him, and so are his mistakes."""
    await finish(job)
    async with streamed(app_client, partner, PROGRESS, headers=_URQL, id=id_of(job)) as stream:
        assert "COMPLETED" == (await stream.progress())["status"]

    for query, status in ((_VIEWER, 200), ("{ nothing }", 400)):
        response = await app_client.post("/graphql", json={"query": query}, headers=partner.headers | _URQL)
        assert (status, "application/graphql-response+json; charset=utf-8") == (
            response.status_code, response.headers["content-type"],
        )  # fmt: skip


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/event-stream;q=0"])
async def test_who_does_not_take_events_is_told_what_there_is(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, accept: str
) -> None:
    """A subscription needs an event stream or a WebSocket."""
    body = {"query": PROGRESS, "variables": {"id": id_of(job)}}

    response = await app_client.post("/graphql", json=body, headers=partner.headers | {"accept": accept})

    assert (400, ["BAD_USER_INPUT"]) == (response.status_code, codes(response.json()))
    assert "text/event-stream" in response.json()["errors"][0]["message"]


async def test_without_a_key_there_is_a_401(app_client: httpx.AsyncClient, job: Job) -> None:
    """No stream begins."""
    body = {"query": PROGRESS, "variables": {"id": id_of(job)}}

    response = await app_client.post("/graphql", json=body, headers=EVENTS)

    assert (401, ["UNAUTHENTICATED"]) == (response.status_code, codes(response.json()))


@pytest.mark.parametrize("shown", [True, False])
async def test_variables_may_be_of_any_type(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, shown: bool
) -> None:
    """Such a subscription has an execution of its own."""
    await finish(job)
    query = "subscription ($id: ID!, $shown: Boolean!) { jobProgress(jobId: $id) { status percent @include(if: $shown) } }"

    async with streamed(app_client, partner, query, id=id_of(job), shown=shown) as stream:
        assert shown == ("percent" in await stream.progress())
        assert [_COMPLETE] == await stream.rest()


async def test_equal_subscriptions_share_an_execution_whatever_carries_them(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """The end is read from the row once: all are told the same moment."""
    async with (
        streamed(app_client, partner, PROGRESS, id=id_of(job)) as one,
        streamed(app_client, partner, PROGRESS, method="GET", id=id_of(job)) as two,
        acknowledged(stack, partner) as socket,
    ):
        await watch(socket, id_of(job))
        for stream in (one, two):
            assert "PENDING" == (await stream.progress())["status"]
        assert "next" == (await receive(socket))["type"]
        await finish(job)
        async with Redis.from_url(stack.services.redis_url) as redis:
            await publish(redis, Progress.of(await Job.get(id=job.id)))
        ends = [await one.progress(), await two.progress()]
        ends.append((await receive(socket))["payload"]["data"]["jobProgress"])

    assert 1 == len({json.dumps(end) for end in ends})
    assert "COMPLETED" == ends[0]["status"]


async def test_who_leaves_is_forgotten(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, redis: Redis
) -> None:
    """While he waits for an event: his subscription ends, down to the channel in Redis."""
    channel = f"sluice:progress:{job.id.hex}".encode()

    async def is_watched() -> bool:
        return channel in await redis.pubsub_channels()

    async def is_forgotten() -> bool:
        return not await is_watched()

    async with streamed(app_client, partner, PROGRESS, id=id_of(job)) as stream:
        await stream.progress()
        await until(is_watched)

    await until(is_forgotten, 5)


async def test_others_of_the_same_connection_are_served_behind_it(
    app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """A connection that has carried a stream to its end carries the next request."""
    await finish(job)
    for _ in range(3):
        async with streamed(app_client, partner, PROGRESS, id=id_of(job)) as stream:
            await stream.rest()
        response = await app_client.post("/graphql", json={"query": _VIEWER}, headers=partner.headers)
        assert 200 == response.status_code

    assert 1 == len(_connections(app_client))


def _connections(client: httpx.AsyncClient) -> list[Any]:
    pool: Any = client._transport
    return list(pool._pool.connections)


async def test_many_streams_at_once(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, redis: Redis
) -> None:
    """Each gets every state, to its end."""

    async def followed() -> list[str]:
        async with streamed(app_client, partner, PROGRESS, id=id_of(job)) as stream:
            await stream.progress()
            begun.release()
            return [event.name for event in await stream.rest()]

    begun = asyncio.Semaphore(0)
    following = asyncio.gather(*(followed() for _ in range(50)))
    for _ in range(50):
        await begun.acquire()
    await finish(job)
    await publish(redis, Progress.of(await Job.get(id=job.id)))

    assert [["next", "complete"]] * 50 == await following
