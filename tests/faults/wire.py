"""HTTP/1.1 byte by byte, as slowly and as wrongly as a test wants it."""

import asyncio
import json
from asyncio import Transport
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sluice.client import ApiClient
from tests.graph.api import MULTIPART
from tests.stack import Stack

_SECONDS = 15.0


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON and say so."""
        assert "application/json" == self.headers["content-type"].partition(";")[0]
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and the code of the one GraphQL error that must be there."""
        [error] = self.json["errors"]
        assert error["message"].endswith(".")
        return self.status, error["extensions"]["code"]


class Wire(asyncio.Protocol):
    """One connection. What comes is kept, whatever becomes of the connection afterwards."""

    def __init__(self) -> None:
        self.heard = b""
        self.is_over = False
        """The server has said its last word."""
        self.is_reset = False
        self._is_lost = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """It is open."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Something was said."""
        self.heard += data
        self._news.set()

    def eof_received(self) -> bool:
        """The server has nothing more to say. It may still be spoken to."""
        self.is_over = True
        self._news.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended, orderly or not."""
        self.is_over = self._is_lost = True
        self.is_reset = exc is not None
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """The server does not keep up."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable.set()

    async def say(self, words: bytes) -> None:
        """Sends them, if there is still a connection."""
        if not self._is_lost:
            self._transport.write(words)
            await asyncio.sleep(0)
            await self._writable.wait()

    async def trickle(self, words: bytes, *, pause: float, size: int = 1) -> None:
        """Sends them in pieces, until there is an answer or an end."""
        for start in range(0, len(words), size):
            if self.heard or self.is_over:
                return
            await self.say(words[start : start + size])
            await self._wait(pause)

    async def answer(self, seconds: float = _SECONDS) -> Answer:
        """The next response. Raises TimeoutError, and EOFError when the connection ends without one."""
        async with asyncio.timeout(seconds):
            while (found := self._parsed()) is None:
                if self.is_over:
                    raise EOFError(self.heard)
                await self._wait()
        return found

    async def end(self, seconds: float = _SECONDS) -> bytes:
        """What was said and not taken yet, once the server has nothing more to say. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not self.is_over:
                await self._wait()
        return self.heard

    def close(self) -> None:
        """Ends it."""
        self._transport.close()

    async def _wait(self, seconds: float | None = None) -> None:
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    def _parsed(self) -> Answer | None:
        head, blank, rest = self.heard.partition(b"\r\n\r\n")
        if not blank:
            return None
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        self.heard = rest[length:]
        return Answer(int(status.split()[1]), headers, rest[:length])


@asynccontextmanager
async def wire(stack: Stack) -> AsyncIterator[Wire]:
    """A connection to the stack's API."""
    address = urlsplit(stack.url)
    host, port = address.hostname or "", address.port or 0
    _, opened = await asyncio.get_running_loop().create_connection(Wire, host, port)
    try:
        yield opened
    finally:
        opened.close()


def key_of(client: ApiClient) -> str:
    """The client's API key."""
    return client._headers["X-API-Key"]


def post(client: ApiClient, **headers: str) -> bytes:
    """The line and the headers of a POST to /graphql, of a multipart body unless they say otherwise."""
    given = {"Host": "sluice", "X-API-Key": key_of(client), "Content-Type": MULTIPART["content-type"]}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST /graphql HTTP/1.1\r\n{lines}\r\n".encode()


def files(stack: Stack) -> list[str]:
    """Names in the folder of submitted files."""
    folder = stack.folder / "files"
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def open_files(stack: Stack) -> list[str]:
    """The API's descriptors of submitted files, deleted ones too."""
    found = []
    for descriptor in Path(f"/proc/{stack.processes[0].pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.startswith(str(stack.folder / "files"))]
