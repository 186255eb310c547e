"""A Redis of a test's own, and the way to it, which a test may break."""

import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sluice import processes
from sluice.redis_server import RedisServer
from tests.faults.jobs import until
from tests.faults.proxy import Proxy, standing_before


class OwnRedis:
    """A Redis of a test's own, which nobody revives unless the test says so."""

    def __init__(self, folder: Path) -> None:
        self._server = RedisServer(folder)
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """The same for all its lives."""
        return self._server.url

    async def start(self) -> None:
        """Returns when it answers. It is empty."""
        self._process = await processes.spawn(await self._server.prepare())
        await until(self._server.answers)

    async def kill(self) -> None:
        """kill -9."""
        assert self._process
        processes.send(self._process, signal.SIGKILL)
        await self._process.wait()


@asynccontextmanager
async def own_redis(folder: Path) -> AsyncIterator[OwnRedis]:
    """One that is up, for the length of the block."""
    redis = OwnRedis(folder)
    await redis.start()
    try:
        yield redis
    finally:
        await redis.kill()


@pytest.fixture(scope="module")
async def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnRedis]:
    """What the tests of this file may hurt; each leaves it up and healthy."""
    async with own_redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture(scope="module")
async def link(redis: OwnRedis) -> AsyncIterator[Proxy]:
    """The way of every process to that Redis."""
    async with standing_before(redis.url) as link:
        yield link
