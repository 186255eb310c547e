"""HTTP clients that do not read, under the protocol that the API serves with; and what cancels a request more than once."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from graph.uploads import Upload
from sluice import http_protocol
from sluice.endpoints import LOOPBACK
from sluice.http_protocol import HttpProtocol
from tasks.storage import LocalStore
from tasks.storage.local import PartFile

SMALL = 30_000
"""More than the kernel keeps for the client, and less than makes the server stop writing."""
LARGE = 4_000_000
_SECONDS = 10.0
_GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
_KEPT, _CLOSED = _GET + b"\r\n", _GET + b"Connection: close\r\n\r\n"
_NONSENSE = b"this is not HTTP\r\n\r\n"


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    """As many bytes as the connection is asked for by `_serving`."""
    body = b"x" * scope["state"]["size"]
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _narrow(connection: socket.socket) -> socket.socket:
    """The kernel keeps little on either side."""
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        connection.setsockopt(socket.SOL_SOCKET, buffer, 4_096)
    return connection


@asynccontextmanager
async def _serving(size: int) -> AsyncIterator[uvicorn.Server]:
    """A server that answers with so many bytes."""
    config = uvicorn.Config(
        _answer, http=HttpProtocol, lifespan="off", log_config=None, timeout_keep_alive=1,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    config.load()
    server = uvicorn.Server(config)
    with _narrow(socket.socket()) as listening:
        listening.bind((LOOPBACK, 0))
        config.port = listening.getsockname()[1]
        serving = asyncio.create_task(server._serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        server.lifespan.state["size"] = size
        yield server
        server.should_exit = True
        await serving


@asynccontextmanager
async def _asking(server: uvicorn.Server, words: bytes) -> AsyncIterator[socket.socket]:
    """A client that has asked, to whom bytes are owed, and who has read none."""
    with _narrow(socket.socket()) as client:
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (LOOPBACK, server.config.port))
        await loop.sock_sendall(client, words)
        async with asyncio.timeout(_SECONDS):
            while not _owed(server):
                await asyncio.sleep(0.01)
        yield client


def _owed(server: uvicorn.Server) -> int:
    """Bytes that the server keeps for its clients."""
    return sum(each.transport.get_write_buffer_size() for each in server.server_state.connections)


async def _left_alone(server: uvicorn.Server) -> None:
    """Waits until the server has no connection."""
    async with asyncio.timeout(_SECONDS):
        while server.server_state.connections:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("words", "more"),
    [(_KEPT, b""), (_CLOSED, b""), (_KEPT, _NONSENSE)],
    ids=["kept alive", "closed", "refused"],
)
@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_who_does_not_read_his_answer_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, words: bytes, more: bytes, size: int
) -> None:
    """However long the answer is, and also while the server waits to close the connection."""
    monkeypatch.setattr(http_protocol, "UNREAD_SECONDS", 0.5)
    async with _serving(size) as server, _asking(server, words) as client:
        client.send(more)
        await _left_alone(server)


async def test_who_stops_reading_near_the_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little is left that the server goes on writing."""
    monkeypatch.setattr(http_protocol, "UNREAD_SECONDS", 0.5)
    async with _serving(200_000) as server, _asking(server, _KEPT) as client:
        while _owed(server) > 16_000:
            await asyncio.get_running_loop().sock_recv(client, 1_024)
        assert 0 < _owed(server)

        await _left_alone(server)


async def test_who_reads_slowly_gets_all_of_his_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes him several times what he may be silent for."""
    monkeypatch.setattr(http_protocol, "UNREAD_SECONDS", 1.0)
    began = asyncio.get_running_loop().time()
    async with _serving(300_000) as server, _asking(server, _CLOSED) as client:
        heard = b""
        while piece := await asyncio.get_running_loop().sock_recv(client, 1_024):
            heard += piece
            await asyncio.sleep(0.01)

    assert 300_000 == len(heard.partition(b"\r\n\r\n")[2])
    assert asyncio.get_running_loop().time() - began > 2.5


class _Parts:
    """A file of one block."""

    async def blocks(self) -> AsyncIterator[bytes]:
        """The block."""
        yield b"x"

    async def next_part(self) -> None:
        """There is none."""


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Set when a thread writes to a file; and what lets it go on."""
    begun, going_on = threading.Event(), threading.Event()
    write = PartFile._write

    def slowly(part: PartFile, block: bytes) -> None:
        begun.set()
        going_on.wait(_SECONDS)
        write(part, block)

    monkeypatch.setattr(PartFile, "_write", slowly)
    yield begun, going_on
    going_on.set()


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_file_is_not_closed_under_the_thread_that_writes_it(
    files: Path, writing: tuple[threading.Event, threading.Event], times: int
) -> None:
    """However often the upload is cancelled, as an API that leaves does it twice: it ends when the thread has ended."""
    begun, going_on = writing
    upload = Upload("a.csv", _Parts(), LocalStore(files), 1_000)  # type: ignore[arg-type]
    receiving = asyncio.create_task(upload.receive())
    await asyncio.to_thread(begun.wait, _SECONDS)

    for _ in range(times):
        receiving.cancel()
        for _ in range(10):  # turns of the loop
            await asyncio.sleep(0)
    part = upload._part
    assert part
    assert part._descriptor >= 0
    going_on.set()
    await asyncio.wait({receiving})
    await upload.close()

    assert receiving.cancelled()
    assert 1 == part.size_bytes
    assert [] == list(files.iterdir())
