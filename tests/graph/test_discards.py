"""discardRecords, Job.discard and discardProgress; the tests delete and publish what a worker would."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from tortoise import connections
from websockets.asyncio.client import ClientConnection

from graph.subscriptions import POLL_SECONDS
from models import Discard, Job, JobStatus, RecordSchema
from tasks.discard_progress import DiscardProgress
from tasks.progress import publish
from tests.factories import make_job
from tests.graph.api import Owner, codes, data, execute, id_of
from tests.graph.event_streams import streamed
from tests.graph.rows import finish, load
from tests.graph.sockets import acknowledged, receive, send, watch
from tests.stack import Stack

_FIELDS = "jobId status recordsTotal recordsDiscarded percent requestedAt startedAt finishedAt"
DISCARD = f"""mutation ($id: ID!) {{ discardRecords(input: {{jobId: $id}}) {{ userErrors {{ code message field }}
  job {{ id status discard {{ {_FIELDS} }} }} }} }}"""
PROGRESS = f"subscription ($id: ID!) {{ discardProgress(jobId: $id) {{ {_FIELDS} at }} }}"


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    """The Redis of that API."""
    async with Redis.from_url(stack.services.redis_url) as client:
        yield client


@pytest.fixture
async def loaded(job: Job) -> Job:
    """COMPLETED, with three records and one error."""
    await load(job, ['{"id": 1}'] * 3, [(3, "id", "REQUIRED")])
    await finish(job)
    return job


async def _discard(client: httpx.AsyncClient, owner: Owner, job: Job) -> dict[str, Any]:
    payload: dict[str, Any] = (await data(client, owner, DISCARD, id=id_of(job)))["discardRecords"]
    return payload


async def _work(job: Job, limit: int) -> DiscardProgress:
    """What a worker does next: it deletes so many, and finishes when nothing is left."""
    # Not claim_next: that would take what other tests have left.
    await Discard.filter(job_id=job.id, started_at=None).update(attempt=1, started_at=datetime.now(UTC))
    discard = await Discard.get(job_id=job.id)
    async with connections.get("default").acquire_connection() as connection, connection.transaction():
        assert await discard.advance(connection, job, await discard.delete_next(connection, job, limit))
    row = await Job.get(id=job.id)
    if not row.records_stored:
        await discard.finish()
    return await DiscardProgress.read(job.id)


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
async def test_discard_records_of_a_finished_job_waits_for_a_worker(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, status: str
) -> None:
    """Whatever its end was; the job's own status stays."""
    await finish(job, status=status, records_accepted=3)

    payload = await _discard(app_client, partner, job)

    row = await Discard.get(job_id=job.id)
    assert [] == payload["userErrors"]
    discard = payload["job"].pop("discard")
    assert {"id": id_of(job), "status": status} == payload["job"]
    assert discard.pop("requestedAt").startswith(row.requested_at.isoformat()[:19])
    assert {
        "jobId": id_of(job), "status": "PENDING", "recordsTotal": "3", "recordsDiscarded": "0", "percent": 0.0,
        "startedAt": None, "finishedAt": None,
    } == discard  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"status": "PENDING"}, "still PENDING"),
        ({"status": "PROCESSING"}, "still PROCESSING"),
        ({"status": "COMPLETED", "dry_run": True}, "dry run"),
        ({"status": "PENDING", "dry_run": True}, "dry run"),
    ],
)
async def test_what_has_loaded_nothing_for_good_cannot_be_discarded(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, columns: dict[str, Any], says: str
) -> None:
    """INVALID_STATE, and no discard."""
    await Job.filter(id=job.id).update(**columns)

    payload = await _discard(app_client, partner, job)

    [error] = payload["userErrors"]
    assert ("INVALID_STATE", ["input", "jobId"]) == (error["code"], error["field"])
    assert says in error["message"]
    assert (columns["status"], None) == (payload["job"]["status"], payload["job"]["discard"])
    assert not await Discard.exists(job_id=job.id)


async def test_a_job_is_discarded_once(app_client: httpx.AsyncClient, partner: Owner, loaded: Job) -> None:
    """Of ten at once one is told that it was; the others, and those to come, that it had been."""
    payloads = await asyncio.gather(*(_discard(app_client, partner, loaded) for _ in range(10)))
    await _work(loaded, 10)
    payloads.append(await _discard(app_client, partner, loaded))

    said = [[error["code"] for error in payload["userErrors"]] for payload in payloads]
    assert sorted(said) == [[], *[["INVALID_STATE"]] * 10]
    assert "before" in payloads[-1]["userErrors"][0]["message"]
    assert "COMPLETED" == payloads[-1]["job"]["discard"]["status"]


async def test_what_is_left_is_listed_and_counted(
    app_client: httpx.AsyncClient, partner: Owner, loaded: Job
) -> None:
    """After a chunk, and after the last; errors, summary and counters stay."""
    query = """query ($id: ID!) { job(id: $id) { records { totalCount nodes { index } } errors { totalCount }
      errorSummary { count } progress { recordsAccepted recordsRejected } discard { status percent recordsDiscarded } } }"""
    await _discard(app_client, partner, loaded)

    seen = []
    for _ in range(2):
        await _work(loaded, 2)
        seen.append((await data(app_client, partner, query, id=id_of(loaded)))["job"])

    stays = {
        "errors": {"totalCount": "1"},
        "errorSummary": [{"count": "1"}],
        "progress": {"recordsAccepted": "3", "recordsRejected": "1"},
    }
    assert [
        stays | {
            "records": {"totalCount": "1", "nodes": [{"index": "2"}]},
            "discard": {"status": "PROCESSING", "percent": 66.7, "recordsDiscarded": "2"},
        },
        stays | {
            "records": {"totalCount": "0", "nodes": []},
            "discard": {"status": "COMPLETED", "percent": 100.0, "recordsDiscarded": "3"},
        },
    ] == seen  # fmt: skip


async def test_discards_of_a_page_are_its_own(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """Each job of a list shows its own, or none."""
    jobs = [await make_job(partner=partner.row, schema=schema, status=JobStatus.FAILED) for _ in range(4)]
    for job in jobs[:2]:
        await _discard(app_client, partner, job)
    await _work(jobs[1], 1)

    page = await data(app_client, partner, "{ jobs(first: 10) { nodes { id discard { jobId status } } } }")

    assert {
        id_of(jobs[0]): {"jobId": id_of(jobs[0]), "status": "PENDING"},
        id_of(jobs[1]): {"jobId": id_of(jobs[1]), "status": "COMPLETED"},
        id_of(jobs[2]): None,
        id_of(jobs[3]): None,
    } == {job["id"]: job["discard"] for job in page["jobs"]["nodes"]}


async def _event(opened: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(2 * POLL_SECONDS):
        message = await receive(opened)
    assert "next" == message["type"], message
    event: dict[str, Any] = message["payload"]["data"]["discardProgress"]
    return event


async def test_a_subscriber_gets_the_state_now_then_newer_ones_then_the_final_one(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, loaded: Job, redis: Redis
) -> None:
    """Older states are dropped, and it completes."""
    await _discard(app_client, partner, loaded)
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(loaded), query=PROGRESS)
        first = await _event(opened)
        assert (id_of(loaded), "PENDING", "0", "3") == (
            first["jobId"], first["status"], first["recordsDiscarded"], first["recordsTotal"]
        )  # fmt: skip

        one = await _work(loaded, 1)
        await publish(redis, one)
        event = await _event(opened)
        assert ("PROCESSING", "1", 33.3) == (
            event["status"],
            event["recordsDiscarded"],
            event["percent"],
        )
        assert event["startedAt"]

        two = await _work(loaded, 1)
        await publish(redis, two)
        assert "2" == (await _event(opened))["recordsDiscarded"]
        await publish(redis, one)
        await publish(redis, await _work(loaded, 1))
        final = await _event(opened)

        assert ("COMPLETED", "3", 100.0) == (
            final["status"],
            final["recordsDiscarded"],
            final["percent"],
        )
        assert final["finishedAt"]
        assert {"type": "complete", "id": "1"} == await receive(opened)


async def test_the_final_state_arrives_without_any_message(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, loaded: Job
) -> None:
    """A slow poll of the rows repairs what Redis lost."""
    await _discard(app_client, partner, loaded)
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(loaded), query=PROGRESS)
        await _event(opened)
        await _work(loaded, 10)

        assert "COMPLETED" == (await _event(opened))["status"]


async def test_a_finished_discard_sends_one_event(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, loaded: Job
) -> None:
    """Its final state, then it completes."""
    await _discard(app_client, partner, loaded)
    await _work(loaded, 10)

    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(loaded), query=PROGRESS)
        assert "COMPLETED" == (await _event(opened))["status"]
        assert {"type": "complete", "id": "1"} == await receive(opened)


async def test_the_same_comes_as_server_sent_events(
    app_client: httpx.AsyncClient, partner: Owner, loaded: Job, redis: Redis
) -> None:
    """The state now, changes, the end."""
    await _discard(app_client, partner, loaded)
    async with streamed(app_client, partner, PROGRESS, id=id_of(loaded)) as stream:
        assert "PENDING" == (await stream.next())["data"]["discardProgress"]["status"]
        await publish(redis, await _work(loaded, 2))
        assert "2" == (await stream.next())["data"]["discardProgress"]["recordsDiscarded"]
        await publish(redis, await _work(loaded, 2))

        rest = await stream.rest()

    assert ["next", "complete"] == [event.name for event in rest]
    assert "COMPLETED" == rest[0].data["data"]["discardProgress"]["status"]


async def test_many_who_watch_one_discard_get_each_state(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, loaded: Job, redis: Redis
) -> None:
    """They share an execution; one who leaves takes nothing from the others."""
    await _discard(app_client, partner, loaded)
    async with acknowledged(stack, partner) as opened:
        for number in range(10):
            await watch(opened, id_of(loaded), str(number), PROGRESS)
            assert "PENDING" == (await _event(opened))["status"]
        await send(opened, type="complete", id="0")
        await publish(redis, await _work(loaded, 3))

        messages = [await receive(opened) for _ in range(18)]

    assert {str(number) for number in range(1, 10)} == {message["id"] for message in messages}
    assert 9 == sum(message["type"] == "complete" for message in messages)


async def test_a_job_and_its_discard_are_watched_apart(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, loaded: Job
) -> None:
    """jobProgress of a job that is discarded says what it always said."""
    await _discard(app_client, partner, loaded)
    await _work(loaded, 2)
    query = "subscription ($id: ID!) { jobProgress(jobId: $id) { status recordsAccepted } }"
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(loaded), query=query)

        event = (await receive(opened))["payload"]["data"]["jobProgress"]

        assert {"status": "COMPLETED", "recordsAccepted": "3"} == event
        assert {"type": "complete", "id": "1"} == await receive(opened)


async def test_what_nobody_asked_to_discard_cannot_be_watched(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, loaded: Job
) -> None:
    """The subscription is refused, on a socket and as server-sent events; over plain HTTP there are none."""
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(loaded), query=PROGRESS)
        message = await receive(opened)
    assert ("error", "BAD_USER_INPUT") == (message["type"], message["payload"][0]["extensions"]["code"])
    assert "discardRecords" in message["payload"][0]["message"]

    async with streamed(app_client, partner, PROGRESS, id=id_of(loaded)) as stream:
        [refused, complete] = await stream.rest()
    assert ["next", "complete"] == [refused.name, complete.name]
    assert "BAD_USER_INPUT" == refused.data["errors"][0]["extensions"]["code"]

    plain = await app_client.post(
        "/graphql", json={"query": PROGRESS, "variables": {"id": id_of(loaded)}}, headers=partner.headers
    )
    assert ["BAD_USER_INPUT"] == codes(plain.json())


async def test_cancelling_with_discard_asks_for_it_at_once(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """The answer of cancelJob shows it already."""
    job = await make_job(partner=partner.row, schema=schema, on_failure="DISCARD")
    query = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { status onFailure discard { status } } } }"

    answer = await execute(app_client, partner, query, id=id_of(job))

    assert {"status": "CANCELLED", "onFailure": "DISCARD", "discard": {"status": "PENDING"}} == (
        answer["data"]["cancelJob"]["job"]
    )
