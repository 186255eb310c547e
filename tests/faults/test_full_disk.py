"""The disk of the submitted files is full: a clear error, nothing of the file is kept, and the next one that fits is taken."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from sluice.errors import ApiError
from tests import samples
from tests.check import assert_left_whole
from tests.faults.jobs import events
from tests.faults.wire import files, open_files, post, wire
from tests.graph.api import submission
from tests.stack import Stack, create_schema, finished, running, submit

_DISK_MB = 6
_ROOM_FOR_FILES = 2


@pytest.fixture
async def stack(services: Services, tmp_path: Path) -> AsyncIterator[Stack]:
    """An API and a worker whose files lie on a disk of a few MB; skips the test where no such disk can be made."""
    disk = tmp_path / "files"
    disk.mkdir()
    options = f"size={_DISK_MB}m,nr_inodes={_ROOM_FOR_FILES + 1}"
    mounting = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    if shutil.which("mount") is None or (await asyncio.to_thread(subprocess.run, mounting)).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        async with running(services, tmp_path) as stack:
            yield stack
            await assert_left_whole(stack)
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", str(disk)], check=True)


def _fill(disk: Path) -> list[Path]:
    """Takes all the room there is."""
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(65_536))
    return [disk / "ballast"]


def _take_all_names(disk: Path) -> list[Path]:
    """Leaves room, but none for one more file."""
    taken = [disk / f"ballast-{number}" for number in range(_ROOM_FOR_FILES)]
    for file in taken:
        file.touch()
    return taken


def _leave_some(disk: Path) -> list[Path]:
    """Leaves less room than the file needs."""
    return []


@pytest.mark.parametrize(
    "prepare", [_fill, _take_all_names, _leave_some], ids=["full", "no names", "too small"]
)
async def test_a_full_disk_refuses_the_upload_alone(
    stack: Stack, client: ApiClient, tmp_path: Path, prepare: object
) -> None:
    """507, as a GraphQL error, and no job; the API is healthy, and the next small file goes its whole way."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    disk = stack.folder / "files"
    ballast = prepare(disk)  # type: ignore[operator]
    before = files(stack)
    body = submission(schema_id, b"id\n" + b"1234567\n" * (_DISK_MB * 1024 * 1024 // 8))

    async with wire(stack) as upload:
        await upload.say(post(client, Content_Length=str(len(body))) + body)
        answer = await upload.answer()

    assert ((507, "UNAVAILABLE"), before) == (answer.refusal, files(stack))
    assert "no room" in answer.json["errors"][0]["message"]
    assert [] == open_files(stack)
    assert [] == await stack.query("SELECT id FROM job")
    assert 1 == len(events(stack, "upload failed, the disk is full"))

    async with httpx.AsyncClient(trust_env=False) as http:
        assert 200 == (await http.get(f"{stack.url}/health")).status_code
    for file in ballast:
        file.unlink()
    job = await finished(client, await submit(client, schema_id, samples.write(tmp_path / "orders.csv", 100)))
    assert "COMPLETED" == job["status"]


async def test_a_client_is_told_that_the_disk_is_full(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """`sluice submit`, which sends all the time, says the reason, and not that the connection broke."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = tmp_path / "orders.csv"
    path.write_bytes(b"id\n" + b"1234567\n" * 5_000_000)

    with pytest.raises(ApiError, match="UNAVAILABLE: There is no room"):
        await submit(client, schema_id, path)

    assert [] == files(stack)
