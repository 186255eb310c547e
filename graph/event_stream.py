"""Server-sent events, as the protocol of graphql-sse has them in its "distinct connections mode".

A subscription is a response that goes on: an event `next` for each result, then `complete`. Clients that like this media
type best get the one result of a query or mutation in the same form, and their mistakes, too: a browser shows nothing
of a response that is not 200.
"""

import asyncio

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from graph.context import Context
from graph.errors import Refusal
from graph.media_types import EVENT_STREAM
from graph.shared import Alone, Asked, Member, Shares, failure

KEEP_ALIVE_SECONDS = 12.0
"""A proxy that hears nothing for a minute, often less, takes the connection for dead."""

_HEADERS = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",  # nginx would keep events back until it has some kilobytes of them
}
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
_COMPLETE = b"event: complete\ndata:\n\n"
_COMMENT = b":\n\n"


def whole_stream(result: bytes) -> Response:
    """An event stream of one result, as JSON."""
    return Response(_next(result) + _COMPLETE, headers=_HEADERS)


class EventStream:
    """The response to a subscription. It ends with the subscription, or when the client has left."""

    def __init__(self, shares: Shares, asked: Asked | Alone, context: Context) -> None:
        self._shares = shares
        self._asked = asked
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the events."""
        try:
            seat = self._context.backends.seats.take(self._context.partner.id)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send)
            return
        with seat:
            await send({"type": "http.response.start", "status": 200, "headers": _RAW_HEADERS})
            async with (
                self._shares.joined(self._asked, self._context) as member,
                asyncio.TaskGroup() as tasks,
            ):
                telling = tasks.create_task(_tell(member, send))
                leaving = tasks.create_task(_until_he_has_left(receive))
                telling.add_done_callback(lambda _: leaving.cancel())
                leaving.add_done_callback(lambda _: telling.cancel())


async def _tell(member: Member, send: Send) -> None:
    await send(_more(_COMMENT))  # some browsers wait for the first byte of the body
    while True:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                result = await member.take()
        except TimeoutError:
            await send(_more(_COMMENT))
            continue
        if result is None:
            break
        await send(_more(_next(result.encode())))
    errors = _next(failure(member.errors)) if member.errors else b""
    await send({"type": "http.response.body", "body": errors + _COMPLETE})


async def _until_he_has_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _next(result: bytes) -> bytes:
    return b"event: next\ndata: " + result + b"\n\n"


def _more(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}
