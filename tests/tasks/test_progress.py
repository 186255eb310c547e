"""Live progress over a real Redis: messages are hints, never go back, and one connection serves all subscribers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from models import Job, JobStatus
from sluice.endpoints import Services
from tasks.broker import redis_options
from tasks.progress import Progress, ProgressFeed, publish
from tests.factories import make_job

SEEN = Progress(
    job_id=uuid4(), status=JobStatus.PROCESSING, bytes_total=1000, bytes_read=500, records_accepted=8,
    records_rejected=2, records_per_second=10.0, eta_seconds=1.0, at=datetime.now(UTC),
)  # fmt: skip


@pytest.fixture
async def redis(services: Services) -> AsyncIterator[Redis]:
    """A client of the session's Redis."""
    async with Redis.from_url(services.redis_url, **redis_options()) as client:
        yield client


def test_progress_survives_the_wire() -> None:
    """What is published is what arrives, to the microsecond."""
    assert Progress.from_bytes(SEEN.to_bytes()) == SEEN


async def test_progress_of_a_row_survives_the_wire(database: None) -> None:
    """A job that was read from the database has the driver's types in it; the message does not mind."""
    progress = Progress.of(await Job.get(id=(await make_job()).id))

    assert progress == Progress.from_bytes(progress.to_bytes())


@pytest.mark.parametrize(
    ("newer", "change"),
    [
        pytest.param(True, {"bytes_read": 600}, id="more bytes"),
        pytest.param(True, {"records_accepted": 9}, id="more records"),
        pytest.param(True, {"status": JobStatus.FAILED, "bytes_read": 500}, id="final"),
        pytest.param(False, {}, id="the same"),
        pytest.param(False, {"bytes_read": 400}, id="fewer bytes"),
        pytest.param(False, {"status": JobStatus.PENDING}, id="handed back"),
    ],
)
def test_is_newer_than_never_lets_a_job_go_back(newer: bool, change: dict[str, object]) -> None:
    """Only a state that is further on counts as news."""
    assert newer == replace(SEEN, **change).is_newer_than(SEEN)  # type: ignore[arg-type]


def test_nothing_is_newer_than_a_final_state() -> None:
    """After the end there is no news."""
    final = replace(SEEN, status=JobStatus.CANCELLED)

    assert not replace(SEEN, bytes_read=999).is_newer_than(final)
    assert not replace(SEEN, status=JobStatus.COMPLETED).is_newer_than(final)


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        pytest.param(50.0, {}, id="half"),
        pytest.param(99.9, {"bytes_read": 1000}, id="read, not yet completed"),
        pytest.param(100.0, {"status": JobStatus.COMPLETED}, id="completed"),
        pytest.param(0.0, {"bytes_total": 0, "bytes_read": 0}, id="empty file"),
    ],
)
def test_percent_is_100_only_when_completed(expected: float, change: dict[str, object]) -> None:
    """A bar that is full means done."""
    assert expected == replace(SEEN, **change).percent  # type: ignore[arg-type]


async def test_of_reckons_rate_and_time_left_from_the_row(database: None) -> None:
    """500 of 1,000 bytes and 50 records in 5 seconds: 10 records a second, 5 seconds to go."""
    job = await make_job(
        status=JobStatus.PROCESSING, size_bytes=1000, bytes_read=500, records_accepted=50,
        started_at=datetime.now(UTC) - timedelta(seconds=5),
    )  # fmt: skip

    progress = Progress.of(job)

    assert pytest.approx(progress.records_per_second, rel=0.1) == 10.0
    assert pytest.approx(progress.eta_seconds, rel=0.1) == 5.0


async def test_watch_receives_what_is_published_from_then_on(redis: Redis) -> None:
    """A message that is published after watch has returned is never missed."""
    async with ProgressFeed(redis) as feed:
        for _ in range(100):
            progress = replace(SEEN, job_id=uuid4())
            async with feed.watch(Progress, progress.job_id) as slot:
                await publish(redis, progress)

                assert progress == await slot.take(timeout=5)


async def test_a_slow_subscriber_gets_the_latest_state_only(redis: Redis) -> None:
    """Whoever does not take what is published finds the last of it."""
    async with (
        ProgressFeed(redis) as feed,
        feed.watch(Progress, SEEN.job_id) as slot,
        feed.watch(Progress, SEEN.job_id) as other,
    ):
        for count in range(50):
            await publish(redis, replace(SEEN, records_accepted=count))
        while (seen := await other.take(timeout=5)) is not None and seen.records_accepted < 49:
            pass

        latest = await slot.take(timeout=5)

        assert latest is not None
        assert latest.records_accepted == 49


async def test_one_connection_serves_all_subscribers(redis: Redis) -> None:
    """Fifty subscribers of fifty jobs, all at once, cost one pub/sub connection, and leave no channel behind."""
    before = len(await redis.client_list(_type="pubsub"))  # of API processes that other tests have started
    jobs = [uuid4() for _ in range(50)]
    async with ProgressFeed(redis) as feed:
        async with AsyncExitStack() as stack:
            for job_id in jobs:
                await stack.enter_async_context(feed.watch(Progress, job_id))
            during = await redis.client_list(_type="pubsub")
        channels = {f"sluice:progress:{job_id.hex}".encode() for job_id in jobs}

        assert before + 1 == len(during)
        async with asyncio.timeout(5):  # unsubscribing is not waited for
            while channels & set(await redis.pubsub_channels("sluice:progress:*")):
                await asyncio.sleep(0.01)


async def test_a_cut_connection_marks_the_slots_stale_and_goes_on(redis: Redis) -> None:
    """What was published during the gap is lost, so subscribers are told to read the row; then messages flow again."""
    async with ProgressFeed(redis) as feed, feed.watch(Progress, SEEN.job_id) as slot:
        await redis.client_kill_filter(_type="pubsub")

        async with asyncio.timeout(10):
            assert await slot.take(timeout=10) is None
        await publish(redis, SEEN)

        assert await slot.take(timeout=5) == SEEN


async def test_a_redis_that_hangs_delays_a_subscriber_by_a_moment() -> None:
    """Somebody accepts connections and never answers: watching begins and ends within about a second each."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with (
        Redis.from_url(f"redis://127.0.0.1:{port}", **redis_options()) as hanging,
        ProgressFeed(hanging) as feed,
    ):
        async with asyncio.timeout(1.5):
            watching = feed.watch(Progress, SEEN.job_id)
            await watching.__aenter__()
        async with asyncio.timeout(1.5):
            await watching.__aexit__(None, None, None)
    silent.close()
    await silent.wait_closed()


async def test_a_feed_that_ends_while_somebody_sends_leaves_no_connection_open(redis: Redis) -> None:
    """Whoever sends keeps the reader waiting, which is told again to stop."""
    async with ProgressFeed(redis) as feed:
        async with asyncio.timeout(5):
            while feed._connection is None:
                await asyncio.sleep(0.01)
        connection = feed._connection
        await feed._sending.acquire()

    assert not connection.is_connected
    assert connection not in redis.connection_pool._in_use_connections


async def test_a_message_of_somebody_else_is_ignored(redis: Redis) -> None:
    """Rubbish on a channel neither ends the feed nor reaches a subscriber."""
    async with ProgressFeed(redis) as feed, feed.watch(Progress, SEEN.job_id) as slot:
        await redis.publish(f"sluice:progress:{SEEN.job_id.hex}", b'{"status": "NOPE"}')
        await publish(redis, SEEN)

        assert await slot.take(timeout=5) == SEEN


async def test_publish_without_redis_costs_a_moment_and_no_error() -> None:
    """A Redis that refuses connections does not disturb the worker."""
    async with Redis.from_url("redis://127.0.0.1:1", **redis_options()) as nowhere:
        async with asyncio.timeout(2):
            await publish(nowhere, SEEN)
