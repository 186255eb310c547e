"""The API process: `uvicorn --factory graph.app:create_app`."""

import contextlib
from collections.abc import AsyncIterator
from typing import TypedDict

from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from tortoise import Tortoise

from graph.context import Backends
from graph.health import Health, health
from graph.schema import schema
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
    view = GraphQLView(schema)
    routes = [Route("/graphql", view), WebSocketRoute("/graphql", view), Route("/health", health)]
    return Starlette(
        routes=routes, lifespan=lambda _: _lifespan(config, config.database_url or "", config.redis_url or "")
    )


@contextlib.asynccontextmanager
async def _lifespan(config: Settings, database_url: str, redis_url: str) -> AsyncIterator[State]:
    # The fallback, because uvicorn runs requests outside the context in which the lifespan runs.
    await Tortoise.init(config=tortoise_config(database_url), _enable_global_fallback=True)
    try:
        async with Redis.from_url(redis_url, **redis_options()) as redis, ProgressFeed(redis) as feed:
            with contextlib.closing(Health(redis)) as checks:
                yield {"backends": Backends(config, open_store(config), redis, feed), "health": checks}
    finally:
        await Tortoise.close_connections()
