"""GraphQL over HTTP, server-sent events and WebSockets (graphql-transport-ws), on one path.

The transport's rules are ours (statuses, media types, early refusals, uploads); parsing, validation and execution
are Strawberry's.
"""

from datetime import timedelta
from json import JSONDecodeError
from typing import Any, cast

import orjson
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UNSET

from graph.body import Body
from graph.context import Context
from graph.deadline import deadline
from graph.errors import ErrorCode, Refusal, bad_request, bad_user_input, internal_error
from graph.event_stream import EventStream, whole_stream
from graph.exact_json import exact_loads
from graph.media_types import GRAPHQL_JSON, Accepted
from graph.origins import check_origin
from graph.page import Page, wants_html
from graph.requests import Operation, read_operation
from graph.schema import Schema
from graph.shared import Shares, subscription
from graph.sockets import MAX_OPERATIONS, SocketAdapter, TransportWSHandler
from settings import Settings

_ALLOWED = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}
_INIT_SECONDS = 10


class GraphQLView(GraphQL[Context, None]):
    """The endpoint."""

    websocket_adapter_class = SocketAdapter
    graphql_transport_ws_handler_class = TransportWSHandler

    def __init__(self, schema: Schema, config: Settings, page: Page) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=_INIT_SECONDS),
            max_subscriptions_per_connection=MAX_OPERATIONS,
            allowed_origins=config.allowed_origins,
        )
        self.shares = Shares(schema)
        self._origins = config.allowed_origins
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request, or serves one WebSocket."""
        if scope["type"] == "websocket":
            await self._serve_socket(WebSocket(scope, receive=receive, send=send))
            return
        request, body = Request(scope, receive), Body(scope, receive)
        try:
            response = await self._response(request, body)
        except ClientDisconnect:
            return
        if isinstance(response, EventStream):
            await response(scope, receive, send)
        else:
            await body.answer(response, scope, send)

    async def get_context(self, request: HTTPConnection, response: Response | WebSocket) -> Context:
        """A WebSocket's context, before anybody has authenticated."""
        return Context.of(request)

    async def on_ws_connect(self, context: Context) -> dict[str, object] | None:
        """Authenticates a WebSocket by its header, or by `apiKey` in connection_init's payload."""
        key = (context.connection_params or {}).get("apiKey", context.key)
        context.key = key if isinstance(key, str) else None
        try:
            await context.authenticate()
        except Refusal as refusal:
            if refusal.code is ErrorCode.UNAUTHENTICATED:
                raise ConnectionRejectionError from None
            raise
        context.held.enter_context(context.backends.seats.take(context.partner.id))
        return cast("None", UNSET)  # None would be a payload of null in the acknowledgement

    def decode_json(self, data: str | bytes) -> object:
        """From a WebSocket message. Raises JSONDecodeError."""
        try:
            return exact_loads(data)
        except (ValueError, RecursionError) as error:
            raise JSONDecodeError("invalid JSON", "", 0) from error

    def encode_json(self, data: object) -> str:
        """For a WebSocket message, which must be text."""
        return orjson.dumps(data).decode()

    async def _serve_socket(self, socket: WebSocket) -> None:
        try:
            check_origin(socket, self._origins)
        except Refusal as refusal:
            await socket.send_denial_response(refusal.response())
        else:
            await self.run(socket)

    async def _response(self, request: Request, body: Body) -> Response | EventStream:
        liked = Accepted.of(request.headers).json
        if request.method not in _ALLOWED:
            return _not_allowed("GraphQL takes GET and POST.", "GET, POST").response(liked)
        try:
            check_origin(request, self._origins)
            if _wants_page(request):
                return self._page.response()
            return await self._answer(request, body)
        except Refusal as refusal:
            return refusal.response(liked)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  # the last stop: nothing of it may reach the client
            return Refusal(500, ErrorCode.INTERNAL, internal_error(error)).response(liked)

    async def _answer(self, request: Request, body: Body) -> Response | EventStream:
        context, accepted = Context.of(request), Accepted.of(request.headers)
        await context.authenticate()
        await context.backends.rate_limit.count(context.partner.id)
        operation = await read_operation(request, body, context.backends)
        if accepted.takes_events and not operation.upload and body.complete:
            asked = subscription(context.partner.id, operation.query, operation.name, operation.variables)
            if asked:
                return EventStream(self.shares, asked, context)
        try:
            result = await self._result(request.method, operation, context)
        except Refusal as refusal:
            if refusal.status != 400 or operation.upload or not accepted.wants_events:
                raise
            result = ExecutionResult(None, [bad_user_input(refusal.message)])
        return _response_of(result, accepted)

    async def _result(self, method: str, operation: Operation, context: Context) -> ExecutionResult:
        upload = operation.upload
        if upload is None:
            return await self._execute(method, operation, context)
        try:
            result = await self._execute(method, operation, context)
        finally:
            await upload.close()
        if upload.refusal:
            raise upload.refusal
        return result

    async def _execute(self, method: str, operation: Operation, context: Context) -> ExecutionResult:
        allowed = {OperationType.MUTATION} if operation.upload else _ALLOWED[method]
        try:
            async with deadline(context.backends.settings.execution_seconds) as left:
                context.unhurried = left.paused
                if operation.upload:
                    operation.upload.unhurried = left.paused
                return await self.schema.execute(
                    operation.query,
                    variable_values=operation.variables,
                    operation_name=operation.name,
                    context_value=context,
                    allowed_operation_types=allowed,
                )
        except CannotGetOperationTypeError as error:
            raise bad_request(error.as_http_error_reason()) from None
        except InvalidOperationTypeError as error:
            raise _wrong_transport(error.operation_type, method) from None


def _wrong_transport(operation: OperationType, method: str) -> Refusal:
    match operation:
        case OperationType.SUBSCRIPTION:
            return bad_request(
                "A subscription needs a WebSocket (graphql-transport-ws) on this path, or the header Accept: text/event-stream."
                " If the document has other operations, too, say in `operationName` which one to run."
            )
        case OperationType.MUTATION if method == "GET":
            return _not_allowed("A mutation needs POST.", "POST")
    return bad_request("A multipart request must hold a mutation that takes the file.")


def _not_allowed(message: str, allow: str) -> Refusal:
    return Refusal(405, ErrorCode.BAD_USER_INPUT, message, {"allow": allow})


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and "query" not in request.query_params and wants_html(request)


def _response_of(result: ExecutionResult, accepted: Accepted) -> Response:
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload = {"errors": [error.formatted for error in result.errors], **payload}
    media_type, status = accepted.json, 200
    if result.data is None and not any(error.path for error in result.errors or ()):
        # Never executed. Clients of plain application/json expect 200 all the same (GraphQL over HTTP, 6.4.1).
        del payload["data"]
        status = 400 if media_type == GRAPHQL_JSON else 200
    if accepted.wants_events:
        return whole_stream(orjson.dumps(payload))
    return Response(orjson.dumps(payload), status, media_type=f"{media_type}; charset=utf-8")
