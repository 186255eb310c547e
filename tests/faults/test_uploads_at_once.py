"""Many uploads at once: bounded memory, every byte where it belongs; and two at once with one idempotency key."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from sluice.client import ApiClient
from tests import samples
from tests.faults.jobs import until, uuid_of
from tests.faults.wire import Wire, files, open_files, post, wire
from tests.graph.api import submission
from tests.stack import Stack, create_schema

UPLOADS = 40
FILE_BYTES = 20_000_000
_PIECE_BYTES = 100_000
MOST_BYTES_EACH = 5 * 1024 * 1024
"""Of the API's memory, for one upload: a block of 2 MB, what the network has brought meanwhile, and malloc's waste."""


@pytest.fixture
async def schema_id(client: ApiClient) -> str:
    """Of the client's schema."""
    return await create_schema(client, fields=samples.FIELDS)


class Sender:
    """One upload of a file that is made up on the way."""

    def __init__(self, opened: Wire, client: ApiClient, schema_id: str, seed: int) -> None:
        self._wire, self._client = opened, client
        self._piece = random.Random(seed).randbytes(_PIECE_BYTES)
        self._head, self._tail = submission(schema_id, b"|").split(b"|")
        self._hash = hashlib.sha256()

    async def begin(self) -> None:
        """Sends all but the last piece."""
        length = len(self._head) + FILE_BYTES + len(self._tail)
        await self._wire.say(post(self._client, Content_Length=str(length)) + self._head)
        for _ in range(FILE_BYTES // _PIECE_BYTES - 1):
            await self._send_piece()

    async def end(self) -> tuple[str, str]:
        """Sends the rest; the job's id, and the file's hash."""
        await self._send_piece()
        await self._wire.say(self._tail)
        payload = (await self._wire.answer(60)).json["data"]["submitFile"]
        assert [] == payload["userErrors"]
        return payload["job"]["id"], self._hash.hexdigest()

    async def _send_piece(self) -> None:
        self._hash.update(self._piece)
        await self._wire.say(self._piece)


def _peak(process: psutil.Process) -> int:
    """The most memory that a process has had since `_forget_peak`."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def _forget_peak(process: psutil.Process) -> None:
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


async def test_forty_uploads_at_once_cost_bounded_memory(
    stack: Stack, client: ApiClient, schema_id: str
) -> None:
    """800 MB, all in the air at the same time: a few MB for each, 40 jobs with the right hash, no descriptor left."""
    api = psutil.Process(stack.processes[0].pid)
    async with AsyncExitStack() as exits:
        senders = [
            Sender(await exits.enter_async_context(wire(stack)), client, schema_id, number)
            for number in range(UPLOADS)
        ]
        _forget_peak(api)
        before = api.memory_info().rss
        await asyncio.gather(*(sender.begin() for sender in senders))
        at_once = [name for name in files(stack) if name.endswith(".part")]
        hashes = dict(await asyncio.gather(*(sender.end() for sender in senders)))
    cost = _peak(api) - before
    rows = await stack.query("SELECT id, sha256, storage_key FROM job")
    stored = {row["storage_key"]: await asyncio.to_thread(_sha256, stack, row["storage_key"]) for row in rows}

    assert UPLOADS == len(at_once)
    assert cost < UPLOADS * MOST_BYTES_EACH
    assert {uuid_of(job_id): digest for job_id, digest in hashes.items()} == {
        row["id"]: row["sha256"] for row in rows
    }
    assert {row["storage_key"]: row["sha256"] for row in rows} == stored
    assert [] == open_files(stack)


def _sha256(stack: Stack, key: str) -> str:
    """Of a stored file, which is not needed any more."""
    path = stack.folder / "files" / key
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    path.unlink()
    return digest


@asynccontextmanager
async def _all_at_the_insert(stack: Stack, count: int) -> AsyncIterator[None]:
    """At the end of the block so many requests have found no job, and wait to write theirs; then all may."""
    locker = await asyncpg.connect(stack.services.database_url)
    try:
        async with locker.transaction():
            await locker.execute("LOCK TABLE job IN SHARE ROW EXCLUSIVE MODE")  # read, but do not write
            yield

            async def all_wait() -> bool:
                waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'job'::regclass"
                return bool(count == await locker.fetchval(waiting))

            await until(all_wait)
    finally:
        await locker.close()


async def _submitted(stack: Stack, client: ApiClient, body: bytes) -> dict[str, Any]:
    async with wire(stack) as upload:
        await upload.say(post(client, Content_Length=str(len(body))) + body)
        answer = await upload.answer()
    assert 200 == answer.status
    payload: dict[str, Any] = answer.json["data"]["submitFile"]
    return payload


async def _racing(stack: Stack, client: ApiClient, bodies: list[bytes]) -> list[dict[str, Any]]:
    """The answers to submissions that all come to their INSERT before any of them is made."""
    async with _all_at_the_insert(stack, len(bodies)):
        submitting = [asyncio.create_task(_submitted(stack, client, body)) for body in bodies]
    return await asyncio.gather(*submitting)


async def test_one_key_and_the_same_bytes_at_once_are_one_job(
    stack: Stack, client: ApiClient, schema_id: str
) -> None:
    """Five write their row at the same moment: one is made, all answer with it, and the other files are gone."""
    body = submission(schema_id, b"id\n7\n", idempotencyKey="once")

    payloads = await _racing(stack, client, [body] * 5)

    [row] = await stack.query("SELECT id, storage_key FROM job")
    assert [[]] * 5 == [payload["userErrors"] for payload in payloads]
    assert {row["id"]} == {uuid_of(payload["job"]["id"]) for payload in payloads}
    assert [row["storage_key"]] == files(stack)
    assert [] == open_files(stack)


async def test_one_key_and_other_bytes_at_once_are_one_job_and_a_conflict(
    stack: Stack, client: ApiClient, schema_id: str
) -> None:
    """The loser learns it, and its file is gone; so does whoever comes later."""
    bodies = [submission(schema_id, content, idempotencyKey="once") for content in (b"id\n7\n", b"id\n8\n")]

    payloads = await _racing(stack, client, bodies)
    payloads.append(await _submitted(stack, client, submission(schema_id, b"id\n9\n", idempotencyKey="once")))

    [row] = await stack.query("SELECT id, storage_key, sha256 FROM job")
    [winner] = [payload["job"] for payload in payloads if payload["job"]]
    errors = [error for payload in payloads for error in payload["userErrors"]]
    assert (row["id"], row["sha256"]) == (uuid_of(winner["id"]), winner["sha256"])
    assert [("IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"])] * 2 == [
        (error["code"], error["field"]) for error in errors
    ]
    assert [row["storage_key"]] == files(stack)


async def test_a_repetition_that_overtakes_an_upload_with_its_key_is_the_job(
    stack: Stack, client: ApiClient, schema_id: str
) -> None:
    """A retry while the first try still hangs: both get the same job in the end."""
    body = submission(schema_id, b"id\n7\n" * 1_000, idempotencyKey="once")
    async with wire(stack) as first:
        await first.say(post(client, Content_Length=str(len(body))) + body[:-1_000])
        await until(lambda: _has_part(stack))
        second = await _submitted(stack, client, body)
        await first.say(body[-1_000:])
        answer = (await first.answer()).json["data"]["submitFile"]

    assert (second["job"]["id"], []) == (answer["job"]["id"], answer["userErrors"])
    [row] = await stack.query("SELECT storage_key FROM job")
    assert [row["storage_key"]] == files(stack)


async def _has_part(stack: Stack) -> bool:
    return bool(files(stack))
