"""The sweep: finds jobs whose wake-up was lost, and jobs whose worker died with the lease."""

import asyncio
import contextlib
import logging
import random

from tasks.errors import DATABASE_AWAY
from tasks.ingest import Ingest

logger = logging.getLogger(__name__)

SWEEP_SECONDS = (1.0, 2.0)
"""A sweep follows the last after a random time between these, so that many workers do not sweep as one."""


async def sweep(ingest: Ingest, stopping: asyncio.Event) -> None:
    """Sweeps until `stopping` is set. Needs no Redis."""
    while not stopping.is_set():
        await claim_all(ingest)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(*SWEEP_SECONDS)):  # noqa: S311  # jitter, not a secret
                await stopping.wait()


async def claim_all(ingest: Ingest) -> None:
    """Works through all jobs that wait. A database that does not do what it should is left to the next sweep."""
    try:
        await ingest.until_idle()
    except DATABASE_AWAY as error:
        logger.warning("no job claimed, trying again", extra={"error": repr(error)})
    except Exception as error:  # noqa: BLE001  # a worker outlives it all: no tables yet, our own bugs
        logger.error("no job claimed, trying again", extra={"error": repr(error)})  # noqa: TRY400
