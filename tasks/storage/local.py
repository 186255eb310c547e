"""Files on a local (or shared) file system.

Who writes a file holds a lock on it (flock) until its job is made. The kernel drops the lock with the process, so a file
that can be locked has nobody any more.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Iterable
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

    async def is_there(self) -> bool:
        """Whether the folder exists: a volume that is not mounted has lost no file."""
        return await asyncio.to_thread(self.folder.is_dir)

    async def has(self, key: str, size_bytes: int) -> bool:
        """Whether there is a file with this key, and of this length."""
        return await asyncio.to_thread(self._has, key, size_bytes)

    def path(self, key: str) -> Path:
        """Where the file with this key lies, whether it exists or not."""
        return self.folder / key

    async def delete(self, key: str) -> None:
        """Removes a file. One that is not there is no error."""
        await asyncio.to_thread(self.path(key).unlink, missing_ok=True)

    async def idle(self, seconds: float) -> list[str]:
        """Names of the files, whole or arriving, to which nobody has written for so long."""
        return await asyncio.to_thread(self._idle, time.time() - seconds)

    @contextlib.asynccontextmanager
    async def locked(self, names: Iterable[str]) -> AsyncIterator[list[str]]:
        """Those of the files whose writer is gone; nobody else gets them during the block."""
        with contextlib.ExitStack() as stack:
            yield [name for name in names if await asyncio.to_thread(self._lock, name, stack)]

    def _has(self, key: str, size_bytes: int) -> bool:
        try:
            return self.path(key).stat().st_size == size_bytes
        except FileNotFoundError:
            return False

    def _idle(self, before: float) -> list[str]:
        if not self.folder.is_dir():
            return []
        with os.scandir(self.folder) as entries:
            return [
                entry.name for entry in entries if _NAME.fullmatch(entry.name) and _is_older(entry, before)
            ]

    def _lock(self, name: str, stack: contextlib.ExitStack) -> bool:
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        stack.callback(os.close, descriptor)
        return _lock(descriptor)


_PART = ".part"
_NAME = re.compile(rf"[0-9a-f]{{32}}({re.escape(_PART)})?")


def is_part(name: str) -> bool:
    """Whether this is the name of a file that has not arrived whole."""
    return name.endswith(_PART)


def _is_older(entry: os.DirEntry[str], before: float) -> bool:
    try:
        return entry.stat().st_mtime < before
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: what remains is that nobody has written for long
    return True


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
        _make(folder)
        key = uuid4().hex
        descriptor = os.open(
            folder / f"{key}{_PART}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640
        )
        _lock(descriptor)
        return cls(folder, key, descriptor)

    async def write(self, block: bytes | bytearray) -> None:
        """Appends one block; give it megabytes at a time. Raises OSError when the disk will not take it."""
        await asyncio.to_thread(self._write, block)

    async def commit(self) -> StoredFile:
        """Makes the file durable and gives it its final name. It stays locked until `release`."""
        return await asyncio.to_thread(self._commit)

    async def abort(self) -> None:
        """Throws away what has arrived. Safe to call after `commit` or twice."""
        # Shielded: an abort follows a cancellation more often than not, and must run to its end all the same.
        await asyncio.shield(asyncio.to_thread(self._abort))

    async def release(self) -> None:
        """Lets go of the file, which belongs to a job by now or to nobody. Safe to call twice."""
        await asyncio.shield(asyncio.to_thread(self._close))

    def _write(self, block: bytes | bytearray) -> None:
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
        (self._folder / f"{self._key}{_PART}").rename(self._folder / self._key)
        _sync_folder(self._folder)
        return StoredFile(self._key, self.size_bytes, self._hash.hexdigest())

    def _abort(self) -> None:
        self._close()
        (self._folder / f"{self._key}{_PART}").unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _make(folder: Path) -> None:
    """Makes the folder if it is missing. What lies in it is only as durable as its own name in the folder above."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, new ones and changed ones."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
