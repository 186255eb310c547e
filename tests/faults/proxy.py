"""A TCP proxy between two processes of a test: its link can be slow, silent, cut, reset or down, changed while it runs."""

import asyncio
import math
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urlsplit

from sluice.endpoints import LOOPBACK, free_port

COMMIT = b"COMMIT;\0"
"""The end of the message with which a worker ends a transaction."""
_PIECE_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: close() throws away what is unsent, and sends RST."""


class Fate(Enum):
    """What becomes of a piece of bytes that a test has seen."""

    PASS = auto()
    LOSE = auto()
    """It does not arrive, and the connection is cut."""
    CUT = auto()
    """It arrives, and the connection is cut at once."""
    LOSE_ANSWER = auto()
    """It arrives, the answer to it does not, and only then the connection is cut."""


@dataclass
class Flow:
    """One direction of every connection."""

    latency: float = 0.0
    """Seconds that each piece is under way."""
    bytes_per_second: float = math.inf
    cut_after: float = math.inf
    """A connection is cut in the middle of a piece, when this many of its bytes have passed."""
    judge: Callable[[bytes], Fate] = lambda piece: Fate.PASS
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.heal()

    def silence(self) -> None:
        """Nothing arrives, and nobody is told. As in a partition, what is sent meanwhile arrives when it has healed."""
        self._open.clear()

    def heal(self) -> None:
        """Ends the silence."""
        self._open.set()

    @property
    def piece_bytes(self) -> int:
        """The longest piece: over a slow link a twentieth of a second, so that it trickles."""
        return max(1, int(min(_PIECE_BYTES, self.bytes_per_second / 20)))

    async def carry(self, piece: bytes) -> None:
        """Returns when a piece has been under way for as long as it takes."""
        await asyncio.sleep(self.latency + len(piece) / self.bytes_per_second)
        await self._open.wait()


@dataclass(eq=False)
class _Connection:
    """A client, and the server that it believes to talk to."""

    client: StreamWriter
    server: StreamWriter
    loses_answer: bool = False
    """What comes from the server next is to be lost."""

    def reset(self) -> None:
        """RST to both."""
        for writer in (self.client, self.server):
            if not writer.transport.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()

    def close(self) -> None:
        """FIN to both, behind what was sent to them."""
        self.client.close()
        self.server.close()


class Proxy:
    """Listens on a port of its own for what is meant for `host` and `port`; made by `standing_before`."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = LOOPBACK, free_port()
        self.to_server, self.to_client = Flow(), Flow()
        self.accepted = 0
        """Connections so far."""
        self._target = host, port
        self._connections: set[_Connection] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def url(self, url: str) -> str:
        """The same URL by way of this proxy."""
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        place = f"{user}@{self.host}:{self.port}" if user else f"{self.host}:{self.port}"
        return parts._replace(netloc=place).geturl()

    def silence(self) -> None:
        """A partition: nothing arrives on either side."""
        self.to_server.silence()
        self.to_client.silence()

    def heal(self) -> None:
        """The end of a partition."""
        self.to_server.heal()
        self.to_client.heal()

    def reset(self) -> None:
        """Resets every connection."""
        for connection in tuple(self._connections):
            connection.reset()

    async def go_down(self) -> None:
        """Resets every connection, and refuses the next ones."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        self.reset()

    async def go_up(self) -> None:
        """Accepts connections, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)

    async def close(self) -> None:
        """Leaves nothing behind."""
        await self.go_down()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _accept(self, client_reader: StreamReader, client: StreamWriter) -> None:
        self.accepted += 1
        try:
            server_reader, server = await asyncio.open_connection(*self._target)
        except OSError:
            client.close()
            return
        connection = _Connection(client, server)
        self._connections.add(connection)
        async with asyncio.TaskGroup() as group:
            for pump in (
                self._pump(connection, client_reader, server, self.to_server),
                self._pump(connection, server_reader, client, self.to_client),
            ):
                task = group.create_task(pump)
                self._pumps.add(task)
                task.add_done_callback(self._pumps.discard)
        self._connections.discard(connection)

    async def _pump(
        self, connection: _Connection, reader: StreamReader, writer: StreamWriter, flow: Flow
    ) -> None:
        passed = 0
        with suppress(OSError):
            while piece := await reader.read(flow.piece_bytes):
                await flow.carry(piece)
                if self._is_lost(connection, flow):
                    break
                fate = flow.judge(piece)
                allowed = piece[: int(min(len(piece), max(0, flow.cut_after - passed)))]
                connection.loses_answer |= fate is Fate.LOSE_ANSWER
                if fate is not Fate.LOSE:
                    writer.write(allowed)
                    await writer.drain()
                passed += len(allowed)
                if fate in (Fate.LOSE, Fate.CUT) or len(allowed) < len(piece):
                    break
        connection.close()

    def _is_lost(self, connection: _Connection, flow: Flow) -> bool:
        return connection.loses_answer and flow is self.to_client


@asynccontextmanager
async def standing_before(url: str) -> AsyncIterator[Proxy]:
    """A proxy before the server of that URL, for the length of the block."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    proxy = Proxy(parts.hostname, parts.port)
    await proxy.go_up()
    try:
        yield proxy
    finally:
        await proxy.close()
