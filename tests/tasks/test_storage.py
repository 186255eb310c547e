"""Stored files: whole and durable, or not there at all."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from tasks.storage import LocalStore


async def test_commit_gives_size_hash_and_a_file_under_its_key(files: Path) -> None:
    """What was written block by block is one file, counted and hashed."""
    part = await LocalStore(files).create()
    for block in (b"one,", b"two\n"):
        await part.write(block)

    stored = await part.commit()

    content = b"one,two\n"
    assert (len(content), hashlib.sha256(content).hexdigest()) == (stored.size_bytes, stored.sha256)
    assert content == LocalStore(files).path(stored.key).read_bytes()
    assert [stored.key] == os.listdir(files)


async def test_a_file_that_is_arriving_lies_in_the_store_as_a_part(files: Path) -> None:
    """The bytes go to their final file system at once; there is no second copy."""
    part = await LocalStore(files).create()
    await part.write(b"x" * 1000)

    [lying] = files.iterdir()

    assert (lying.suffix, lying.stat().st_size) == (".part", 1000)
    await part.abort()


async def test_abort_leaves_nothing_and_may_be_repeated(files: Path) -> None:
    """An aborted upload leaves no file and no open descriptor."""
    before = len(os.listdir("/proc/self/fd"))
    part = await LocalStore(files).create()
    await part.write(b"half")

    await part.abort()
    await part.abort()

    assert os.listdir(files) == []
    assert before == len(os.listdir("/proc/self/fd"))


async def test_abort_after_commit_keeps_the_file(files: Path) -> None:
    """Cleaning up after success takes nothing away."""
    part = await LocalStore(files).create()
    stored = await part.commit()

    await part.abort()

    assert LocalStore(files).path(stored.key).exists()


async def test_a_full_disk_is_an_oserror(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that the disk refuses says so, and abort still clears up."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    part = await LocalStore(files).create()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            await part.write(b"x")
    await part.abort()

    assert os.listdir(files) == []
