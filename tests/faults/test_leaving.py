"""SIGTERM to the API: who can be served within its grace is served, the others are told, nothing is left, and it exits 0."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from sluice.client import ApiClient
from tests import samples
from tests.faults.jobs import until
from tests.faults.wire import Wire, files, key_of, post, wire
from tests.graph.api import submission
from tests.graph.sockets import receive, send, watch
from tests.stack import Stack, create_schema, submit

GRACE_SECONDS = 5.0
AT_ONCE_SECONDS = 3.0
_SLACK_SECONDS = 2.0
_HEALTH = b"GET /health HTTP/1.1\r\nHost: sluice\r\n"


@pytest.fixture
def api(stack: Stack) -> subprocess.Popen[bytes]:
    """The process that is asked to go."""
    return stack.processes[0]


async def _gone(api: subprocess.Popen[bytes], seconds: float) -> None:
    """It ends within so long, with exit code 0."""
    assert 0 == await asyncio.to_thread(api.wait, seconds)


@asynccontextmanager
async def _uploading(stack: Stack, client: ApiClient, body: bytes, length: int) -> AsyncIterator[Wire]:
    """An upload of which all but the last 4,000 bytes of `body` have arrived, and `length` are announced."""
    parts = len(files(stack))
    async with wire(stack) as upload:
        await upload.say(post(client, Content_Length=str(length)) + body[:-4_000])
        await until(lambda: _has_parts(stack, parts + 1))
        yield upload


async def _has_parts(stack: Stack, count: int) -> bool:
    return len(files(stack)) == count


@pytest.fixture
async def body(client: ApiClient) -> bytes:
    """Of a submission of 3 MB."""
    return submission(await create_schema(client, fields=samples.FIELDS), b"id\n" + b"1234567\n" * 400_000)


async def test_an_upload_that_ends_within_the_grace_gets_its_job(
    stack: Stack, client: ApiClient, api: subprocess.Popen[bytes], body: bytes
) -> None:
    """It is answered as always, and then the API goes at once."""
    async with _uploading(stack, client, body, len(body)) as upload:
        api.send_signal(signal.SIGTERM)
        await until(lambda: _refuses(stack))
        await upload.say(body[-4_000:])

        answer = await upload.answer()
        await _gone(api, AT_ONCE_SECONDS)

    assert (200, "close") == (answer.status, answer.headers["connection"])
    [job] = await stack.query("SELECT storage_key, sha256 FROM job")
    assert job["sha256"] == answer.json["data"]["submitFile"]["job"]["sha256"]
    assert [job["storage_key"]] == files(stack)


async def _refuses(stack: Stack) -> bool:
    try:
        async with wire(stack):
            return False
    except ConnectionRefusedError:
        return True


async def _stall(upload: Wire, body: bytes) -> None:
    """Nothing more comes."""


async def _crawl(upload: Wire, body: bytes) -> None:
    """A byte in a twentieth of a second."""
    await upload.trickle(body[-4_000:], pause=0.05)


async def _rush(upload: Wire, body: bytes) -> None:
    """Five megabytes a second, and some more before the answer is looked at."""
    await upload.trickle(bytes(99 * len(body)), pause=0.01, size=50_000)
    for _ in range(10):
        await upload.say(bytes(50_000))
        await asyncio.sleep(0.03)


async def test_uploads_that_do_not_end_are_told_to_come_again(
    stack: Stack, client: ApiClient, api: subprocess.Popen[bytes], body: bytes
) -> None:
    """503 with Retry-After, as a GraphQL error, whether more comes or not; no file, no job; exit code 0 in the grace."""
    async with AsyncExitStack() as exits:
        ways = (_stall, _crawl, _rush)
        uploads = [
            await exits.enter_async_context(_uploading(stack, client, body, 100 * len(body))) for _ in ways
        ]
        began = time.monotonic()
        api.send_signal(signal.SIGTERM)
        await asyncio.gather(*(way(upload, body) for way, upload in zip(ways, uploads, strict=True)))
        answers = [await upload.answer() for upload in uploads]
        await _gone(api, GRACE_SECONDS + _SLACK_SECONDS - (time.monotonic() - began))
        await asyncio.gather(*(upload.end() for upload in uploads))

    assert [(503, "UNAVAILABLE")] * 3 == [answer.refusal for answer in answers]
    assert [("2", "close")] * 3 == [
        (answer.headers["retry-after"], answer.headers["connection"]) for answer in answers
    ]
    assert [False] * 3 == [upload.is_reset for upload in uploads]
    assert [] == files(stack)
    assert [] == await stack.query("SELECT id FROM job")
    assert "Traceback" not in stack.log


@asynccontextmanager
async def _subscribed(stack: Stack, client: ApiClient, job_id: str) -> AsyncIterator[ClientConnection]:
    """A subscription that has had its first event."""
    async with connect(
        stack.url.replace("http", "ws") + "/graphql", subprotocols=[Subprotocol("graphql-transport-ws")],
        additional_headers={"X-API-Key": key_of(client)}, proxy=None, close_timeout=1,
    ) as socket:  # fmt: skip
        await send(socket, type="connection_init")
        await receive(socket)
        await watch(socket, job_id)
        assert "next" == (await receive(socket))["type"]
        yield socket


async def test_subscriptions_are_closed_with_a_word(
    stack: Stack, client: ApiClient, api: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """1012, "service restart", to each of twenty, at once; whoever subscribes again elsewhere misses nothing."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    job_id = await submit(client, schema_id, samples.write(tmp_path / "orders.csv", 10))
    async with AsyncExitStack() as exits:
        sockets = [await exits.enter_async_context(_subscribed(stack, client, job_id)) for _ in range(20)]
        api.send_signal(signal.SIGTERM)
        for socket in sockets:
            with suppress(ConnectionClosed):
                await receive(socket)
        await _gone(api, AT_ONCE_SECONDS)

    assert {1012} == {socket.close_code for socket in sockets}
    assert "Traceback" not in stack.log


_IDLE = [b"", _HEALTH + b"\r\n", _HEALTH, _HEALTH + b"\r\n" + _HEALTH]
"""Who never asked, rests after an answer, is in the middle of his headers, or in those of his second request."""


@pytest.mark.parametrize("words", [[], 25 * _IDLE], ids=["nobody", "a hundred idlers"])
async def test_an_api_with_nothing_to_do_goes_at_once(
    stack: Stack, api: subprocess.Popen[bytes], words: list[bytes]
) -> None:
    """Connections without a request do not hold it; they are closed without a word."""
    async with AsyncExitStack() as exits:
        idlers = [await exits.enter_async_context(wire(stack)) for _ in words]
        for idler, said in zip(idlers, words, strict=True):
            await idler.say(said)
            if b"\r\n\r\n" in said:
                assert 200 == (await idler.answer()).status
        api.send_signal(signal.SIGTERM)
        await _gone(api, AT_ONCE_SECONDS)

        assert [b""] * len(words) == [await idler.end() for idler in idlers]
