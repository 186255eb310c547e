"""Subscribers through lost messages, cut sockets and Redis restarts: they see a job go forward, and always its end."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from graph.sockets import MAX_OPERATIONS
from graph.subscriptions import follow
from models import Job, JobStatus
from sluice.client import ApiClient
from sluice.endpoints import Services
from sluice.errors import Unreachable
from tasks.broker import redis_options
from tasks.progress import Progress, ProgressFeed, publish
from tests import samples
from tests.check import assert_left_whole
from tests.factories import make_partner, make_schema
from tests.faults.jobs import submitted, until
from tests.faults.own_redis import OwnRedis, own_redis
from tests.faults.proxy import Proxy, standing_before
from tests.graph.sockets import send, watch
from tests.stack import PROGRESS, Stack, assert_forward, create_schema, running, submit

TIMINGS = 1_000
_AT_A_TIME = 40
_SECONDS = 20.0


@pytest.fixture
def never_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No subscriber asks the row just because time has passed: what a test sees came by a message, or by a resubscription."""
    monkeypatch.setattr("graph.subscriptions.POLL_SECONDS", 3_600.0)


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[OwnRedis]:
    """A Redis that may be killed."""
    async with own_redis(tmp_path / "redis") as own:
        yield own


async def _jobs(count: int) -> list[Job]:
    """PROCESSING, of a file of 100 bytes."""
    partner = await make_partner()
    schema = await make_schema(partner=partner)
    jobs = [
        Job(
            partner_id=partner.id, record_schema_id=schema.id, filename="a.csv", format="CSV", size_bytes=100,
            sha256="0" * 64, storage_key=uuid4().hex, status=JobStatus.PROCESSING,
        )
        for _ in range(count)
    ]  # fmt: skip
    await Job.bulk_create(jobs)
    return jobs


async def _work(redis: Redis, job: Job, pause: float) -> None:
    """What a worker tells of a job of two batches: each state is committed, then published."""
    for columns in (
        {"bytes_read": 40, "records_accepted": 4},
        {"bytes_read": 80, "records_accepted": 7, "records_rejected": 1},
        {"bytes_read": 100, "status": JobStatus.COMPLETED, "finished_at": datetime.now(UTC)},
    ):
        await asyncio.sleep(pause)
        await Job.filter(id=job.id).update(**columns)
        await publish(redis, Progress.of(await Job.get(id=job.id)))


async def _seen(feed: ProgressFeed, job: Job, delay: float) -> list[Progress]:
    """All that a subscriber sees who comes after `delay`."""
    await asyncio.sleep(delay)
    async with asyncio.timeout(_SECONDS), aclosing(follow(feed, Progress, job.id)) as states:
        return [state async for state in states]


def _assert_whole(states: list[Progress]) -> None:
    """Forward, to the end, in the row's numbers."""
    assert all(before.order < after.order for before, after in pairwise(states)), states
    last = states[-1]
    assert (JobStatus.COMPLETED, 100, 7, 1) == (
        last.status, last.bytes_read, last.records_accepted, last.records_rejected,
    )  # fmt: skip
    assert not any(state.status.is_final for state in states[:-1])


@pytest.mark.usefixtures("never_polled", "database")
async def test_no_timing_of_subscribe_against_finish_loses_the_end(
    services: Services, chance: random.Random
) -> None:
    """A thousand subscribers that come before, between and after the states of a job: each sees its end, without asking."""
    turns = asyncio.Semaphore(_AT_A_TIME)
    async with Redis.from_url(services.redis_url, **redis_options()) as redis, ProgressFeed(redis) as feed:

        async def one(job: Job) -> list[Progress]:
            async with turns:
                pause = chance.uniform(0.0, 0.01)
                states, _ = await asyncio.gather(
                    _seen(feed, job, chance.uniform(0.0, 5 * pause)), _work(redis, job, pause)
                )
                return states

        streams = await asyncio.gather(*(one(job) for job in await _jobs(TIMINGS)))

    for states in streams:
        _assert_whole(states)
    assert {1, 2, 3} <= {len(states) for states in streams}


@pytest.mark.usefixtures("never_polled", "database")
async def test_no_loss_of_redis_loses_the_end(own: OwnRedis, chance: random.Random) -> None:
    """Killed, silent and away for longer than a subscriber waits, its pub/sub cut: nobody has to ask, and no channel is left."""
    async with (
        standing_before(own.url) as link,
        Redis.from_url(own.url, **redis_options()) as redis,
        Redis.from_url(link.url(own.url), **redis_options()) as linked,
        ProgressFeed(linked) as feed,
    ):
        jobs = await _jobs(200)
        works = [_work(redis, job, chance.uniform(0.0, 2.5)) for job in jobs]
        watching = asyncio.gather(*(_seen(feed, job, chance.uniform(0.0, 7.0)) for job in jobs), *works)
        for loss in chance.sample((_die, _fall_silent, _forget), 3):
            await _cut_now_and_then(redis, chance)
            await loss(own, link)
        streams = (await watching)[: len(jobs)]
        channels = await _until_nobody_watches(redis)

    for states in streams:
        _assert_whole(states or [])
    assert [b"sluice:progress:idle"] == channels


@pytest.mark.usefixtures("never_polled", "database")
async def test_who_comes_while_redis_is_silent_reads_the_row_when_it_speaks(own: OwnRedis) -> None:
    """Its subscription counts from then on; the job ended between its first look at the row and that moment."""
    async with (
        standing_before(own.url) as link,
        Redis.from_url(own.url, **redis_options()) as redis,
        Redis.from_url(link.url(own.url), **redis_options()) as linked,
        ProgressFeed(linked) as feed,
    ):
        await _until_nobody_watches(redis)
        [job] = await _jobs(1)
        link.silence()
        watching = asyncio.create_task(_seen(feed, job, 0.0))
        await _work(redis, job, 0.6)
        link.heal()
        states = await watching

    _assert_whole(states)
    assert states[0].bytes_read < 100


async def _die(own: OwnRedis, link: Proxy) -> None:
    """kill -9, and away for 1.5 s."""
    await own.kill()
    await asyncio.sleep(1.5)
    await own.start()


async def _fall_silent(own: OwnRedis, link: Proxy) -> None:
    """Nothing passes for 1.5 s; then all that was sent."""
    link.silence()
    await asyncio.sleep(1.5)
    link.heal()


async def _forget(own: OwnRedis, link: Proxy) -> None:
    """The connection is reset, and the next one is silent for 1.5 s."""
    link.silence()
    link.reset()
    await asyncio.sleep(1.5)
    link.heal()


async def _cut_now_and_then(redis: Redis, chance: random.Random) -> None:
    for _ in range(5):
        await asyncio.sleep(chance.uniform(0.0, 0.6))
        await redis.client_kill_filter(_type="pubsub")


async def _until_nobody_watches(redis: Redis) -> list[bytes]:
    """The channels that are left, after a moment for those that are being left."""
    channels: list[bytes] = []

    async def is_tidy() -> bool:
        channels[:] = [bytes(name) for name in await redis.pubsub_channels() if isinstance(name, bytes)]
        return len(channels) == 1

    await until(is_tidy, 10)
    return channels


@pytest.fixture
async def stack(services: Services, own: OwnRedis, tmp_path: Path) -> AsyncIterator[Stack]:
    """An API on that Redis."""
    async with running(
        Services(services.database_url, own.url), tmp_path, workers=0, batch_records="20"
    ) as stack:
        yield stack
        await assert_left_whole(stack)


async def test_the_end_arrives_through_cut_sockets_and_a_redis_restart(
    stack: Stack, own: OwnRedis, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Subscribers of a real worker's jobs, cut off at any moment, come back until they know the end; none sees a step back."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "orders.csv", 100)
    stack.start_worker()
    async with standing_before(stack.url) as link, ApiClient(link.url(stack.url), _key(client)) as linked:

        async def one() -> list[dict[str, Any]]:
            await asyncio.sleep(chance.uniform(0.0, 3.0))
            job_id = await submit(client, schema_id, path)
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            return await _until_the_end(linked, job_id)

        watching = asyncio.gather(*(one() for _ in range(30)))
        async with Redis.from_url(own.url, **redis_options()) as redis:
            for number in range(20):
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                link.reset()
                await redis.client_kill_filter(_type="pubsub")
                if number == 10:
                    await own.kill()
                    await own.start()
            async with asyncio.timeout(60):
                streams = await watching
            channels = await _until_nobody_watches(redis)

    for events in streams:
        assert_forward(events)
        assert ("COMPLETED", "100") == (events[-1]["status"], events[-1]["recordsRead"])
    assert [b"sluice:progress:idle"] == channels


def _key(client: ApiClient) -> str:
    return client._headers["X-API-Key"]


async def _until_the_end(client: ApiClient, job_id: str) -> list[dict[str, Any]]:
    """What all subscriptions saw together, each made when the one before was cut off."""
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["status"] in ("PENDING", "PROCESSING"):
        try:
            async for event in client.subscribe(PROGRESS, {"jobId": job_id}):
                seen += [event["jobProgress"]]
        except Unreachable:
            await asyncio.sleep(0.05)
    return seen


EVENTS = 10_000
FILLING = 250
"""So many, times fifty operations, fill what the system keeps for a connection."""
_MAX_GROWTH = 4 * 1024 * 1024
_MAX_KEPT = 8 * 1024 * 1024
"""What lies between the API and a subscriber that does not read: mostly buffers of the system."""


async def test_a_subscriber_that_never_reads_costs_a_bounded_number_of_bytes(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Half a million events for it, of which the latest is kept; others get theirs; when it reads after all, it sees the end."""
    case = await submitted(stack, client, tmp_path, 10)
    await stack.query("UPDATE job SET status = 'PROCESSING', size_bytes = $1", EVENTS)
    state = Progress(case.uuid, JobStatus.PROCESSING, EVENTS, 0, 0, 0, None, None, datetime.now(UTC))
    states = [replace(state, bytes_read=read) for read in range(1, EVENTS)]
    api = psutil.Process(stack.processes[0].pid)
    async with (
        Redis.from_url(stack.services.redis_url, **redis_options()) as redis,
        _deaf(stack, client) as deaf,
    ):
        for number in range(MAX_OPERATIONS):
            await watch(deaf, case.job_id, str(number))
        seen: list[dict[str, Any]] = []
        following = asyncio.create_task(_collect(client, case.job_id, seen))
        await until(lambda: _is_seen(state, seen))
        for filling in states[:FILLING]:
            await _publish_all(redis, [filling], seen)
        before = api.memory_info().rss
        await _publish_all(redis, states[FILLING:], seen)
        growth = api.memory_info().rss - before
        await stack.query("UPDATE job SET status = 'COMPLETED', bytes_read = size_bytes")
        await publish(redis, replace(state, status=JobStatus.COMPLETED))
        await following
        kept = await _read_after_all(deaf)

    assert_forward(seen)
    assert growth < _MAX_GROWTH
    assert sum(map(len, kept)) < _MAX_KEPT
    assert len(kept) < FILLING * MAX_OPERATIONS, "it was never full"
    ends = [message for message in kept if '"COMPLETED"' in message]
    assert MAX_OPERATIONS == len(ends)


@asynccontextmanager
async def _deaf(stack: Stack, client: ApiClient) -> AsyncIterator[ClientConnection]:
    """A connection that takes nothing from the network until its test calls recv(): room for a few messages, and no more."""
    address = urlsplit(stack.url)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    plain.connect((address.hostname, address.port))
    async with connect(
        f"ws://{address.netloc}/graphql", sock=plain, subprotocols=[Subprotocol("graphql-transport-ws")],
        additional_headers=client._headers, proxy=None, compression=None, max_queue=1, close_timeout=1,
    ) as deaf:  # fmt: skip
        await send(deaf, type="connection_init")
        assert "connection_ack" in str(await deaf.recv())
        yield deaf


async def _publish_all(redis: Redis, states: list[Progress], seen: list[dict[str, Any]]) -> None:
    """Returns when one who listens has seen the last of them."""
    for some in range(0, len(states), 20):
        await asyncio.gather(*(publish(redis, state) for state in states[some : some + 20]))
    await until(lambda: _is_seen(states[-1], seen))


async def _is_seen(state: Progress, seen: list[dict[str, Any]]) -> bool:
    return bool(seen) and int(seen[-1]["bytesRead"]) == state.bytes_read


async def _collect(client: ApiClient, job_id: str, seen: list[dict[str, Any]]) -> None:
    async for event in client.subscribe(PROGRESS, {"jobId": job_id}):
        seen += [event["jobProgress"]]


async def _read_after_all(deaf: ClientConnection) -> list[str]:
    """All messages, until every operation is complete."""
    messages: list[str] = []
    async with asyncio.timeout(_SECONDS):
        while sum('"complete"' in message for message in messages[-2 * MAX_OPERATIONS :]) < MAX_OPERATIONS:
            messages.append(str(await deaf.recv()))
    return messages
