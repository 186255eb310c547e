"""A request's body as a stream that can be refused half-way."""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graph.errors import ErrorCode, Refusal

IDLE_SECONDS = 60.0
"""A client that sends nothing for so long is cut off."""
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

    async def read(self) -> bytes:
        """The next bytes; b"" at the end. Raises ClientDisconnect, and Refusal when nothing comes for long."""
        while not self.complete:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    chunk = await self._next()
            except TimeoutError:
                raise Refusal(
                    408, ErrorCode.BAD_USER_INPUT, f"Nothing was received for {IDLE_SECONDS:.0f} s."
                ) from None
            if chunk:
                return chunk
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

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.complete = True
            raise ClientDisconnect
        self.complete = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk
