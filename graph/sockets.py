"""Where Strawberry's graphql-transport-ws trusts its clients more than we do."""

from contextlib import suppress
from typing import Any, cast

import orjson
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    SubscribeMessage,
)

from graph.context import Context
from graph.deadline import deadline
from graph.errors import ErrorCode, Refusal, fault
from graph.shared import Alone, Asked, Shares, subscription
from settings import settings

MAX_OPERATIONS = settings.max_operations_per_socket
"""At a time on one connection."""
_MAX_REASON_BYTES = 120
_TRY_AGAIN_LATER = 1013


class SocketAdapter(ASGIWebSocketAdapter):
    """Closes with a reason that fits: reasons quote what the client sent, and a frame holds 123 bytes of it."""

    async def close(self, code: int, reason: str) -> None:
        """Closes the connection."""
        await super().close(code, reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))

    async def send_text(self, message: str) -> None:
        """Sends JSON as it is. Raises WebSocketDisconnected."""
        try:
            await self.ws.send_text(message)
        except WebSocketDisconnect as error:
            raise WebSocketDisconnected from error


class TransportWSHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection."""

    async def handle(self) -> None:
        """Serves it to its end."""
        with self.context.held:
            await super().handle()

    async def handle_message(self, message: Any) -> None:
        """A message that is not what the protocol says closes the connection with 4400."""
        if not _is_well_formed(message):
            await self.handle_invalid_message("Invalid message")
            return
        await super().handle_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Without a database nobody can be authenticated, and a key may have too many connections: the client may try
        again later."""
        try:
            payload = message.get("payload") or {}
            await super().handle_connection_init({"type": "connection_init", "payload": payload})
        except Refusal as refusal:
            await self.websocket.close(_TRY_AGAIN_LATER, f"{refusal.code}: {refusal.message}")

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Refuses one operation too many with a code of the contract."""
        if self.connection_acknowledged and len(self.operations) >= MAX_OPERATIONS:
            error = fault(
                ErrorCode.RATE_LIMITED, f"A connection can run {MAX_OPERATIONS} operations at a time."
            )
            await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})
            return
        await super().handle_subscribe(message)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Equal subscriptions share an execution (graph/shared.py); queries and mutations have a deadline."""
        backends, partner_id = self.context.backends, self.context.partner.id
        with suppress(WebSocketDisconnected):  # the connection's own task notices it and cleans up
            try:
                await backends.rate_limit.count(partner_id)
                asked = subscription(
                    partner_id, operation.query, operation.operation_name, operation.variables
                )
                if asked:
                    await self._send_shared(operation, asked)
                    return
                async with deadline(backends.settings.execution_seconds):
                    await super().run_operation(operation)
            except Refusal as refusal:
                await operation.send_initial_errors([fault(refusal.code, refusal.message)])

    async def _send_shared(self, operation: Operation[Context, None], asked: Asked | Alone) -> None:
        shares: Shares = cast("Any", self.view).shares
        socket = cast("SocketAdapter", self.websocket)
        head = f'{{"id":{orjson.dumps(operation.id).decode()},"type":"next","payload":'
        async with shares.joined(asked, self.context) as member:
            while (result := await member.take()) is not None:
                await socket.send_text(f"{head}{result}}}")
        if member.errors:
            await operation.send_initial_errors(member.errors)
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    @staticmethod
    def _get_pre_execution_close_reason(_: object) -> None:
        # A syntax error is one operation's error; Strawberry would close the connection with all its operations.
        return None


def _is_well_formed(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    payload = message.get("payload") or {}
    if message.get("type") == "subscribe":
        return (
            isinstance(message.get("id"), str)
            and isinstance(payload, dict)
            and isinstance(payload.get("query"), str)
            and isinstance(payload.get("variables"), dict | None)
            and isinstance(payload.get("operationName"), str | None)
        )
    return isinstance(message.get("id", ""), str)
