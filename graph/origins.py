"""Whose pages may use the API from a browser: its own, and those of the origins that the operator allows.

No request acts by cookies, so this protects nobody's session. It keeps pages that the operator does not know from using
keys that people have typed into them, and says so instead of leaving it to a browser's console.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from graph.errors import ErrorCode, Refusal
from settings import ANY_ORIGIN

_PREFLIGHT_SECONDS = 3_600


def check_origin(connection: HTTPConnection, allowed: Collection[str]) -> None:
    """For requests and WebSockets alike. Raises Refusal (403)."""
    headers = connection.headers
    origin = headers.get("origin")
    if origin is None or headers.get("sec-fetch-site") == "same-origin" or ANY_ORIGIN in allowed:
        return
    if normalize_origin(origin) not in allowed and not is_same_origin(origin, headers.get("host")):
        raise _foreign()


def _foreign() -> Refusal:
    message = (
        "Pages of this origin may not use this API. Its operator can allow them: SLUICE_ALLOWED_ORIGINS."
    )
    return Refusal(403, ErrorCode.FORBIDDEN, message, {"vary": "Origin"})


class Cors(CORSMiddleware):
    """Tells browsers that pages of the allowed origins may read the answers, refusals too."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        # Clients add headers of their own (names, versions, traces); all that counts is the key, which is one of them.
        super().__init__(
            app,
            allow_origins=allowed,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=("*",),
            expose_headers=("Retry-After", "Content-Disposition", "Content-Range", "ETag", "Accept-Ranges"),
            max_age=_PREFLIGHT_SECONDS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a browser that asks whether it may ask."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        if not self.is_allowed_origin(request_headers["origin"]):
            return _foreign().response()
        message = "A page of another origin can send GET, HEAD and POST to this API, and nothing else."
        return Refusal(403, ErrorCode.FORBIDDEN, message, {"vary": response.headers["vary"]}).response()
