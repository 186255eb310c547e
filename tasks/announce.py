"""When progress is published: at once on a change of status, otherwise at intervals, always after the commit."""

import asyncio
import time
from collections.abc import Callable

from redis.asyncio import Redis

from settings import settings
from tasks.errors import DATABASE_AWAY
from tasks.progress import State, publish


class Announcer:
    """Publishes the progress of one job, or of its discard, beside the work, so that a slow Redis slows down nothing."""

    def __init__(self, redis: Redis, now: Callable[[], State]) -> None:
        """`now` gives the state as the caller knows it."""
        self._redis = redis
        self._now = now
        self._publishing: asyncio.Task[None] | None = None
        self._last = -settings.progress_interval_seconds

    def announce(self) -> None:
        """Publishes the state now, unless the message before is still on its way."""
        if self._publishing is None or self._publishing.done():
            self._last = time.monotonic()
            self._publishing = asyncio.create_task(publish(self._redis, self._now()))

    def announce_when_due(self) -> None:
        """Publishes the state if the interval has passed since the last message."""
        if time.monotonic() - self._last >= settings.progress_interval_seconds:
            self.announce()

    async def finish(self) -> None:
        """Publishes what the row says at the end, after everything that was published before."""
        if self._publishing:
            await self._publishing
        try:
            known = self._now()
            state = await known.read(known.job_id)
        except DATABASE_AWAY:
            return  # subscribers read the row themselves as soon as they can
        await publish(self._redis, state)
