"""Event streams whose clients are slow, silent or gone, and an API that leaves: nobody is kept, and nothing is left."""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest
from redis.asyncio import Redis
from tortoise import Tortoise
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from graph import event_stream
from models import Job, JobStatus
from settings import tortoise_config
from sluice import http_protocol
from sluice.endpoints import Services
from tasks.progress import Progress, publish
from tests.factories import make_job
from tests.faults.jobs import until
from tests.graph.api import Owner, id_of
from tests.graph.event_streams import Stream, streamed
from tests.graph.in_process import served
from tests.graph.sockets import PROGRESS, acknowledged, receive, send, watch
from tests.stack import Stack, running

_LEAVES_WITHIN = 2.0
_STATES = 400
_FILLING = 200
"""So many long events fill what the system keeps for a connection."""
_LONG = (
    "subscription ($id: ID!) { jobProgress(jobId: $id) { status bytesRead "
    + " ".join(f"{'x' * 2_000}{number}: bytesTotal" for number in range(25))
    + " } }"
)
"""Each of its events has 50 KB."""


def _request(owner: Owner, job: Job, query: str = _LONG) -> bytes:
    body = json.dumps({"query": query, "variables": {"id": id_of(job)}}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: sluice\r\nX-API-Key: {owner.key}\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _small_socket(port: int) -> socket.socket:
    """One that takes next to nothing from the network before it is read."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    plain.connect(("127.0.0.1", port))
    return plain


@asynccontextmanager
async def _deaf_stream(port: int, owner: Owner, job: Job) -> AsyncIterator[asyncio.StreamReader]:
    """A stream of long events of which its client reads the head only."""
    reader, writer = await asyncio.open_connection(sock=_small_socket(port), limit=1_024)
    try:
        writer.write(_request(owner, job))
        assert b" 200 " in await reader.readline()
        yield reader
    finally:
        writer.close()


@asynccontextmanager
async def _deaf_socket(stack: Stack, owner: Owner, job: Job) -> AsyncIterator[ClientConnection]:
    """A WebSocket that subscribes to long events and does not read them."""
    async with connect(
        f"ws://127.0.0.1:{_port(stack)}/graphql", sock=_small_socket(_port(stack)), proxy=None, compression=None,
        subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=owner.headers, max_queue=1,
        close_timeout=0.1,
    ) as deaf:  # fmt: skip
        await send(deaf, type="connection_init")
        assert "connection_ack" == (await receive(deaf))["type"]
        payload = {"query": _LONG, "variables": {"id": id_of(job)}}
        await send(deaf, type="subscribe", id="1", payload=payload)
        yield deaf


def _port(stack: Stack) -> int:
    return int(stack.url.rpartition(":")[2])


class Work:
    """What a worker tells of a job, as fast as somebody who reads it sees it."""

    def __init__(self, redis: Redis, job: Job, seen: Stream) -> None:
        self._redis = redis
        self._seen = seen
        self._state = Progress(job.id, JobStatus.PROCESSING, _STATES, 0, 0, 0, None, None, datetime.now(UTC))

    async def tell(self, first: int, last: int) -> None:
        """Each of these states is seen by the one who reads."""
        for read in range(first, last + 1):
            await publish(self._redis, replace(self._state, bytes_read=read))
            while int((await self._seen.progress())["bytesRead"]) < read:
                pass


@asynccontextmanager
async def _working(client: httpx.AsyncClient, redis_url: str, owner: Owner, job: Job) -> AsyncIterator[Work]:
    await Job.filter(id=job.id).update(status=JobStatus.PROCESSING, size_bytes=_STATES)
    async with Redis.from_url(redis_url) as redis, streamed(client, owner, PROGRESS, id=id_of(job)) as seen:
        await seen.progress()
        yield Work(redis, job, seen)


async def test_a_subscriber_that_does_not_read_costs_little_and_sees_the_end(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """Twenty megabytes of events for him, of which the latest is kept; others get theirs; then he reads after all."""
    api = psutil.Process(stack.processes[0].pid)
    async with (
        _working(app_client, stack.services.redis_url, partner, job) as work,
        _deaf_stream(_port(stack), partner, job) as deaf,
    ):
        await work.tell(1, _FILLING)
        before = api.memory_info().rss
        await work.tell(_FILLING + 1, _STATES - 1)
        growth = api.memory_info().rss - before
        await Job.filter(id=job.id).update(status=JobStatus.COMPLETED, bytes_read=_STATES)
        kept = b""
        async with asyncio.timeout(20):
            while not kept.endswith(b"event: complete\ndata:\n\n\r\n0\r\n\r\n"):
                kept += await deaf.read(65_536)

    assert growth < 4 * 1024 * 1024
    assert kept.count(b"event: next") < _STATES - 10, "it was never full"
    assert 1 == kept.count(b'"status":"COMPLETED"')
    assert kept.rindex(b'"status":"COMPLETED"') > kept.rindex(b'"status":"PROCESSING"')


async def test_the_api_leaves_at_once_with_open_streams_and_sockets(
    services: Services, tmp_path: Path
) -> None:
    """Those who read are told, those who do not are cut off; it exits 0, and no error stands in its log."""
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(running(services, tmp_path, workers=0))
        await Tortoise.init(config=tortoise_config(stack.services.database_url))
        exits.push_async_callback(Tortoise.close_connections)
        partner = await Owner.create("Acme")
        job = await make_job(partner=partner.row)
        client = await exits.enter_async_context(
            httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=20)
        )
        work = await exits.enter_async_context(_working(client, stack.services.redis_url, partner, job))
        for _ in range(2):
            await exits.enter_async_context(_deaf_stream(_port(stack), partner, job))
            await exits.enter_async_context(_deaf_socket(stack, partner, job))
        await work.tell(1, _FILLING)
        streams, sockets = [], []
        for _ in range(10):
            stream = await exits.enter_async_context(streamed(client, partner, PROGRESS, id=id_of(job)))
            await stream.progress()
            streams.append(stream)
            opened = await exits.enter_async_context(acknowledged(stack, partner))
            await watch(opened, id_of(job))
            await receive(opened)
            sockets.append(opened)

        began = time.monotonic()
        stack.processes[0].send_signal(signal.SIGTERM)
        assert [[]] * 10 == [await stream.rest() for stream in streams]
        for opened in sockets:
            with pytest.raises(ConnectionClosed):
                await opened.recv()
        code = await asyncio.to_thread(stack.processes[0].wait, 15)
        seconds = time.monotonic() - began

        assert {1012} == {opened.close_code for opened in sockets}
        assert "Traceback" not in stack.log

    assert 0 == code
    assert seconds < _LEAVES_WITHIN


async def test_a_silent_stream_is_kept_alive(
    stack: Stack, partner: Owner, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment every KEEP_ALIVE_SECONDS."""
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)
    async with (
        served(stack) as api,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", trust_env=False) as client,
        streamed(client, partner, PROGRESS, id=id_of(job)) as stream,
    ):
        await stream.progress()
        waiting = asyncio.create_task(stream.event())
        await until(lambda: _has_comments(stream, 5))
        waiting.cancel()


async def _has_comments(stream: Stream, count: int) -> bool:
    return stream.comments >= count


async def test_who_takes_nothing_for_long_is_cut_off(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UNREAD_SECONDS after his buffers were full; his subscription ends with him."""
    monkeypatch.setattr(http_protocol, "UNREAD_SECONDS", 0.5)

    async def is_over() -> bool:
        return not api.shares._running

    async with (
        served(stack) as api,
        _working(app_client, stack.services.redis_url, partner, job) as work,
        _deaf_stream(api.port, partner, job),
    ):
        await work.tell(1, _FILLING)
        await until(is_over, 5)


async def test_a_stream_with_a_request_behind_it_ends_with_its_client(
    stack: Stack, partner: Owner, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a connection that is lost, the newest request alone would hear."""
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)

    async def is_over() -> bool:
        return not api.shares._running

    async with served(stack) as api:
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(_request(partner, job, PROGRESS) + b"GET /health HTTP/1.1\r\nHost: sluice\r\n\r\n")
        assert b" 200 " in await reader.readline()
        writer.transport.abort()

        await until(is_over, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such option, and give up later")
async def test_whose_machine_is_gone_is_cut_off(stack: Stack, partner: Owner, job: Job) -> None:
    """The system ends a connection on which not even a comment is acknowledged."""
    async with served(stack) as api, _deaf_stream(api.port, partner, job):
        [connection] = api.connections
        sent = connection.transport.get_extra_info("socket")

        assert 1_000 * http_protocol.UNREAD_SECONDS == sent.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT
        )
