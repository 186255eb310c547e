"""Wake-ups go to idle lanes only: a busy one leaves them where they are, or puts them back."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from sluice.endpoints import Services
from tasks.broker import WakeUpBroker, hand_on
from tasks.ingest import Ingest
from tasks.worker import _woken


@pytest.fixture
def broker(services: Services) -> WakeUpBroker:
    """One with a stream of its own."""
    return WakeUpBroker(services.redis_url, f"sluice:test:{uuid4()}")


@pytest.fixture
async def redis(services: Services) -> AsyncIterator[Redis]:
    """A client of the session's Redis."""
    async with Redis.from_url(services.redis_url) as redis:
        yield redis


class Lane:
    """It has a job already, or none: that is all that can be said of it."""

    def __init__(self, *, is_busy: bool) -> None:
        self.idle = asyncio.Event()
        if not is_busy:
            self.idle.set()
        self.asked = asyncio.Event()

    async def until_idle(self) -> bool:
        """As if a sweep had found a job just before."""
        self.asked.set()
        self.idle.clear()
        return False


async def test_a_busy_lane_leaves_wake_ups_in_the_stream(broker: WakeUpBroker, redis: Redis) -> None:
    """Until it is idle again: then it takes them."""
    lane = Lane(is_busy=True)
    async with _woken(cast("Ingest", lane), broker):
        await hand_on(broker)
        await asyncio.sleep(0.5)
        left = await redis.xlen(broker.queue_name)

        assert (1, False) == (left, lane.asked.is_set())
        lane.idle.set()
        async with asyncio.timeout(5):
            await lane.asked.wait()


async def test_a_wake_up_that_meets_a_busy_lane_goes_back(broker: WakeUpBroker, redis: Redis) -> None:
    """A read was under way when the lane found a job in another way: what it brings is for somebody else."""
    lane = Lane(is_busy=False)
    async with _woken(cast("Ingest", lane), broker):
        await hand_on(broker)
        async with asyncio.timeout(5):
            await lane.asked.wait()
            while await redis.xlen(broker.queue_name) != 1:
                await asyncio.sleep(0.01)


async def test_wake_ups_that_nobody_takes_are_few(broker: WakeUpBroker, redis: Redis) -> None:
    """All lanes are busy, and ask the database when they are not: a long line of wake-ups would only cost them time."""
    for _ in range(150):
        await hand_on(broker)

    assert 100 == await redis.xlen(broker.queue_name)
    await broker.shutdown()
