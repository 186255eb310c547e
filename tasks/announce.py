"""When a job's progress is published: at once on a change of status, otherwise at intervals, always after the commit."""

import asyncio
import time

from redis.asyncio import Redis

from models import Job
from settings import settings
from tasks.errors import DATABASE_AWAY
from tasks.progress import Progress, publish


class Announcer:
    """Publishes one job's progress beside the loading, so that a slow Redis slows down nothing."""

    def __init__(self, redis: Redis, job: Job) -> None:
        self._redis = redis
        self._job = job
        self._publishing: asyncio.Task[None] | None = None
        self._last = -settings.progress_interval_seconds

    def announce(self) -> None:
        """Publishes the state now, unless the message before is still on its way."""
        if self._publishing is None or self._publishing.done():
            self._last = time.monotonic()
            self._publishing = asyncio.create_task(publish(self._redis, Progress.of(self._job)))

    def announce_when_due(self) -> None:
        """Publishes the state if the interval has passed since the last message."""
        if time.monotonic() - self._last >= settings.progress_interval_seconds:
            self.announce()

    async def finish(self) -> None:
        """Publishes what the row says at the end, after everything that was published before."""
        if self._publishing:
            await self._publishing
        try:
            job = await Job.get(id=self._job.id)
        except DATABASE_AWAY:
            return  # subscribers read the row themselves as soon as they can
        await publish(self._redis, Progress.of(job))
