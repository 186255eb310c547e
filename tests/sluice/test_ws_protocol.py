"""A WebSocket client that does not read, under the protocol that the API serves with."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from sluice.endpoints import LOOPBACK, free_port
from sluice.ws_protocol import WebSocketProtocol

_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_PING = b"\x89\xfd" + bytes(4) + b"p" * 125


async def _talk(scope: Any, receive: Any, send: Any) -> None:
    """Sends for ever."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": "x" * 1_000})


async def _listen(scope: Any, receive: Any, send: Any) -> None:
    """Says nothing."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[uvicorn.Server]:
    """A server of an app, which expects the answer to a ping within half a second."""
    config = uvicorn.Config(
        request.param, host=LOOPBACK, port=free_port(), ws=WebSocketProtocol, ws_ping_interval=0.5,
        ws_ping_timeout=0.5, lifespan="off", log_config=None,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server
    server.should_exit = True
    await serving


def _deaf(server: uvicorn.Server) -> socket.socket:
    """A client that never reads."""
    deaf = socket.create_connection((LOOPBACK, server.config.port))
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
