"""PostgreSQL and Redis without an installation: started, seen to answer, kept alive, stopped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

from anyio.from_thread import start_blocking_portal

from sluice import run_files
from sluice.endpoints import Services
from sluice.errors import StartFailed
from sluice.postgres_server import PostgresServer
from sluice.processes import Command
from sluice.redis_server import RedisServer
from sluice.supervisor import Child, Children

_READY_SECONDS = 30.0
_POLL_SECONDS = 0.03


class Server(Protocol):
    """One embedded server."""

    @property
    def name(self) -> str:
        """Of its pid file."""

    @property
    def url(self) -> str:
        """Where it answers; the same as long as this object lives."""

    async def prepare(self) -> Command:
        """The command that runs it, everything it needs being there. Raises StartFailed."""

    async def answers(self) -> bool:
        """Whether it serves a client now. Raises StartFailed when it never will."""

    def last_words(self) -> str:
        """The end of its log, for a message."""


@contextlib.asynccontextmanager
async def started(server: Server, children: Children) -> AsyncIterator[None]:
    """Runs `server`; it answers, and is kept alive, until the end of the block. Raises StartFailed."""
    async with children.running(await server.prepare()) as [child]:
        await _until_it_answers(server, child)
        yield


async def _until_it_answers(server: Server, child: Child) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await server.answers():
                if child.has_ended or child.starts > 1:
                    raise StartFailed(f"{server.name} ended at its start: {server.last_words()}")
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise StartFailed(
            f"{server.name} did not answer within {_READY_SECONDS:.0f} s: {server.last_words()}"
        ) from None


@contextlib.asynccontextmanager
async def provided(
    data_dir: Path, children: Children, database_url: str | None, redis_url: str | None
) -> AsyncIterator[Services]:
    """The servers of the two URLs, and an embedded one under `data_dir` in place of each that is None."""
    async with contextlib.AsyncExitStack() as stack:
        if database_url is None:
            postgres = PostgresServer(data_dir)
            await stack.enter_async_context(started(postgres, children))
            database_url = postgres.url
        if redis_url is None:
            redis = RedisServer(data_dir)
            await stack.enter_async_context(started(redis, children))
            redis_url = redis.url
        yield Services(database_url, redis_url)


@contextlib.asynccontextmanager
async def services(
    data_dir: Path, database_url: str | None = None, redis_url: str | None = None
) -> AsyncIterator[Services]:
    """A PostgreSQL and a Redis for the length of the block: those of the URLs, or embedded ones under `data_dir`.

    Raises AlreadyServing, StartFailed. `data_dir/run` has the pid files of embedded ones.
    """
    with run_files.hold(data_dir) as files:
        await files.end_orphans()
        async with provided(data_dir, Children(files), database_url, redis_url) as found:
            yield found


@contextlib.contextmanager
def running(data_dir: Path) -> Iterator[Services]:
    """Embedded `services` for code that is not async, such as the fixtures of a test session."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(services(data_dir)) as found:
        yield found
