"""What an upload of 500 MB costs, against the least that it can; when the id comes; what the API needs for it meanwhile."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks import data
from benchmarks.figures import Figures, Sample
from sluice.client import ApiClient
from sluice.endpoints import LOOPBACK, free_port
from tests.graph.api import BOUNDARY, MAP, MULTIPART, operations, part
from tests.stack import ROOT, Stack, create_schema

MEGABYTE = 1024 * 1024
TOGETHER = 8


@dataclass(frozen=True)
class Sent:
    """One upload, in seconds."""

    whole: float
    behind_the_last_byte: float
    answer: str


@dataclass(frozen=True)
class Request:
    """Everything around the file's bytes."""

    host: str
    port: int
    head: Path
    tail: Path


async def measure(
    stack: Stack, client: ApiClient, folder: Path, size: int, rounds: int, figures: Figures
) -> None:
    """All figures of uploads. No worker should run: what counts is the API."""
    content = folder / "upload.csv"
    _fill(content, size)
    ours = await _ours(stack, client, folder, size)
    api = psutil.Process(stack.processes[0].pid)
    before = api.memory_info().rss
    async with _bare_server(folder) as bare:
        theirs = _request(folder, "bare", bare, {}, b"", b"", size)
        pairs = []
        for _ in range(rounds):
            pairs.append((await send(ours, content), await send(theirs, content)))
            _empty(stack)
    name = f"upload of {size // 1_000_000} MB, hashed and durable"
    figures.add(
        Sample(
            name,
            "request.stream() to a file",
            [a.whole for a, _ in pairs],
            [b.whole for _, b in pairs],
            wanted=1 / 1.5,
        )
    )
    late = sorted(a.behind_the_last_byte for a, _ in pairs)
    figures.note(
        "job id behind the last byte",
        f"p50 {statistics.median(late) * 1e3:.0f} ms, most {late[-1] * 1e3:.0f} ms",
        "100 ms, 500 ms",
    )
    figures.note(
        "API memory, one upload after the other",
        f"+{(api.memory_info().rss - before) / MEGABYTE:.0f} MB",
        "30 MB",
    )
    await _together(stack, client, ours, content, api, figures)


async def _together(
    stack: Stack, client: ApiClient, request: Request, content: Path, api: psutil.Process, figures: Figures
) -> None:
    before = api.memory_info().rss
    most, answers = before, []
    sending = asyncio.gather(*(send(request, content) for _ in range(TOGETHER)))
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        while not sending.done():
            began = time.perf_counter()
            await http.post(client.url, json={"query": "{ viewer { name } }"}, headers=client._headers)
            answers.append(time.perf_counter() - began)
            most = max(most, api.memory_info().rss)
            await asyncio.sleep(0.01)
    for sent in await sending:
        assert '"job":{"id"' in sent.answer, sent.answer
    _empty(stack)
    p99 = statistics.quantiles(answers, n=100)[98]
    figures.note(f"API memory, {TOGETHER} uploads at once", f"+{(most - before) / MEGABYTE:.0f} MB", "100 MB")
    figures.note("another request meanwhile", f"p99 {p99 * 1e3:.0f} ms of {len(answers)}", "100 ms")


async def send(request: Request, content: Path) -> Sent:
    """One upload by a process of its own."""
    arguments = [request.host, str(request.port), str(content), str(request.head), str(request.tail)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.sender", *arguments, cwd=ROOT, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    told = json.loads(out)
    assert told["answer"].startswith("HTTP/1.1 200"), told["answer"]
    return Sent(told["answered"] - told["begun"], told["answered"] - told["sent"], told["answer"])


async def _ours(stack: Stack, client: ApiClient, folder: Path, size: int) -> Request:
    schema_id = await create_schema(client, fields=data.FIELDS)
    before = (
        part("operations", operations(schema_id))
        + part("map", MAP)
        + part("0", b"", filename="upload.csv")[:-2]
    )
    after = f"\r\n--{BOUNDARY}--\r\n".encode()
    address = urlsplit(stack.url)
    headers = {"X-API-Key": client._headers["X-API-Key"], "Content-Type": MULTIPART["content-type"]}
    return _request(
        folder, "ours", (address.hostname or "", address.port or 0, "/graphql"), headers, before, after, size
    )


def _request(
    folder: Path,
    name: str,
    at: tuple[str, int, str],
    headers: dict[str, str],
    before: bytes,
    after: bytes,
    size: int,
) -> Request:
    host, port, path = at
    lines = {"Host": host, "Content-Length": str(len(before) + size + len(after)), **headers}
    head, tail = folder / f"{name}.head", folder / f"{name}.tail"
    text = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
    head.write_bytes(f"POST {path} HTTP/1.1\r\n{text}\r\n".encode() + before)
    tail.write_bytes(after)
    return Request(host, port, head, tail)


@asynccontextmanager
async def _bare_server(folder: Path) -> AsyncIterator[tuple[str, int, str]]:
    port = free_port()
    command = [
        "-m",
        "uvicorn",
        "benchmarks.bare:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--loop",
        "uvloop",
        "--http",
        "httptools",
    ]
    server = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=os.environ | {"BARE_FOLDER": str(folder)}
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(500):
                try:
                    await http.get(f"http://{LOOPBACK}:{port}/")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
        yield LOOPBACK, port, "/"
    finally:
        server.terminate()
        server.wait()


def _fill(path: Path, size: int) -> None:
    line = b"1,ann@example.com,Ann,12.50,EUR,2026-11-25,2026-11-25T10:00:00Z,true,5,plain\n"
    with path.open("wb") as file:
        block = line * 10_000
        for start in range(0, size, len(block)):
            file.write(block[: size - start])


def _empty(stack: Stack) -> None:
    """Makes room: nobody will load these files."""
    for file in (stack.folder / "files").iterdir():
        file.unlink()
