"""Files on a local (or shared) file system."""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

SYNC_EVERY_BYTES = 16 * 1024 * 1024
"""Written data is pushed to the disk in steps, so that the last sync, which the client waits for, is short."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A whole file, durable under `key`."""

    key: str
    size_bytes: int
    sha256: str


class LocalStore:
    """Keeps each file as `<folder>/<key>`, and as `<key>.part` while it arrives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def create(self) -> "PartFile":
        """Opens a new file to write to. Every way out of it must be `commit` or `abort`."""
        return await asyncio.to_thread(PartFile.open, self.folder)

    def path(self, key: str) -> Path:
        """Where the file with this key lies, whether it exists or not."""
        return self.folder / key

    async def delete(self, key: str) -> None:
        """Removes a file. One that is not there is no error."""
        await asyncio.to_thread(self.path(key).unlink, missing_ok=True)


class PartFile:
    """A file that is still arriving: hashed and counted on the way, written off the event loop."""

    def __init__(self, folder: Path, key: str, descriptor: int) -> None:
        self._folder = folder
        self._key = key
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self._unsynced = 0
        self.size_bytes = 0

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Opens `<folder>/<new key>.part`, making the folder if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        key = uuid4().hex
        descriptor = os.open(
            folder / f"{key}.part", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640
        )
        return cls(folder, key, descriptor)

    async def write(self, block: bytes) -> None:
        """Appends one block; give it megabytes at a time. Raises OSError when the disk will not take it."""
        await asyncio.to_thread(self._write, block)

    async def commit(self) -> StoredFile:
        """Makes the file durable and gives it its final name."""
        return await asyncio.to_thread(self._commit)

    async def abort(self) -> None:
        """Throws away what has arrived. Safe to call after `commit` or twice."""
        # Shielded: an abort follows a cancellation more often than not, and must run to its end all the same.
        await asyncio.shield(asyncio.to_thread(self._abort))

    def _write(self, block: bytes) -> None:
        self._hash.update(block)
        view = memoryview(block)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.size_bytes += len(block)
        self._unsynced += len(block)
        if self._unsynced >= SYNC_EVERY_BYTES:
            os.fdatasync(self._descriptor)
            self._unsynced = 0

    def _commit(self) -> StoredFile:
        os.fsync(self._descriptor)
        self._close()
        (self._folder / f"{self._key}.part").rename(self._folder / self._key)
        _sync_folder(self._folder)
        return StoredFile(self._key, self.size_bytes, self._hash.hexdigest())

    def _abort(self) -> None:
        self._close()
        (self._folder / f"{self._key}.part").unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _sync_folder(folder: Path) -> None:
    # A rename is durable only once its folder is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
