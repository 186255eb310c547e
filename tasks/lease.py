"""Holding a job: the heartbeat that keeps its lease, and the ear for this worker's own stop."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models import Job
from settings import settings
from tasks.errors import DATABASE_AWAY, Draining, LeaseLost, stop_if_cancelled

logger = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
"""What a batch that is under way gets when the worker is asked to stop."""


@asynccontextmanager
async def held(job: Job, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Runs the block while this worker holds the job; the block is cancelled as soon as it does not.

    Raises LeaseLost when the job was cancelled or taken over, Draining GRACE_SECONDS after `stopping` was set.
    """
    try:
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(_renew(job)), group.create_task(_drain(stopping))]
            yield
            for keeper in keepers:
                keeper.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _renew(job: Job) -> None:
    """The heartbeat, beside the loading, so that neither a long COPY nor a slow parser can stop it."""
    renewed = time.monotonic()
    while True:
        await asyncio.sleep(settings.lease_seconds / 3)
        began = time.monotonic()
        try:
            if not await job.renew(settings.lease_seconds):
                raise LeaseLost
            renewed = began
        except DATABASE_AWAY as error:
            stop_if_cancelled(error)
            if began - renewed > settings.lease_seconds:
                raise LeaseLost from error
            logger.warning(
                "lease not renewed, trying again", extra={"job": str(job.id), "error": repr(error)}
            )


async def _drain(stopping: asyncio.Event) -> None:
    await stopping.wait()
    await asyncio.sleep(GRACE_SECONDS)
    raise Draining
