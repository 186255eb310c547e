"""Holding a job, or the discard of one: the heartbeat that keeps the lease, and the ear for this worker's own stop."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models import Discard, Job
from settings import settings
from tasks.errors import DATABASE_AWAY, Draining, LeaseLost, stop_if_cancelled

logger = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
"""What a batch that is under way gets when the worker is asked to stop."""

_RETRY_SECONDS = 0.5


@asynccontextmanager
async def held(job: Job | Discard, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Runs the block while this worker holds the job; the block is cancelled as soon as it does not.

    Raises LeaseLost when the job was cancelled or taken over, Draining GRACE_SECONDS after `stopping` was set. A
    database that is away is waited for, however long: if nobody took the job meanwhile it is still ours, and if
    somebody did, the fence keeps us from writing. To leave would only count as a crash that never was.
    """
    try:
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(_renew(job)), group.create_task(_drain(stopping))]
            yield
            for keeper in keepers:
                keeper.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _renew(job: Job | Discard) -> None:
    """The heartbeat, beside the loading, so that neither a long COPY nor a slow parser can stop it."""
    beat = pause = settings.lease_seconds / 3
    while True:
        await asyncio.sleep(pause)
        try:
            if not await job.renew(settings.lease_seconds):
                raise LeaseLost
            pause = beat
        except DATABASE_AWAY as error:
            stop_if_cancelled(error)
            pause = min(beat, _RETRY_SECONDS)
            logger.warning(
                "lease not renewed, trying again", extra={"job": str(job.pk), "error": repr(error)}
            )


async def _drain(stopping: asyncio.Event) -> None:
    await stopping.wait()
    await asyncio.sleep(GRACE_SECONDS)
    raise Draining
