"""What the API's WebSockets do beyond uvicorn's: who does not read is neither listened to nor waited for."""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sluice.http_protocol import LEAVE_SECONDS


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection.

    uvicorn alone answers every ping of a client that does not read the answers, and keeps them all; and it closes a
    connection, for whatever reason, by waiting until all that was sent is read, which is never.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._end: TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._end:
            self._end.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read what was sent to him."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """He has read some of it."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    def keepalive_timeout(self) -> None:
        """He does not answer: he gets no more time to read."""
        super().keepalive_timeout()
        self.transport.abort()

    def handle_close(self, event: Any) -> None:
        """He says goodbye."""
        super().handle_close(event)
        self._end_in_time()

    def handle_parser_exception(self) -> None:
        """He does not speak this protocol."""
        super().handle_parser_exception()
        self._end_in_time()

    def shutdown(self) -> None:
        """The API is leaving."""
        super().shutdown()
        self.close_timeout = LEAVE_SECONDS
        if self._end:
            self._end.cancel()
            self._end = None
        self._end_in_time()

    async def send(self, message: Any) -> None:
        """The app has something to say, perhaps its last word."""
        await super().send(message)
        if self.close_sent:
            self._end_in_time()

    async def run_asgi(self) -> None:
        """The app, from its beginning to its end."""
        await super().run_asgi()
        self._end_in_time()

    def _end_in_time(self) -> None:
        """The connection is to end: he has some time to read what was sent, and no more."""
        if not self._end and not self.disconnected:
            self._end = self.loop.call_later(self.close_timeout, self.transport.abort)

    async def receive(self):  # type: ignore[no-untyped-def]
        """The next message."""
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message
