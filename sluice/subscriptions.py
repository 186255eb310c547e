"""The client's half of graphql-transport-ws, as far as one subscription needs it."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from sluice.errors import ApiError, Unreachable

_PROTOCOL = Subprotocol("graphql-transport-ws")
_FORBIDDEN = 4403
_TRY_AGAIN = (429, 502, 503, 504)
"""What a server that is busy, or a proxy whose server is being restarted, answers."""


async def events(
    url: str, headers: Mapping[str, str], payload: dict[str, Any], *, use_proxies: bool
) -> AsyncIterator[dict[str, Any]]:
    """The GraphQL response of each event, until the subscription is complete. Raises ApiError."""
    try:
        async with connect(
            url,
            subprotocols=[_PROTOCOL],
            additional_headers=headers,
            proxy=True if use_proxies else None,
            compression=None,
            close_timeout=1,
        ) as socket:
            async for event in _subscribed(socket, payload):
                yield event
    except ConnectionClosed as closed:
        raise _refused_or_lost(closed, url) from None
    except InvalidStatus as refused:
        raise _refused(refused, url) from None
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise Unreachable(f"no WebSocket to {url} ({str(error) or type(error).__name__})") from None


async def _subscribed(socket: ClientConnection, payload: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The protocol: init, wait for the acknowledgement, subscribe, take what comes."""
    await _send(socket, "connection_init")
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        match message["type"]:
            case "connection_ack":
                await _send(socket, "subscribe", id="1", payload=payload)
            case "next":
                yield message["payload"]
            case "error":
                yield {"errors": message["payload"]}
                return
            case "complete":
                return
            case "ping":
                await _send(socket, "pong")
            case _:
                pass  # pong, and what later versions may bring


async def _send(socket: ClientConnection, kind: str, **fields: Any) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


def _refused(refused: InvalidStatus, url: str) -> ApiError:
    status = refused.response.status_code
    message = f"{url} refused the WebSocket with {status}"
    if status in _TRY_AGAIN:
        return Unreachable(message, refused.response.headers.get("Retry-After"))
    return ApiError(message)


def _refused_or_lost(closed: ConnectionClosed, url: str) -> ApiError:
    if closed.rcvd and 4400 <= closed.rcvd.code < 4500:
        code = "UNAUTHENTICATED" if closed.rcvd.code == _FORBIDDEN else str(closed.rcvd.code)
        return ApiError(f"{code}: {closed.rcvd.reason or 'the socket was closed'}")
    return Unreachable(f"the connection to {url} broke")
