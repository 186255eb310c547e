"""The API process: `uvicorn --factory graph.app:create_app`."""

import contextlib
from collections.abc import AsyncIterator
from typing import TypedDict

from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from tortoise import Tortoise

from graph import dashboard_page, graphiql_page
from graph.context import Backends, Context
from graph.download_links import PATH as DOWNLOADS_PATH
from graph.downloads import download
from graph.errors import ErrorCode, Refusal
from graph.health import Health, health
from graph.origins import Cors
from graph.rate_limit import RateLimit
from graph.schema import schema
from graph.seats import Seats
from graph.view import GraphQLView
from settings import Settings, settings, tortoise_config
from tasks.broker import redis_options
from tasks.progress import ProgressFeed
from tasks.storage import open_store


class State(TypedDict):
    """What every request finds in `request.state`."""

    backends: Backends
    health: Health


def create_app(config: Settings = settings) -> Starlette:
    """The ASGI application. It starts without its servers being there, and says so on /health.

    Raises ValueError when the settings do not name them.
    """
    if config.database_url is None or config.redis_url is None:
        raise ValueError(
            "SLUICE_DATABASE_URL and SLUICE_REDIS_URL must be set for the API alone; "
            "`sluice serve` starts it together with a PostgreSQL and a Redis of its own."
        )
    # Routes, not a Mount: that would redirect /graphql to /graphql/, and clients would send their file twice.
    graphiql, dashboard = graphiql_page.load(), dashboard_page.load()
    view = GraphQLView(schema, config, graphiql)
    routes = [
        Route("/graphql", view),
        WebSocketRoute("/graphql", view),
        Route(graphiql_page.FILES_PATH, graphiql.file),
        Route(dashboard_page.PATH, dashboard.home),
        Route(dashboard_page.FILES_PATH, dashboard.file),
        Route(DOWNLOADS_PATH, download),
        Route("/health", health),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Cors, config.allowed_origins)] if config.allowed_origins else [],
        exception_handlers={HTTPException: _elsewhere},
        lifespan=lambda _: _lifespan(config, config.database_url or "", config.redis_url or ""),
    )
    app.router.redirect_slashes = False
    return app


_THE_API = "The API is POST /graphql."


async def _elsewhere(request: Request, error: Exception) -> Response:
    """What no route takes: 401 for those without a key, who learn nothing of what there is, and JSON for all."""
    try:
        await Context.of(request).authenticate()
    except Refusal as refusal:
        if refusal.code is ErrorCode.UNAUTHENTICATED:
            refusal.message += f" {_THE_API}"
        return refusal.response()
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    code = ErrorCode.NOT_FOUND if status == 404 else ErrorCode.BAD_USER_INPUT
    message = f"{request.method} {request.url.path} is nothing here. {_THE_API}"
    return Refusal(status, code, message, headers).response()


@contextlib.asynccontextmanager
async def _lifespan(config: Settings, database_url: str, redis_url: str) -> AsyncIterator[State]:
    # The fallback, because uvicorn runs requests outside the context in which the lifespan runs.
    await Tortoise.init(config=tortoise_config(database_url), _enable_global_fallback=True)
    try:
        async with Redis.from_url(redis_url, **redis_options()) as redis, ProgressFeed(redis) as feed:
            with contextlib.closing(Health(redis)) as checks:
                backends = Backends(
                    config,
                    open_store(config),
                    redis,
                    feed,
                    RateLimit(redis, config.requests_per_minute),
                    Seats(config.max_sockets_per_key),
                )
                yield {"backends": backends, "health": checks}
    finally:
        await Tortoise.close_connections()
