"""Two thousand subscribers of one API process: how late a state is, and what a message costs the server.

    python -m benchmarks.subscribers [--subscribers 2000] [--jobs 1|200] [--seconds 10]

The subscribers are plain sockets in two processes of their own that look at nothing before the end. Each event carries
the moment of its publication in `bytesRead`: the microseconds of the clock that all processes of a machine share.
"""

import argparse
import asyncio
import base64
import itertools
import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
import uvloop
from redis.asyncio import Redis

from benchmarks.figures import Figures
from graph.ids import global_id
from models import JobStatus
from sluice import embedded
from sluice.client import ApiClient
from sluice.endpoints import Services
from tasks.broker import redis_options
from tasks.progress import Progress, publish
from tests.stack import ROOT, Stack, create_schema, running, submit

CLIENT_PROCESSES = 2
INTERVAL_SECONDS = 0.5
WANTED_P99_MS = 130.0
WANTED_MICROSECONDS = 60.0
_CONNECTING = 25
"""Connections that a client process opens at a time."""
_END_SECONDS = 30.0
_FILES = 8_192
_WARM_UP = 20
_QUERY = """subscription ($id: ID!) { jobProgress(jobId: $id) {
  jobId status percent bytesTotal bytesRead recordsRead recordsAccepted recordsRejected at } }"""


@dataclass(frozen=True)
class Measured:
    """What came out of one run."""

    subscribers: int
    jobs: int
    messages: int
    """States that arrived after everybody had his first one."""
    ended: int
    """Subscribers who got exactly one final state, last, and `complete`; and none of whose states went back."""
    p50_ms: float
    p99_ms: float
    worst_ms: float
    """From just before the publication to the subscriber's process."""
    cpu_microseconds: float
    """Of the API process, user and system, for each message."""
    kilobytes: float
    """By which the API process grew for each subscriber."""

    @property
    def is_met(self) -> bool:
        """Whether it is what was wanted."""
        return (
            self.ended == self.subscribers
            and self.p99_ms < WANTED_P99_MS
            and self.cpu_microseconds < WANTED_MICROSECONDS
        )

    def __str__(self) -> str:
        return (
            f"{self.subscribers:,} subscribers of {self.jobs} jobs: {self.ended:,} got to the end, {self.messages:,} messages,"
            f" p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms, worst {self.worst_ms:.0f} ms,"
            f" {self.cpu_microseconds:.1f} us of CPU a message, {self.kilobytes:.1f} KB a subscriber"
        )


async def measure(
    stack: Stack, *, subscribers: int = 2_000, jobs: int = 1, seconds: float = 10.0
) -> Measured:
    """Follows `jobs` new jobs of a running stack without workers, publishes for so long, and ends them all."""
    api = psutil.Process(stack.processes[0].pid)
    async with await stack.partner(f"Subscribers {time.monotonic_ns()}") as client:
        job_ids = await _make_jobs(stack, client, jobs)
        await _run_clients(stack, client, job_ids, _WARM_UP, None, seconds=0)
        before = api.memory_info().rss
        return await _run_clients(stack, client, job_ids, subscribers, before, seconds=seconds)


async def _run_clients(
    stack: Stack,
    client: ApiClient,
    job_ids: Sequence[UUID],
    subscribers: int,
    rss_before: int | None,
    *,
    seconds: float,
) -> Measured:
    api = psutil.Process(stack.processes[0].pid)
    tickets = [global_id("Job", job_ids[number % len(job_ids)]) for number in range(subscribers)]
    clients = [
        await _Client.start(stack, client, tickets[some::CLIENT_PROCESSES])
        for some in range(CLIENT_PROCESSES)
    ]
    for one in clients:
        assert await one.line() == "ready"
    grown = api.memory_info().rss - (rss_before or 0)
    began = _cpu_seconds(api)
    if seconds:
        await _publish(stack, job_ids, seconds)
        await _end(stack, job_ids)
    else:
        for one in clients:
            one.leave()
    told = [json.loads(await one.line()) for one in clients]
    cpu = _cpu_seconds(api) - began
    for one in clients:
        await one.process.wait()
    late = sorted(itertools.chain.from_iterable(one["late"] for one in told)) or [0]
    messages = sum(one["messages"] for one in told)
    return Measured(
        subscribers, len(job_ids), messages, sum(one["ended"] for one in told),
        late[len(late) // 2] / 1000, late[len(late) * 99 // 100] / 1000, late[-1] / 1000,
        cpu * 1e6 / max(1, messages), grown / 1024 / subscribers,
    )  # fmt: skip


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _now() -> int:
    return time.monotonic_ns() // 1000


async def _make_jobs(stack: Stack, client: ApiClient, count: int) -> list[UUID]:
    """One submitted file, as so many jobs that seem to be read."""
    schema_id = await create_schema(client, fields=[{"name": "id", "type": "INTEGER"}])
    path = stack.folder / "watched.csv"
    path.write_text("id\n1\n")
    made = [await submit(client, schema_id, path) for _ in range(count)]
    ids = [UUID(base64.b64decode(job_id).decode().partition(":")[2]) for job_id in made]
    await stack.query(
        "UPDATE job SET status = 'PROCESSING', size_bytes = $1, lease_until = 'infinity' WHERE id = ANY($2)",
        _TOTAL, ids,
    )  # fmt: skip
    return ids


_TOTAL = 2**53


async def _publish(stack: Stack, job_ids: Sequence[UUID], seconds: float) -> None:
    """An event of each job every half a second, the jobs evenly spread over it."""
    blank = Progress(job_ids[0], JobStatus.PROCESSING, _TOTAL, 0, 7, 1, 1234.5, 60.0, datetime.now(UTC))
    loop = asyncio.get_running_loop()
    async with Redis.from_url(stack.services.redis_url, **redis_options()) as redis:
        began, count = loop.time(), round(seconds / INTERVAL_SECONDS) * len(job_ids)
        for number in range(count):
            await asyncio.sleep(began + number * INTERVAL_SECONDS / len(job_ids) - loop.time())
            await publish(redis, replace(blank, job_id=job_ids[number % len(job_ids)], bytes_read=_now()))
        await asyncio.sleep(INTERVAL_SECONDS)


async def _end(stack: Stack, job_ids: Sequence[UUID]) -> None:
    """As a worker does: the row first, then the word."""
    await stack.query(
        "UPDATE job SET status = 'COMPLETED', finished_at = now(), bytes_read = size_bytes WHERE id = ANY($1)",
        job_ids,
    )
    final = Progress(job_ids[0], JobStatus.COMPLETED, _TOTAL, _TOTAL, 7, 1, None, None, datetime.now(UTC))
    async with Redis.from_url(stack.services.redis_url, **redis_options()) as redis:
        for job_id in job_ids:
            await publish(redis, replace(final, job_id=job_id))


@dataclass
class _Client:
    """A process with some of the subscribers."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, stack: Stack, client: ApiClient, tickets: Sequence[str]) -> "_Client":
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.subscribers", "--client",
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**28,
        )  # fmt: skip
        assert process.stdin
        key = client._headers["X-API-Key"]
        process.stdin.write(json.dumps({"url": stack.url, "key": key, "tickets": tickets}).encode() + b"\n")
        return cls(process)

    async def line(self) -> str:
        assert self.process.stdout
        line = await self.process.stdout.readline()
        assert line, "a client process died"
        return line.decode().strip()

    def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()


# --- what runs in a client process ---------------------------------------------------------------------------------


class _Subscriber(asyncio.Protocol):
    """One socket. It keeps what comes and when, and answers pings."""

    def __init__(self, host: str, key: str, ticket: str) -> None:
        self._hello = (
            f"GET /graphql HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: graphql-transport-ws\r\nX-API-Key: {key}\r\n\r\n"
        )
        self._ticket = ticket
        self._transport: Any = None
        self._tail = b""
        self.is_asked = False
        self.heard: list[tuple[int, bytes]] = []
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._hello.encode())

    def data_received(self, data: bytes) -> None:
        self.heard.append((_now(), data))
        if not self.first.done():
            self._greet(data)
        if (
            at := data.find(b"\x89\x04")
        ) >= 0:  # a ping of four bytes; nothing of ours has these two side by side
            self._transport.write(b"\x8a\x84\0\0\0\0" + data[at + 2 : at + 6])
        if b'"complete"' in data:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        self._done()

    def _done(self) -> None:
        for future in (self.first, self.end):
            if not future.done():
                future.set_result(None)

    def _greet(self, data: bytes) -> None:
        self._tail += data
        if b"\r\n\r\n" in self._tail and not self.is_asked:
            self._send({"type": "connection_init"})
            self._tail, self.is_asked = b"", True
        elif b"connection_ack" in self._tail:
            payload = {"query": _QUERY, "variables": {"id": self._ticket}}
            self._send({"id": "1", "type": "subscribe", "payload": payload})
            self._tail = b""
        elif b'"next"' in self._tail:
            self.first.set_result(None)

    def _send(self, message: dict[str, Any]) -> None:
        text = json.dumps(message).encode()
        head = (
            bytes([0x81, 0x80 | len(text)]) if len(text) < 126 else b"\x81\xfe" + len(text).to_bytes(2, "big")
        )
        self._transport.write(head + b"\0\0\0\0" + text)  # a mask of zeros leaves it as it is

    def close(self) -> None:
        self._transport.close()


_STATE = re.compile(rb'"status":"([A-Z]+)".*?"bytesRead":"(\d+)"')


def _states(subscriber: _Subscriber, since: int) -> list[tuple[int, bytes, int]]:
    """When it came, status and bytesRead of each state that came after `since`."""
    text, arrivals = bytearray(), []
    for at, data in subscriber.heard:
        text += data
        arrivals.append((len(text), at))
    found, number = [], 0
    for match in _STATE.finditer(bytes(text)):
        while arrivals[number][0] < match.end():
            number += 1
        if arrivals[number][1] > since:
            found.append((arrivals[number][1], match[1], int(match[2])))
    return found


async def _client() -> None:
    loop = asyncio.get_running_loop()
    given = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    address, turns = urlsplit(given["url"]), asyncio.Semaphore(_CONNECTING)

    async def one(ticket: str) -> _Subscriber:
        async with turns:
            _, subscriber = await loop.create_connection(
                lambda: _Subscriber(address.netloc, given["key"], ticket), address.hostname, address.port
            )
            await subscriber.first
            return subscriber

    subscribers = await asyncio.gather(*(one(ticket) for ticket in given["tickets"]))
    since = _now()
    print("ready", flush=True)
    parent_leaves = loop.run_in_executor(None, sys.stdin.readline)
    everybody = asyncio.gather(*(subscriber.end for subscriber in subscribers))
    await asyncio.wait({parent_leaves, everybody}, return_when=asyncio.FIRST_COMPLETED)
    states = [_states(subscriber, since) for subscriber in subscribers]
    print(json.dumps({
        "messages": sum(map(len, states)),
        "ended": sum(map(_is_whole, states)),
        "late": [at - sent for one in states for at, status, sent in one if status == b"PROCESSING"],
    }), flush=True)  # fmt: skip
    os._exit(0)  # a thread may still read from the parent


def _is_whole(states: list[tuple[int, bytes, int]]) -> bool:
    """Forward, with one final state, which comes last."""
    finals = [status for _, status, _ in states if status == b"COMPLETED"]
    counts = [count for _, _, count in states]
    return len(finals) == 1 and states[-1][1] == b"COMPLETED" and counts == sorted(set(counts))


async def main(subscribers: int, jobs: Sequence[int], seconds: float) -> int:
    """0 when everything is as wanted."""
    is_met = True
    with tempfile.TemporaryDirectory(prefix="sluice-subscribers-") as name:
        async with embedded.services(Path(name)) as services:
            os.environ |= services.environment
            for count in jobs:
                folder = Path(name) / f"{count}-jobs"
                folder.mkdir()
                async with running(services, folder, workers=0) as stack:
                    measured = await measure(stack, subscribers=subscribers, jobs=count, seconds=seconds)
                print(measured, flush=True)
                is_met &= measured.is_met
    return 0 if is_met else 1


async def report(services: Services, folder: Path, figures: Figures) -> None:
    """A row for everybody on one job, and one for ten on each of two hundred."""
    allow_many_files()
    for jobs in (1, 200):
        own = folder / f"{jobs}-jobs"
        own.mkdir()
        async with running(services, own, workers=0) as stack:
            measured = await measure(stack, jobs=jobs)
        wanted = f"all to the end, p99 below {WANTED_P99_MS:.0f} ms, less than {WANTED_MICROSECONDS:.0f} us a message"
        figures.note("subscribers", str(measured), wanted)


def allow_many_files() -> None:
    """Each subscriber is an open file, here and in the API."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(_FILES, hard)), hard))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Two thousand subscribers of one API process.")
    parser.add_argument("--subscribers", type=int, default=2_000)
    parser.add_argument("--jobs", type=int, action="append", help="1 and then 200 when not given")
    parser.add_argument("--seconds", type=float, default=10.0, help="of publishing")
    parser.add_argument("--client", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    allow_many_files()
    if arguments.client:
        uvloop.run(_client())
    else:
        sys.exit(asyncio.run(main(arguments.subscribers, arguments.jobs or [1, 200], arguments.seconds)))
