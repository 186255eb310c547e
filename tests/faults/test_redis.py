"""Redis that is killed, emptied, silent, full, read-only or repeats itself: a wake-up is lost or doubled, never a job."""

import asyncio
import io
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from graph.subscriptions import POLL_SECONDS
from sluice.client import ApiClient
from sluice.endpoints import Services, free_port
from tasks.broker import broker, redis_options
from tests import samples
from tests.faults.jobs import Case, events, submitted, until
from tests.faults.own_redis import OwnRedis
from tests.faults.proxy import Proxy, standing_before
from tests.stack import (
    PROGRESS,
    SUBMIT,
    Stack,
    assert_forward,
    create_schema,
    kill,
    running,
)

STREAM, GROUP = broker.queue_name, broker.consumer_group_name
RECORDS = 20_000
_START_SECONDS = 3.0
_ANSWER_SECONDS = 0.5


@pytest.fixture(scope="module")
async def api(
    services: Services, link: Proxy, redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One API for the tests of this file."""
    own = Services(services.database_url, link.url(redis.url))
    async with running(own, tmp_path_factory.mktemp("api"), workers=0, batch_records="500") as stack:
        yield stack


@pytest.fixture
async def stack(api: Stack) -> AsyncIterator[Stack]:
    """That API; the workers that a test starts end with it."""
    (api.folder / "log").write_bytes(b"")
    async with Redis.from_url(api.services.redis_url) as client:
        await client.flushall()
    yield api
    while len(api.processes) > 1:
        kill(api.processes.pop())


@pytest.fixture
async def admin(stack: Stack, redis: OwnRedis) -> AsyncIterator[Redis]:
    """A client of that Redis, past the proxy."""
    place = stack.services.redis_url.rpartition("/")[2]
    async with Redis.from_url(f"{redis.url.rpartition('/')[0]}/{place}", **redis_options()) as client:
        yield client


async def _idle_worker(stack: Stack, admin: Redis | None = None, **settings: str) -> None:
    """Starts one, and waits until it is ready for jobs, and for wake-ups if there is an `admin` to see that."""
    ready = len(events(stack, "worker ready"))
    stack.start_worker(**settings)
    await until(lambda: _logged(stack, "worker ready", ready + 1))
    if admin:
        await _awake(admin)


async def _logged(stack: Stack, event: str, times: int = 1) -> bool:
    return len(events(stack, event)) >= times


async def _awake(admin: Redis) -> None:
    """Waits until a wake-up that nobody needs is taken from the stream: somebody listens there."""
    await until(lambda: _has_group(admin))
    await until(lambda: _takes_one(admin))


async def _has_group(admin: Redis) -> bool:
    return bool(await admin.exists(STREAM)) and bool(await admin.xinfo_groups(STREAM))


async def _takes_one(admin: Redis) -> bool:
    """Whether a wake-up is taken. One may go to a worker that was killed, whose connection Redis still believes in."""
    id = await admin.xadd(STREAM, {b"data": b"{}"})
    for _ in range(100):
        if not await admin.xrange(STREAM, id, id):
            return True
        await asyncio.sleep(0.02)
    return False


async def _is_empty(admin: Redis) -> bool:
    return await admin.xlen(STREAM) == 0


async def _assert_prompt(case: Case) -> None:
    """It started soon, ran once, and is exact."""
    await until(lambda: _nothing_waits(case.stack))
    await case.whole()
    row = await case.row()
    assert (1, 0) == (row["attempt"], row["crashes"])
    assert (row["started_at"] - row["created_at"]).total_seconds() < _START_SECONDS


async def test_a_wake_up_that_comes_often_and_late_is_a_wake_up(
    stack: Stack, client: ApiClient, tmp_path: Path, admin: Redis
) -> None:
    """Delivered eight times, to two workers at once, and again when the job is done: one claim, and nothing changes."""
    case = await submitted(stack, client, tmp_path, RECORDS)
    [(_, message)] = cast("list[tuple[bytes, dict[Any, Any]]]", await admin.xrange(STREAM))
    for _ in range(7):
        await admin.xadd(STREAM, message)
    stack.start_worker()
    stack.start_worker()
    await _assert_whole_once(case)
    before = await case.row()

    for _ in range(8):
        await admin.xadd(STREAM, message)
    await until(lambda: _is_empty(admin))
    await _assert_whole_once(await submitted(stack, client, tmp_path, 10))  # behind them all

    assert before == await case.row()
    assert 1 == len([event for event in events(stack, "job claimed") if event["job"] == str(case.uuid)])
    assert 2 == len(await admin.xinfo_consumers(STREAM, GROUP))


async def _assert_whole_once(case: Case) -> None:
    await case.whole()
    assert (1, 0) == ((await case.row())["attempt"], (await case.row())["crashes"])


async def killed(redis: OwnRedis, link: Proxy, admin: Redis) -> None:
    """kill -9; an empty one comes back in its place."""
    await redis.kill()
    await asyncio.sleep(0.5)
    await redis.start()


async def emptied(redis: OwnRedis, link: Proxy, admin: Redis) -> None:
    """FLUSHALL: the stream is gone, and with it the group."""
    await admin.flushall()


async def without_group(redis: OwnRedis, link: Proxy, admin: Redis) -> None:
    """The group alone is gone."""
    await admin.xgroup_destroy(STREAM, GROUP)


async def cut_off(redis: OwnRedis, link: Proxy, admin: Redis) -> None:
    """CLIENT KILL of all that anybody holds, and once more in the middle of coming back."""
    for _ in range(2):
        for kind in ("pubsub", "normal"):
            await admin.client_kill_filter(_type=kind, skipme=True)
        await asyncio.sleep(0.6)


async def silent_for_a_while(redis: OwnRedis, link: Proxy, admin: Redis) -> None:
    """It accepts and never answers; later it does."""
    link.silence()
    await asyncio.sleep(1.5)
    link.heal()


HURTS = [killed, emptied, cut_off, silent_for_a_while]


async def test_a_running_job_does_not_notice_and_its_progress_is_seen_again(
    stack: Stack, client: ApiClient, tmp_path: Path, redis: OwnRedis, link: Proxy, admin: Redis, chance: random.Random
) -> None:  # fmt: skip
    """The same attempt goes on; its subscriber hears of it again, sooner than by asking the row now and then."""
    async with standing_before(stack.services.database_url) as slow:
        slow.to_server.latency = 0.02
        await _idle_worker(stack, database_url=slow.url(stack.services.database_url))
        case = await submitted(stack, client, tmp_path, RECORDS)
        seen: list[dict[str, object]] = []
        following = asyncio.create_task(_collect(client, case.job_id, seen))
        await case.beyond(0)

        for hurt in chance.sample(HURTS, len(HURTS)):
            await hurt(redis, link, admin)
            enough = partial(_has_more, seen, len(seen) + 3)
            await until(enough, POLL_SECONDS - 0.5)
        assert "PROCESSING" == (await case.row())["status"]
        slow.to_server.latency = 0.0
        await _assert_prompt(case)
        await following
        await _awake(admin)

    assert_forward(seen)


async def _collect(client: ApiClient, job_id: str, seen: list[dict[str, object]]) -> None:
    async for event in client.subscribe(PROGRESS, {"jobId": job_id}):
        seen += [event["jobProgress"]]


async def _has_more(seen: list[dict[str, object]], than: int) -> bool:
    return len(seen) >= than


async def test_a_listening_worker_makes_its_group_anew(
    stack: Stack, client: ApiClient, tmp_path: Path, redis: OwnRedis, link: Proxy, admin: Redis
) -> None:
    """Emptied, or without the group alone: a job that comes meanwhile starts in time, and wake-ups are heard again."""
    await _idle_worker(stack, admin)

    for hurt in (emptied, without_group):
        await hurt(redis, link, admin)
        await _assert_prompt(await submitted(stack, client, tmp_path, 100))
        await _awake(admin)


@asynccontextmanager
async def down(redis: OwnRedis, link: Proxy) -> AsyncIterator[None]:
    """Nobody is there."""
    await redis.kill()
    yield
    await redis.start()


@asynccontextmanager
async def hanging(redis: OwnRedis, link: Proxy) -> AsyncIterator[None]:
    """It accepts connections and never answers, on old ones and on new ones."""
    link.silence()
    yield
    link.heal()


class _Timed(io.BytesIO):
    """A file that remembers when its last byte was taken."""

    taken = 0.0

    def read(self, size: int | None = -1, /) -> bytes:
        """Some of it."""
        self.taken = time.monotonic()
        return super().read(size)


async def _seconds_to_answer(client: ApiClient, schema_id: str) -> float:
    """From the last byte of a file to the answer that it is a job."""
    content = _Timed(b"id\n1\n")
    payload = (await client.upload(SUBMIT, {"schemaId": schema_id}, "a.csv", content))["submitFile"]
    assert payload["job"]
    return time.monotonic() - content.taken


@pytest.mark.parametrize("outage", [down, hanging])
async def test_without_redis_files_are_taken_and_jobs_run(
    stack: Stack, client: ApiClient, tmp_path: Path, redis: OwnRedis, link: Proxy, admin: Redis,
    outage: Callable[[OwnRedis, Proxy], AbstractAsyncContextManager[None]],
) -> None:  # fmt: skip
    """Answers as fast as promised; jobs start in time, on a worker from before and on one that starts now; then all heals."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    await _idle_worker(stack, admin)

    async with outage(redis, link):
        await _assert_prompt(await submitted(stack, client, tmp_path, 1_000))
        answers = sorted([await _seconds_to_answer(client, schema_id) for _ in range(10)])
        kill(stack.processes.pop())
        await _idle_worker(stack)
        await until(lambda: _nothing_waits(stack))
        await _assert_prompt(await submitted(stack, client, tmp_path, 1_000))

    assert answers[-2] < _ANSWER_SECONDS, answers  # one may have met a busy machine
    await _awake(admin)
    await _assert_prompt(await submitted(stack, client, tmp_path, 10))


async def _nothing_waits(stack: Stack) -> bool:
    return not await stack.query("SELECT FROM job WHERE finished_at IS NULL")


@asynccontextmanager
async def full(admin: Redis) -> AsyncIterator[str]:
    """No room for another wake-up; what Redis says then."""
    await admin.config_set("maxmemory", 1)
    yield "OutOfMemoryError"
    await admin.config_set("maxmemory", 0)


@asynccontextmanager
async def read_only(admin: Redis) -> AsyncIterator[str]:
    """It has become the replica of a server that is away; what it says then."""
    await admin.replicaof("127.0.0.1", str(free_port()))
    yield "ReadOnlyError"
    await admin.replicaof("NO", "ONE")


async def test_a_wake_up_that_redis_refuses_is_dropped_and_logged(
    stack: Stack, client: ApiClient, tmp_path: Path, admin: Redis
) -> None:
    """The sweep finds the job; when Redis takes wake-ups again, they are heard."""
    await _idle_worker(stack, admin)

    reasons = []
    for refusing in (full, read_only):
        async with refusing(admin) as reason:
            reasons.append(reason)
            await _assert_prompt(await submitted(stack, client, tmp_path, 1_000))
        await _awake(admin)

    dropped = [event["error"] for event in events(stack, "no worker woken, a sweep will find the job")]
    assert [True, True] == [reason in error for reason, error in zip(reasons, dropped, strict=True)]
    assert "Traceback" not in stack.log
