"""What the API's HTTP server does beyond uvicorn's: headers have a deadline and a size, and leaving has a word for it."""

import asyncio
import socket
import sys
from asyncio import TimerHandle
from typing import Any

from httptools import HttpParserError
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from graph.body import DRAIN_BYTES, DRAIN_SECONDS
from graph.errors import ErrorCode, Refusal
from graph.media_types import EVENT_STREAM
from settings import settings

MAX_HEAD_BYTES = 64 * 1024
"""What a client may send before its headers must be complete."""

GRACE_SECONDS = 3.5
"""What a request gets to end when the API leaves. Then there must be time to tell it."""

LEAVE_SECONDS = 1.0
"""What a subscriber gets to read what he was sent before, when the API leaves."""

UNREAD_SECONDS = 30.0
"""A client that is owed bytes, and takes none for so long, is cut off."""

_HEAD_TOO_LARGE = Refusal(
    431,
    ErrorCode.BAD_USER_INPUT,
    f"A request's line and headers may have at most {MAX_HEAD_BYTES:,} bytes.",
)
_NOT_HTTP = Refusal(400, ErrorCode.BAD_USER_INPUT, "This is not an HTTP request, or a broken one.")
_LEAVING = Refusal(
    503,
    ErrorCode.UNAVAILABLE,
    "Sluice is being restarted, and this request was not finished. Please send it again.",
    {"retry-after": "2"},
)


class HttpProtocol(HttpToolsProtocol):
    """One connection. Whoever opens it, or begins to send on it again, must say within a deadline what he wants, and read.

    uvicorn alone waits for ever for headers, keeps any number of them (also those behind a chunked body, and those of
    a request that is sent before its turn), and forgets its own deadline for an idle connection as soon as one byte comes.
    And it waits for ever until its answers are read, also when it closes the connection.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._app, self.app = self.app, self._serve
        self._serving: asyncio.Task[Any] | None = None
        self._is_leaving = False
        self._is_stream = False
        """Whether what is being served is a stream of events, which ends when its client or the API leaves."""
        self._end: TimerHandle | None = None
        self._deadline: TimerHandle | None = None
        self._is_in_head = False
        self._bare_bytes = 0
        """What has come since there was last something that a request consists of."""
        self._is_deaf = False
        self._thrown_away = 0
        self._reading: TimerHandle | None = None
        self._owed_bytes = 0
        """What the client had not taken when it was last looked at."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client has come."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._end_deadline()
        self._end_reading()
        if self._end:
            self._end.cancel()
        if self._is_stream and self.pipeline:
            self._stop_serving()  # uvicorn tells the connection's newest request alone
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client is owed a lot."""
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        """He has taken most of it."""
        super().resume_writing()
        self._expect_reading()

    def handle_websocket_upgrade(self) -> None:
        """From now on another protocol has the connection."""
        self._end_reading()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Bytes have come; what they belong to is seen when they are parsed."""
        if self._is_deaf:
            self._throw_away(data)
            return
        if self._deadline is None and self._is_idle:
            self._expect_head()
        self._bare_bytes += len(data)
        super().data_received(data)
        if self._bare_bytes > MAX_HEAD_BYTES:
            self._refuse(_HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        self._is_in_head = True
        self._bare_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The request is known."""
        self._is_in_head = False
        self._bare_bytes = 0
        self._end_deadline()
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD_BYTES:
            self._refuse(_HEAD_TOO_LARGE)
            raise HttpParserError  # nothing of it is to be served
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """More of the request's body has come."""
        self._bare_bytes = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """A request is answered. What has come behind it may be half a request, or a body that nobody wants any more."""
        super().on_response_complete()
        if self._is_deaf or self.transport.is_closing() or not self._is_idle:
            return
        if self.cycle.more_body:
            self._hang_up()
        elif self._is_in_head:
            self._expect_head()

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed is refused, like everything else, with a GraphQL error."""
        self._refuse(_NOT_HTTP)

    def shutdown(self) -> None:
        """The API is leaving. Who has asked for something is served for a while; a stream would never end by itself."""
        super().shutdown()
        self._is_leaving = True
        if self._is_stream:
            self._stop_serving()
        elif not self._is_idle:
            self.loop.call_later(GRACE_SECONDS, self._stop_serving)

    def _stop_serving(self) -> None:
        if self._serving:
            self._serving.cancel()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app, but that a request which is cancelled, as nobody does unless the API leaves, is told why."""
        started = ended = False

        async def sent(message: Message) -> None:
            nonlocal started, ended
            if not started and _begins_stream(message):
                self._begin_stream()
            started = True
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")

        self._serving = asyncio.current_task()
        try:
            await self._app(scope, receive, sent)
        except asyncio.CancelledError:
            if self._is_stream:
                await self._end_stream(send, ended)
            elif started:
                raise
            elif self.pipeline:  # the connection's newest request is not this one
                await _LEAVING.response()(scope, receive, send)
            else:
                self._say(_LEAVING)
        finally:
            self._serving = None
            self._is_stream = False
            self._expect_reading()

    def _begin_stream(self) -> None:
        self._is_stream = True
        # A client whose machine or network is gone says nothing, and the few bytes of keep-alive are never too many to
        # be kept for him: but they are not acknowledged. (Elsewhere the system gives up later.)
        if sys.platform == "linux":
            milliseconds = int(UNREAD_SECONDS * 1_000)
            own_socket = self.transport.get_extra_info("socket")
            own_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        if self._is_leaving:
            self.loop.call_soon(self._stop_serving)

    async def _end_stream(self, send: Send, ended: bool) -> None:
        """Without its event `complete`: the client knows that there is more, and asks again."""
        if self.flow.write_paused or self.transport.is_closing():
            self.transport.abort()
            return
        if not ended:
            await send({"type": "http.response.body", "body": b""})
        self._end = self.loop.call_later(LEAVE_SECONDS, self.transport.abort)

    @property
    def _is_idle(self) -> bool:
        """True while no request is being served."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(settings.header_seconds, self._out_of_time)

    def _end_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _expect_reading(self) -> None:
        """From now on the client has UNREAD_SECONDS to take some of what he is owed, and so on until he has it all."""
        self._end_reading()
        if owed := self.transport.get_write_buffer_size():
            self._owed_bytes = owed
            self._reading = self.loop.call_later(UNREAD_SECONDS, self._look_whether_he_reads)

    def _look_whether_he_reads(self) -> None:
        if self.transport.get_write_buffer_size() < self._owed_bytes:
            self._expect_reading()
        else:
            self.transport.abort()  # close() would wait for him

    def _end_reading(self) -> None:
        if self._reading:
            self._reading.cancel()
            self._reading = None

    def _out_of_time(self) -> None:
        if not self._is_in_head:
            self.transport.close()  # a browser that had connected just in case: it asked for nothing
            return
        message = f"The request's line and headers took longer than {settings.header_seconds:g} s."
        self._refuse(Refusal(408, ErrorCode.BAD_USER_INPUT, message))

    def _refuse(self, refusal: Refusal) -> None:
        self._end_deadline()
        if self._is_idle or (self.cycle.more_body and not self.cycle.response_started and not self.pipeline):
            self._say(refusal)
        else:
            self.transport.close()  # it would be taken for the answer to the request before

    def _say(self, refusal: Refusal) -> None:
        """Answers in the app's stead, and hangs up."""
        if self._is_deaf or self.transport.is_closing():
            return
        if not self._is_idle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(_raw(refusal.response()))
        self._hang_up()

    def _hang_up(self) -> None:
        """Ends the connection. A client that is still sending would see a reset instead of the answer if we closed at once."""
        self._unset_keepalive_if_required()
        self._is_deaf = True
        self.transport.write_eof()
        self.flow.resume_reading()
        self._expect_reading()
        self.loop.call_later(DRAIN_SECONDS, self.transport.close)

    def _throw_away(self, data: bytes) -> None:
        self._thrown_away += len(data)
        if self._thrown_away > DRAIN_BYTES:
            self.transport.close()


def _begins_stream(message: Message) -> bool:
    content_type = dict(message["headers"]).get(b"content-type", b"")
    return bool(content_type.startswith(EVENT_STREAM.encode()))


def _raw(response: Response) -> bytes:
    headers = [*response.raw_headers, (b"connection", b"close")]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body)
