"""The proxy of the fault suite does what its name for it says: else its tests would show nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.proxy import Fate, Flow, Proxy, standing_before

_SECONDS = 5.0


class Echo:
    """A server that sends everything back, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the client goes, or is cut off."""
        try:
            while piece := await reader.read(65_536):
                self.heard += piece
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def echo() -> Echo:
    """What the server behind the proxy has heard."""
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    """A proxy before an echoing server."""
    server = await asyncio.start_server(echo.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, standing_before(f"tcp://user:secret@127.0.0.1:{port}/x") as proxy:
        yield proxy


class Line:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, words: bytes) -> None:
        """Sends them."""
        self._writer.write(words)
        await self._writer.drain()

    async def hear(self, count: int, seconds: float = _SECONDS) -> bytes:
        """So many bytes, or fewer at the end of the connection. Raises TimeoutError, ConnectionResetError."""
        heard = b""
        async with asyncio.timeout(seconds):
            while len(heard) < count and (piece := await self._reader.read(count - len(heard))):
                heard += piece
        return heard


@asynccontextmanager
async def _line(proxy: Proxy) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


async def test_a_healthy_link_changes_nothing(proxy: Proxy) -> None:
    """A megabyte comes back as it was sent, and the URL keeps its name, password and path."""
    sent = bytes(range(256)) * 4_096
    async with _line(proxy) as line:
        saying = asyncio.create_task(line.say(sent))
        assert sent == await line.hear(len(sent))
        await saying

    assert f"tcp://user:secret@127.0.0.1:{proxy.port}/x" == proxy.url("tcp://user:secret@elsewhere:1/x")
    assert 1 == proxy.accepted


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
@pytest.mark.parametrize("slow", [{"latency": 0.4}, {"bytes_per_second": 10.0}], ids=["latency", "bandwidth"])
async def test_a_slow_link_takes_its_time(proxy: Proxy, direction: str, slow: dict[str, float]) -> None:
    """Four bytes take 0.4 s, in that direction alone."""
    setattr(proxy, direction, Flow(**slow))  # type: ignore[arg-type]  # floats alone
    async with _line(proxy) as line:
        began = time.monotonic()
        await line.say(b"slow")
        assert b"slow" == await line.hear(4)

    assert 0.4 <= time.monotonic() - began < 2.0


@pytest.mark.parametrize(("direction", "heard"), [("to_server", b""), ("to_client", b"hush")])
async def test_a_silent_link_swallows_until_it_heals(
    proxy: Proxy, echo: Echo, direction: str, heard: bytes
) -> None:
    """Nobody is told; the other direction works; what was sent meanwhile arrives afterwards."""
    flow: Flow = getattr(proxy, direction)
    async with _line(proxy) as line:
        flow.silence()
        await line.say(b"hush")
        with pytest.raises(TimeoutError):
            await line.hear(4, seconds=0.3)
        assert heard == echo.heard
        flow.heal()
        assert b"hush" == await line.hear(4)


async def test_a_silent_link_accepts_and_answers_nothing(proxy: Proxy) -> None:
    """A new connection during a partition hangs; it is not refused."""
    proxy.silence()
    async with _line(proxy) as line:
        await line.say(b"hush")
        with pytest.raises(TimeoutError):
            await line.hear(4, seconds=0.3)


async def test_a_reset_is_a_reset(proxy: Proxy) -> None:
    """The client gets RST, not an orderly end; the next connection works."""
    async with _line(proxy) as line:
        await line.say(b"x")
        await line.hear(1)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await line.hear(1)
    async with _line(proxy) as line:
        await line.say(b"again")
        assert b"again" == await line.hear(5)


@pytest.mark.parametrize(("direction", "heard"), [("to_server", b"abc"), ("to_client", b"abcdef")])
async def test_a_link_is_cut_after_so_many_bytes(
    proxy: Proxy, echo: Echo, direction: str, heard: bytes
) -> None:
    """In the middle of a piece: three bytes pass, and then the end."""
    getattr(proxy, direction).cut_after = 3
    async with _line(proxy) as line:
        await line.say(b"abcdef")
        answer = await line.hear(100)

    assert b"abc".startswith(answer)
    assert heard == echo.heard


async def test_a_link_that_is_down_refuses(proxy: Proxy) -> None:
    """Connections end, new ones are refused, and on the same port it comes up again."""
    async with _line(proxy) as line:
        await line.say(b"x")
        await line.hear(1)
        await proxy.go_down()
        with pytest.raises(ConnectionResetError):
            await line.hear(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(proxy.host, proxy.port)
    await proxy.go_up()
    async with _line(proxy) as line:
        await line.say(b"back")
        assert b"back" == await line.hear(4)


@pytest.mark.parametrize(
    ("fate", "heard"), [(Fate.LOSE, b""), (Fate.CUT, b"COMMIT"), (Fate.LOSE_ANSWER, b"COMMIT")]
)
async def test_a_piece_that_a_test_has_chosen_meets_its_fate(
    proxy: Proxy, echo: Echo, fate: Fate, heard: bytes
) -> None:
    """It arrives or it does not; its answer never does, and the connection ends."""
    proxy.to_server.judge = lambda piece: fate if piece == b"COMMIT" else Fate.PASS
    async with _line(proxy) as line:
        await line.say(b"begin")
        await line.hear(5)
        await line.say(b"COMMIT")
        answer = await line.hear(100)

    assert b"" == answer or fate is Fate.CUT
    async with asyncio.timeout(_SECONDS):
        while echo.heard != b"begin" + heard:
            await asyncio.sleep(0.01)
