"""The sweep: finds jobs whose wake-up was lost, jobs whose worker died with the lease, discards, and files that nobody owns."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Coroutine
from typing import Any

from settings import settings
from tasks.discard import DiscardLane
from tasks.errors import DATABASE_AWAY
from tasks.ingest import Ingest
from tasks.orphans import Orphans

logger = logging.getLogger(__name__)

SWEEP_SECONDS = (1.0, 2.0)
"""A sweep follows the last after a random time between these, so that many workers do not sweep as one."""
FILES_SECONDS = 60.0
"""The store is looked through so often, or as often as a file may become too old in it."""


async def sweep(ingest: Ingest, stopping: asyncio.Event) -> None:
    """Sweeps for one lane until `stopping` is set. Needs no Redis."""
    while not stopping.is_set():
        await claim_all(ingest)
        await _pause(stopping, random.uniform(*SWEEP_SECONDS))  # noqa: S311  # jitter, not a secret


async def claim_all(ingest: Ingest) -> bool:
    """Works through all jobs that wait; False if that lane is busy. A database that does not do what it should is left
    to the next sweep."""
    try:
        return await ingest.until_idle()
    except DATABASE_AWAY as error:
        logger.warning("no job claimed, trying again", extra={"error": repr(error)})
    except Exception as error:  # noqa: BLE001  # a worker outlives it all: no tables yet, our own bugs
        logger.error("no job claimed, trying again", extra={"error": repr(error)})  # noqa: TRY400
    return True


async def sweep_files(orphans: Orphans, stopping: asyncio.Event) -> None:
    """Removes files without a job until `stopping` is set, beside the claiming, which never waits for it."""
    longest = min(FILES_SECONDS, settings.orphan_seconds)
    while not stopping.is_set():
        await _outlived(orphans.remove(), "files not looked through, trying again")
        await _pause(stopping, random.uniform(longest / 2, longest))  # noqa: S311  # jitter, not a secret


async def sweep_discards(lane: DiscardLane, stopping: asyncio.Event) -> None:
    """Works through discards until `stopping` is set, beside the loading of jobs, which never waits for it."""
    while not stopping.is_set():
        await _outlived(lane.until_none(), "no discard claimed, trying again")
        await _pause(stopping, random.uniform(*SWEEP_SECONDS))  # noqa: S311  # jitter, not a secret


async def _outlived(work: Coroutine[Any, Any, None], complaint: str) -> None:
    """Whatever comes of `work`, the next sweep tries again."""
    try:
        await work
    except DATABASE_AWAY as error:
        logger.warning(complaint, extra={"error": repr(error)})
    except Exception as error:  # noqa: BLE001  # as above
        logger.error(complaint, extra={"error": repr(error)})  # noqa: TRY400


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
