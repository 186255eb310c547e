"""What the API's HTTP server does beyond uvicorn's: headers have a deadline and a size, and leaving has a word for it."""

import asyncio
from asyncio import TimerHandle
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from graph.errors import ErrorCode, Refusal
from settings import settings

MAX_HEAD_BYTES = 64 * 1024
"""What a client may send before its headers must be complete."""

_LEAVING = Refusal(
    503,
    ErrorCode.UNAVAILABLE,
    "Sluice is being restarted, and this request was not finished. Please send it again.",
    {"retry-after": "2"},
)


class HttpProtocol(HttpToolsProtocol):
    """One connection. Whoever opens it, or begins to send on it again, must say within a deadline what he wants.

    uvicorn alone waits for ever for headers, keeps any number of them, and forgets its own deadline for an idle
    connection as soon as one byte comes.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.app = _with_a_last_word(self.app)
        self._deadline: TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client has come."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._head_is_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; what they belong to is seen when they are parsed."""
        # Without a request that is being served they are a head's, or the rest of a body that nobody wants any more.
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):  # type: ignore[redundant-expr]
            self._expect_head()
        super().data_received(data)
        if self._deadline is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            message = f"A request's line and headers may have at most {MAX_HEAD_BYTES:,} bytes."
            self._refuse(Refusal(431, ErrorCode.BAD_USER_INPUT, message))

    def on_headers_complete(self) -> None:
        """The request is known."""
        self._head_is_complete()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(settings.header_seconds, self._out_of_time)

    def _head_is_complete(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _out_of_time(self) -> None:
        if not self._head_bytes:
            self.transport.close()  # a browser that had connected just in case: it asked for nothing
            return
        message = f"The request's line and headers took longer than {settings.header_seconds:g} s."
        self._refuse(Refusal(408, ErrorCode.BAD_USER_INPUT, message))

    def _refuse(self, refusal: Refusal) -> None:
        self._head_is_complete()
        if not self.transport.is_closing():
            self.transport.write(_raw(refusal.response()))
            self.transport.close()


def _raw(response: Response) -> bytes:
    headers = [*response.raw_headers, (b"connection", b"close")]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body)


def _with_a_last_word(app: ASGIApp) -> ASGIApp:
    """The app, which says why when it is cancelled. Nobody does that but uvicorn, to requests that outlive its grace."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, sent)
        except asyncio.CancelledError:
            if started:
                raise
            await _LEAVING.response()(scope, receive, send)

    return answered
