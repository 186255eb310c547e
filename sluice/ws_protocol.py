"""What the API's WebSockets do beyond uvicorn's: who does not read is neither listened to nor waited for."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection.

    uvicorn alone answers every ping of a client that does not read the answers, and keeps them all; and it closes a
    connection whose client does not answer its own pings by waiting until all that was sent is read, which is never.
    """

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

    async def receive(self):  # type: ignore[no-untyped-def]
        """The next message."""
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message
