"""What goes wrong, as clients see it. Nothing of ours (stack traces, SQL, paths) is ever shown.

    GraphQLError    a fault of one field or of the whole operation: a top-level error with `extensions.code`
    Refusal         a request that is not executed, or not to its end: an HTTP status and one such error

What a partner can mend inside a mutation is neither: it is a `UserError` in the payload.
"""

import logging
from collections.abc import Mapping
from enum import StrEnum
from uuid import uuid4

from graphql import GraphQLError
from redis.exceptions import RedisError
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from graph.media_types import JSON
from tasks.errors import DATABASE_AWAY

logger = logging.getLogger(__name__)

AWAY: tuple[type[Exception], ...] = (*DATABASE_AWAY, RedisError)
"""Exceptions that mean: a server behind us does not answer now."""

_MAX_MESSAGE_CHARS = 1_000

TRY_AGAIN = "Sluice cannot reach its database right now. Nothing is lost: please try again in a moment."


class ErrorCode(StrEnum):
    """`extensions.code` of every top-level error."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class Refusal(Exception):
    """A request that ends here, with an HTTP status and a JSON GraphQL error."""

    def __init__(
        self, status: int, code: ErrorCode, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self, media_type: str = JSON) -> Response:
        """The answer that tells it. Of plain application/json with such a status, many clients read no message."""
        error = {"message": self.message, "extensions": {"code": self.code}}
        return JSONResponse({"errors": [error]}, self.status, self.headers, media_type)


def bad_request(message: str) -> Refusal:
    """400: the request does not say what it should."""
    return Refusal(400, ErrorCode.BAD_USER_INPUT, message)


def fault(code: ErrorCode, message: str) -> GraphQLError:
    """An error for the client to see as it is."""
    return GraphQLError(message, extensions={"code": code.value})


def bad_user_input(message: str) -> GraphQLError:
    """The client's argument makes no sense."""
    return fault(ErrorCode.BAD_USER_INPUT, message)


def presentable(error: GraphQLError) -> GraphQLError:
    """The error as the client may see it: with a code, and masked and logged where it is our fault."""
    cause = error.original_error
    if isinstance(cause, Refusal):
        return _replaced(error, cause.code, cause.message)
    if isinstance(cause, ClientDisconnect):
        return error  # nobody will read it
    if isinstance(cause, InvalidOperationTypeError):
        return _replaced(
            error, ErrorCode.BAD_USER_INPUT, f"A {cause.operation_type.value} is not possible here."
        )
    if _is_the_clients(cause):
        # GraphQL quotes names and values in full, once in each of up to a hundred errors.
        if len(error.message) > _MAX_MESSAGE_CHARS:
            error.message = error.message[:_MAX_MESSAGE_CHARS] + "…"
        error.extensions = {"code": ErrorCode.BAD_USER_INPUT.value, **(error.extensions or {})}
        return error
    if isinstance(cause, AWAY):
        logger.warning("operation failed, a server is away", extra={"error": type(cause).__name__})
        return _replaced(error, ErrorCode.UNAVAILABLE, TRY_AGAIN)
    return _replaced(error, ErrorCode.INTERNAL, internal_error(cause))


def _is_the_clients(cause: Exception | None) -> bool:
    return cause is None or isinstance(cause, GraphQLError | MissingQueryError | CannotGetOperationTypeError)


def _replaced(error: GraphQLError, code: ErrorCode, message: str) -> GraphQLError:
    extensions = {"code": code.value}
    return GraphQLError(
        message, nodes=error.nodes, positions=error.positions, path=error.path, extensions=extensions
    )


def internal_error(cause: BaseException | None) -> str:
    """Logs a failure of ours, and gives the message by which its log line can be found."""
    reference = uuid4().hex[:12]
    logger.error("internal error", exc_info=cause, extra={"reference": reference})
    return f"Internal error. It has been logged; please quote the reference {reference} when you report it."
