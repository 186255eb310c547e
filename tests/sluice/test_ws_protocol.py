"""A WebSocket client that does not read, under the protocol that the API serves with."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from sluice.endpoints import LOOPBACK
from sluice.ws_protocol import WebSocketProtocol

_SECONDS = 10
_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_UNREAD_BYTES = 30_000
"""More than the kernel keeps for a client, and less than makes the server stop to listen."""
_CLOSE = b"\x88\x80" + bytes(4)
_NONSENSE = b"\xff" * 10
_PING = b"\x89\xfd" + bytes(4) + b"p" * 125


async def _talk(scope: Any, receive: Any, send: Any) -> None:
    """Sends for ever."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": "x" * 1_000})


def _farewell(*, close: bool) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """An app that says much, and then goodbye, or just goes."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "x" * _UNREAD_BYTES})
        if close:
            await send({"type": "websocket.close"})

    return app


async def _talk_and_listen(scope: Any, receive: Any, send: Any) -> None:
    """Says much, and then nothing."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "x" * _UNREAD_BYTES})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _listen(scope: Any, receive: Any, send: Any) -> None:
    """Says nothing."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


class _Hasty(WebSocketProtocol):
    """Gives half a second to whom it has said goodbye."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.close_timeout = 0.5


@asynccontextmanager
async def _serving(app: Any, **settings: Any) -> AsyncIterator[uvicorn.Server]:
    """A server of an app. The kernel keeps little of what it says."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, **settings)
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        listening.bind((LOOPBACK, 0))
        config.port = listening.getsockname()[1]
        serving = asyncio.create_task(server._serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield server
        server.should_exit = True
        await serving


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[uvicorn.Server]:
    """A server of an app, which expects the answer to a ping within half a second."""
    async with _serving(
        request.param, ws=WebSocketProtocol, ws_ping_interval=0.5, ws_ping_timeout=0.5
    ) as server:
        yield server


def _deaf(server: uvicorn.Server) -> socket.socket:
    """A client that never reads."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    deaf.connect((LOOPBACK, server.config.port))
    deaf.sendall(_HANDSHAKE)
    deaf.setblocking(False)
    return deaf


@pytest.mark.parametrize("server", [_talk], indirect=True)
async def test_who_does_not_answer_a_ping_is_cut_off(server: uvicorn.Server) -> None:
    """Even if what was sent to him before lies unread."""
    with _deaf(server):
        async with asyncio.timeout(5):
            while not server.server_state.connections:
                await asyncio.sleep(0.01)
            while server.server_state.connections:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("server", [_listen], indirect=True)
async def test_pings_of_who_does_not_read_are_not_answered_without_end(server: uvicorn.Server) -> None:
    """Half a second of them: the answers that are kept fit into a buffer."""
    most = 0
    with _deaf(server) as deaf:
        for _ in range(50):
            await asyncio.sleep(0.01)
            for connection in server.server_state.connections:
                most = max(most, connection.transport.get_write_buffer_size())
            for _ in range(100):
                try:
                    deaf.send(_PING * 100)
                except OSError:  # full, or cut off by now
                    break

    assert 0 < most < 1_000_000


@pytest.mark.parametrize(
    ("app", "said"),
    [
        pytest.param(_farewell(close=True), b"", id="the app closes"),
        pytest.param(_farewell(close=False), b"", id="the app ends"),
        pytest.param(_talk_and_listen, _CLOSE, id="the client closes"),
        pytest.param(_talk_and_listen, _NONSENSE, id="the client talks nonsense"),
        pytest.param(_talk_and_listen, None, id="the server leaves"),
    ],
)
async def test_nobody_waits_for_ever_to_say_goodbye(app: Any, said: bytes | None) -> None:
    """Whoever ends it: a client that does not read what is still there for him is cut off."""
    async with _serving(app, ws=_Hasty, timeout_graceful_shutdown=_SECONDS) as server:
        with _deaf(server) as deaf:
            async with asyncio.timeout(_SECONDS / 2):
                while not _owed(server):
                    await asyncio.sleep(0.01)
                if said is None:
                    server.should_exit = True
                else:
                    deaf.sendall(said)
                while server.server_state.connections:
                    await asyncio.sleep(0.01)


def _owed(server: uvicorn.Server) -> int:
    """Bytes that the server keeps for its clients."""
    return sum(each.transport.get_write_buffer_size() for each in server.server_state.connections)
