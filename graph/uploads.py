"""The file of a multipart request: streamed to its final place when the resolver asks for it, never before.

GraphQL's multipart specification puts `operations` and `map` before the file, so the operation is authenticated,
validated and running when the first byte of the file is taken. Whatever the resolver finds wrong before it calls
`receive` costs the client no upload.
"""

import errno
import logging
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from starlette.requests import ClientDisconnect

from graph.errors import ErrorCode, Refusal, bad_request, internal_error
from graph.multipart import MultipartBody
from tasks.faults import Point, reached
from tasks.storage import Store
from tasks.storage.draft import settled
from tasks.storage.local import PartFile, StoredFile

logger = logging.getLogger(__name__)

BLOCK_BYTES = 2 * 1024 * 1024
"""File bytes are written in blocks of at least this."""
_MAX_FILENAME_CHARS = 255
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class Upload:
    """The one file of a request."""

    def __init__(self, filename: str | None, parts: MultipartBody, store: Store, max_bytes: int) -> None:
        self.filename = clean_filename(filename or "")
        self.refusal: Exception | None = None
        """Why the file could not be received: the whole request fails with it."""
        self.kept = False
        """True once the file belongs to a job."""
        self.unhurried: Callable[[], AbstractContextManager[None]] = nullcontext
        """In which the file is received, however long that takes."""
        self._parts = parts
        self._store = store
        self._max_bytes = max_bytes
        self.is_taken = False
        """True once somebody has asked for it: a file can be received once."""
        self._part: PartFile | None = None
        self._stored: StoredFile | None = None

    async def receive(self) -> StoredFile:
        """Takes the file from the network to its final place, durably. It is deleted again unless it is `kept`.

        Possible once. Raises Refusal or ClientDisconnect, and then nothing is left behind.
        """
        self.is_taken = True
        try:
            with self.unhurried():
                return await self._take()
        except (Refusal, ClientDisconnect) as refusal:
            self.refusal = refusal
            raise
        except OSError as error:
            self.refusal = storage_refusal(error)
            raise self.refusal from None

    async def close(self) -> None:
        """Deletes what was received and not kept, and lets go of the rest."""
        if self._stored and not self.kept:
            await self._store.delete(self._stored.key)
        if self._part:
            await self._part.release()

    async def _take(self) -> StoredFile:
        try:
            part = await settled(self._open())
            await self._fill(part)
            return await settled(self._commit(part))
        except BaseException:
            if self._part:
                await settled(self._part.abort())
            raise

    async def _open(self) -> PartFile:
        self._part = await self._store.create()
        return self._part

    async def _commit(self, part: PartFile) -> StoredFile:
        self._stored = await part.commit()
        return self._stored

    async def _fill(self, part: PartFile) -> None:
        held, size = bytearray(), 0
        async for block in self._parts.blocks():
            size += len(block)
            if size > self._max_bytes:
                raise too_large(self._max_bytes)
            held += block
            if len(held) >= BLOCK_BYTES:
                await settled(part.write(held))
                held = bytearray()  # a new one: a copy to write from would double what an upload costs
                reached(Point.UPLOAD_BLOCK)
        if held:
            await settled(part.write(held))
        if await self._parts.next_part() is not None:
            raise bad_request("Send one file in a request: there is another part after the file.")


def too_large(limit: int) -> Refusal:
    """413: the file has more bytes than are taken."""
    return Refusal(413, ErrorCode.PAYLOAD_TOO_LARGE, f"A file may have at most {limit:,} bytes.")


def storage_refusal(error: OSError) -> Refusal:
    """507 or 500: the storage did not take a file."""
    if error.errno in _DISK_FULL:
        logger.error("upload failed, the disk is full")
        message = "There is no room for this file right now. Nothing was kept of it: please try again later."
        return Refusal(507, ErrorCode.UNAVAILABLE, message)
    return Refusal(500, ErrorCode.INTERNAL, internal_error(error))


def clean_filename(filename: str) -> str:
    """A name to show, never to open: no folders, no control characters, at most 255 characters, never empty."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf", "Cs")).strip()
    if len(name) > _MAX_FILENAME_CHARS:
        stem, dot, extension = name.rpartition(".")
        tail = dot + extension if stem and len(extension) <= 16 else ""
        name = name[: _MAX_FILENAME_CHARS - len(tail)] + tail
    return name if name.strip(".") else "file"
