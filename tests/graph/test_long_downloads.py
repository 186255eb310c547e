"""Downloads of a job with 300,000 errors: made while they are sent, whoever reads how slowly."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from graph.download_links import Kind, Link
from models import Job
from tests.graph.api import Owner, data
from tests.graph.finished import finished_job
from tests.stack import Stack

ERRORS = 300_000
BUSY = """
SELECT state, query FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'
   AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
MEBIBYTE = 1024 * 1024
HEAD = b"id,name\n"
ROW = b"x,yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n"


@pytest.fixture
async def long_job(partner: Owner, store: Path) -> Job:
    """Every record of it is rejected."""
    return await finished_job(partner, store, HEAD + ROW * ERRORS)


def url_of(stack: Stack, owner: Owner, job: Job, kind: Kind) -> str:
    """A link."""
    return (
        f"{stack.url}/downloads/{Link(job.id, kind, int(time.time()) + 300).token(bytes(owner.row.key_hash))}"
    )


def memory(stack: Stack) -> int:
    """Of the API's process."""
    return psutil.Process(stack.processes[0].pid).memory_info().rss


def open_files(stack: Stack, job: Job) -> int:
    """How often the API has the job's file open."""
    opened = psutil.Process(stack.processes[0].pid).open_files()
    return sum(job.storage_key in file.path for file in opened)


async def test_memory_stays_flat(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, long_job: Job
) -> None:
    """Of all four."""
    warm = url_of(stack, partner, long_job, Kind.REJECTED)
    async with app_client.stream("GET", warm) as answer:
        await anext(answer.aiter_bytes())
    before, most = memory(stack), 0
    sizes = {}
    for kind in Kind:
        size = lines = 0
        async with app_client.stream("GET", url_of(stack, partner, long_job, kind)) as answer:
            assert 200 == answer.status_code
            async for block in answer.aiter_bytes():
                size, lines = size + len(block), lines + block.count(b"\n")
                most = max(most, memory(stack))
        assert lines == ERRORS + (kind is not Kind.ERRORS_NDJSON)
        sizes[kind] = size

    assert sizes[Kind.REJECTED] == len(HEAD) + len(ROW) * ERRORS
    assert most - before < 24 * MEBIBYTE


@asynccontextmanager
async def unread(url: str) -> AsyncIterator[asyncio.StreamReader]:
    """A client that asks, takes the first bytes, and then none."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1024)
    try:
        writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        yield reader
    finally:
        writer.transport.abort()


async def test_clients_that_do_not_read_hold_little(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, long_job: Job
) -> None:
    """Thirty of them: no connection to the database, a megabyte each at most; and when they leave, no file stays open."""
    warm = url_of(stack, partner, long_job, Kind.REJECTED)
    async with app_client.stream("GET", warm) as answer:
        await anext(answer.aiter_bytes())
    before, said = memory(stack), len(stack.log)
    async with AsyncExitStack() as clients:
        for n in range(30):
            kind = (Kind.REJECTED, Kind.ERRORS_CSV)[n % 2]
            await clients.enter_async_context(unread(url_of(stack, partner, long_job, kind)))
        async with asyncio.timeout(20):
            while await stack.query(BUSY):
                await asyncio.sleep(0.5)

        assert 15 == open_files(stack, long_job)
        assert memory(stack) - before < 30 * MEBIBYTE
        async with asyncio.timeout(2):
            assert {"viewer": {"name": "Acme"}} == await data(app_client, partner, "{ viewer { name } }")

    async with asyncio.timeout(10):
        while open_files(stack, long_job):
            await asyncio.sleep(0.1)
    assert "Traceback" not in stack.log[said:]


async def test_a_download_that_broke_off_goes_on(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, long_job: Job
) -> None:
    """In the middle, by a range."""
    url = url_of(stack, partner, long_job, Kind.REJECTED)
    whole = HEAD + ROW * ERRORS

    middle = await app_client.get(url, headers={"range": "bytes=10000000-10000999"})
    rest = await app_client.get(url, headers={"range": f"bytes={len(whole) - 777}-"})

    assert (whole[10_000_000:10_001_000], whole[-777:]) == (middle.content, rest.content)


async def test_a_database_that_goes_away_cuts_it_off(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, long_job: Job
) -> None:
    """It never looks whole when it is not; and it goes on by a range."""
    url = url_of(stack, partner, long_job, Kind.REJECTED)
    whole = HEAD + ROW * ERRORS

    got, is_whole = await _read_while_sessions_end(app_client, stack, url)
    rest = await app_client.get(url, headers={"range": f"bytes={len(got)}-"})

    assert (False, True) == (is_whole, 0 < len(got) < len(whole))
    assert whole == got + rest.content
    assert "download broken off" in stack.log


async def _read_while_sessions_end(client: httpx.AsyncClient, stack: Stack, url: str) -> tuple[bytes, bool]:
    """What came, and whether that looked whole."""
    got = b""
    try:
        async with client.stream("GET", url) as answer:
            async for block in answer.aiter_bytes():
                got += block
                await stack.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
    except httpx.RemoteProtocolError:
        return got, False
    return got, True
