"""Uploads that break: no job without a file, and after a sweep no file without a job."""

import asyncio
import hashlib
import signal
import socket
import struct
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from sluice.errors import SluiceError
from tests import samples
from tests.check import assert_exact, assert_left_whole
from tests.faults.jobs import events, struck, until, uuid_of
from tests.faults.wire import files, open_files, post
from tests.graph.api import submission
from tests.stack import Stack, create_schema, finished, kill, running, submit

ORPHAN_SECONDS = "0.5"


@pytest.fixture
async def stack(services: Services, tmp_path: Path) -> AsyncIterator[Stack]:
    """An API alone; what nobody owns is removed after half a second, once there is a worker."""
    async with running(services, tmp_path, workers=0, orphan_seconds=ORPHAN_SECONDS) as stack:
        yield stack
        await assert_left_whole(stack)


async def _owned(stack: Stack) -> list[str]:
    return sorted(row["storage_key"] for row in await stack.query("SELECT storage_key FROM job"))


async def _clean(stack: Stack) -> None:
    """Waits for the sweep: every file has its job, and every job its file."""

    async def is_clean() -> bool:
        return files(stack) == await _owned(stack)

    await until(is_clean)


async def _restarted(stack: Stack, **settings: str) -> subprocess.Popen[bytes]:
    """The API anew, on its old port."""
    await asyncio.to_thread(kill, stack.processes[0])
    api = stack.processes[0] = _popped(stack, stack.start("api", **settings))
    await until(lambda: _listens(stack))
    return api


def _popped(stack: Stack, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    stack.processes.remove(process)
    return process


async def _listens(stack: Stack) -> bool:
    try:
        _connected(stack).close()
    except OSError:
        return False
    return True


def _connected(stack: Stack) -> socket.socket:
    address = urlsplit(stack.url)
    return socket.create_connection((address.hostname, address.port or 0), timeout=10)


@pytest.mark.parametrize("point", ["upload_block", "after_rename", "after_insert"])
async def test_an_api_killed_in_an_upload_leaves_no_file_without_a_job(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str
) -> None:
    """kill -9 at each stage; the client's retry with its key gives one job, which runs once."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "orders.csv", 100_000)
    await _restarted(stack, faults=f"{point}=kill9")

    with pytest.raises(SluiceError):
        await submit(client, schema_id, path, idempotencyKey="once")
    assert 1 == len(files(stack))
    await _restarted(stack)
    job_id = await submit(client, schema_id, path, idempotencyKey="once")
    stack.start_worker()
    job = await finished(client, job_id)
    await _clean(stack)

    assert ("COMPLETED", hashlib.sha256(path.read_bytes()).hexdigest()) == (job["status"], job["sha256"])
    assert 1 == len(await _owned(stack))
    assert (point != "after_insert") == bool(events(stack, "file without a job removed"))
    await assert_exact(stack, uuid_of(job_id))


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("share", [0.01, 0.4, 0.999])
async def test_a_client_that_goes_leaves_nothing(
    stack: Stack, client: ApiClient, how: str, share: float
) -> None:
    """At any stage, by FIN or by RST: no job, no file, no open descriptor, and no sweep is needed for it."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    body = submission(schema_id, b"id\n" + b"1234567\n" * 1_000_000)

    with _connected(stack) as connection:
        connection.sendall(post(client, Content_Length=str(len(body))) + body[: int(len(body) * share)])
        await until(lambda: _arrived(stack), 5)
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await until(lambda: _nothing_left(stack))

    assert [] == await stack.query("SELECT id FROM job")


async def _arrived(stack: Stack) -> bool:
    return bool(files(stack))


async def _nothing_left(stack: Stack) -> bool:
    return not files(stack) and not open_files(stack)


async def test_a_frozen_api_keeps_its_file(stack: Stack, client: ApiClient, tmp_path: Path) -> None:
    """Between the file and its job, for longer than the sweep waits: the file is locked, and the job gets it."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "orders.csv", 1_000)
    stack.start_worker()
    await finished(client, await submit(client, schema_id, path))  # the folder is this database's
    api = await _restarted(stack, faults="after_rename=stop")

    submitting = asyncio.create_task(submit(client, schema_id, path))
    await struck(stack)
    await asyncio.sleep(4 * float(ORPHAN_SECONDS))
    api.send_signal(signal.SIGCONT)
    job = await finished(client, await submitting)

    assert "COMPLETED" == job["status"]
    assert [] == events(stack, "file without a job removed")


async def test_files_of_others_and_of_jobs_are_left_alone(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """The sweep knows its own: a finished job's file stays, and so does what Sluice has not written."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    stack.start_worker()
    job_id = await submit(client, schema_id, samples.write(tmp_path / "orders.csv", 100))
    await finished(client, job_id)
    folder = stack.folder / "files"
    for name in ("README", "f" * 31, "f" * 32, "f" * 32 + ".part", "f" * 32 + ".old"):
        (folder / name).write_text("x")

    await until(lambda: _gone(folder / ("f" * 32), folder / ("f" * 32 + ".part")))

    assert sorted([*await _owned(stack), "README", "f" * 31, "f" * 32 + ".old"]) == files(stack)


async def _gone(*files: Path) -> bool:
    return not any(file.exists() for file in files)


async def test_a_folder_of_another_database_is_left_alone(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Where no file has a job, a worker removes what never arrived whole, and nothing else."""
    folder = stack.folder / "files"
    folder.mkdir()
    for name in ("e" * 32, "f" * 32 + ".part"):
        (folder / name).write_text("x")
    stack.start_worker()

    await until(lambda: _gone(folder / ("f" * 32 + ".part")))
    await asyncio.sleep(2 * float(ORPHAN_SECONDS))
    kept = files(stack)
    job_id = await submit(
        client, await create_schema(client, fields=samples.FIELDS), samples.write(tmp_path / "orders.csv", 10)
    )
    await finished(client, job_id)
    await _clean(stack)

    assert ["e" * 32] == kept
