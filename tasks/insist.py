"""Questions that a worker has no other way than to ask until they are answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tasks.errors import DATABASE_AWAY, stop_if_cancelled

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5

_Answer = TypeVar("_Answer")


async def insist(query: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """The answer of the database, waiting for one that is away."""
    while True:
        try:
            return await query()
        except DATABASE_AWAY as error:
            stop_if_cancelled(error)
            logger.warning("database away, trying again", extra={"error": repr(error)})
            await asyncio.sleep(PAUSE_SECONDS)
