"""`sluice migrate`: Tortoise's own migrations, one runner at a time."""

import logging

import asyncpg
from tortoise.context import TortoiseContext
from tortoise.migrations import api

from settings import CONNECT_SECONDS, tortoise_config
from sluice.database import reachable

logger = logging.getLogger(__name__)

_LOCK = 5_107_214  # any number that nobody else locks in this database


async def migrate(database_url: str) -> list[str]:
    """Brings the database to the newest state; the names of the migrations that it took.

    Whoever comes second waits for the first, and then finds nothing to do. Raises SluiceError.
    """
    async with reachable(database_url):
        lock = await asyncpg.connect(database_url, timeout=CONNECT_SECONDS)
        try:
            await lock.execute("SELECT pg_advisory_lock($1)", _LOCK)
            return await _apply(database_url)
        finally:
            await lock.close()  # and with it, the lock


async def _apply(database_url: str) -> list[str]:
    applied: list[str] = []

    def note(event: str, _app: str, name: str) -> None:
        if event == "apply_done":
            applied.append(name)
            logger.info("migration applied", extra={"migration": name})

    async with TortoiseContext():
        # Changing a big table takes its time.
        await api.migrate(config=tortoise_config(database_url, command_seconds=None), progress=note)
    return applied
