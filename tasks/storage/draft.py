"""A stored file that Sluice puts together itself, and that may come to nothing."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from tasks.storage.local import LocalStore, PartFile, StoredFile

T = TypeVar("T")

_BLOCK_BYTES = 1024 * 1024


class Draft:
    """Written piece by piece, committed once, and gone when it is closed unless it is `kept`.

    Until then nobody else takes it for an orphan, however long that is.
    """

    def __init__(self, store: LocalStore) -> None:
        self.kept = False
        """True once the file belongs to a job."""
        self._store = store
        self._part: PartFile | None = None
        self._stored: StoredFile | None = None
        self._held = bytearray()

    async def write(self, piece: bytes) -> None:
        """Appends. Raises OSError when the disk will not take it."""
        self._held += piece
        if len(self._held) >= _BLOCK_BYTES:
            await self._flush()

    async def commit(self) -> StoredFile:
        """Makes the file durable under its final name."""
        part = await self._flush()
        return await settled(self._commit(part))

    async def close(self) -> None:
        """Lets go of the file, and deletes it unless it is kept. Safe to call twice."""
        if self._part is None:
            return
        if self._stored is None:
            await self._part.abort()
        elif not self.kept:
            await self._store.delete(self._stored.key)
        await self._part.release()

    async def _flush(self) -> PartFile:
        part = await settled(self._open()) if self._part is None else self._part
        if self._held:
            block, self._held = self._held, bytearray()
            await settled(part.write(block))
        return part

    async def _open(self) -> PartFile:
        self._part = await self._store.create()
        return self._part

    async def _commit(self, part: PartFile) -> StoredFile:
        self._stored = await part.commit()
        return self._stored


async def settled(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that a thread does. A thread cannot be cancelled: its end is waited for in any case,
    however often this is cancelled, so that nobody closes or deletes a file under it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):  # asked once more
                await asyncio.wait({task})
        raise
