"""A request's body as a stream that can be refused half-way."""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graph.errors import ErrorCode, Refusal
from settings import settings

IDLE_SECONDS = 60.0
"""A client that sends nothing for so long is cut off."""
WINDOW_SECONDS = 30.0
"""A client's speed is taken over so much time of waiting for it."""
DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 1.0


class Body:
    """The body of one HTTP request."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        self.announced = int(length) if length.isdecimal() else None
        """Bytes by Content-Length; None when the client did not say."""
        self.complete = not self.announced and "transfer-encoding" not in headers
        """True once nothing more can come."""
        self._receive = receive
        self._pace = _Pace(settings.min_upload_bytes_per_second)

    async def read(self) -> bytes:
        """The next bytes; b"" at the end. Raises ClientDisconnect, and Refusal when too little comes for long."""
        idle_until = time.monotonic() + IDLE_SECONDS
        while not self.complete:
            if chunk := await self._timed(idle_until):
                return chunk
            if time.monotonic() >= idle_until:
                raise _too_slow(f"Nothing was received for {IDLE_SECONDS:.0f} s.")
        return b""

    async def read_whole(self, limit: int) -> bytes:
        """All of it. Raises Refusal (413) as soon as it is known to be longer than `limit` bytes."""
        chunks, size = [], self.announced or 0
        if size <= limit:
            size = 0
            while size <= limit and (chunk := await self.read()):
                chunks.append(chunk)
                size += len(chunk)
        if size > limit:
            raise Refusal(413, ErrorCode.PAYLOAD_TOO_LARGE, f"A JSON body may have at most {limit:,} bytes.")
        return b"".join(chunks)

    async def answer(self, response: Response, scope: Scope, send: Send) -> None:
        """Sends `response`; where the body has not been read to its end, also closes the connection.

        A client that is still sending sees a reset instead of the answer if we close at once, so we go on reading
        for a moment.
        """
        if self.complete:
            await response(scope, self._receive, send)
            return
        response.headers["connection"] = "close"
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        await self._drain()
        await send({"type": "http.response.body", "body": b""})

    async def _drain(self) -> None:
        deadline, left = time.monotonic() + DRAIN_SECONDS, DRAIN_BYTES
        try:
            while left > 0 and not self.complete:
                async with asyncio.timeout(deadline - time.monotonic()):
                    left -= len(await self._next())
        except (TimeoutError, ClientDisconnect):
            return

    async def _timed(self, idle_until: float) -> bytes:
        """What comes before it is time to look at the client's speed again; b"" when nothing does."""
        began, chunk = time.monotonic(), b""
        try:
            async with asyncio.timeout(min(self._pace.seconds_left, idle_until - began)):
                chunk = await self._next()
        except TimeoutError:
            pass
        self._pace.count(len(chunk), time.monotonic() - began)
        return chunk

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.complete = True
            raise ClientDisconnect
        self.complete = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk


class _Pace:
    """A client's speed. Only the time in which we wait for it counts, not what we take to hash and write."""

    def __init__(self, least: int) -> None:
        self._least = least
        self._size = 0
        self._waited = 0.0

    @property
    def seconds_left(self) -> float:
        """How long to wait before the speed is judged."""
        return WINDOW_SECONDS - self._waited

    def count(self, size: int, waited: float) -> None:
        """Bytes came, after a time. Raises Refusal (408) at the end of a window in which too few have come."""
        self._size += size
        self._waited += waited
        if self._waited < WINDOW_SECONDS:
            return
        if self._size < self._least * self._waited:
            raise _too_slow(
                f"The body came more slowly than {self._least:,} bytes a second, over {WINDOW_SECONDS:.0f} s. "
                "Please send it again over a faster connection."
            )
        self._size, self._waited = 0, 0.0


def _too_slow(message: str) -> Refusal:
    return Refusal(408, ErrorCode.BAD_USER_INPUT, message)
