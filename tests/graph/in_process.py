"""The application in the process of its test: what cannot be seen or changed from outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from uvicorn.server import ServerState

from graph.app import create_app
from graph.shared import Shares
from graph.view import GraphQLView
from settings import Settings
from sluice.http_protocol import HttpProtocol
from tests.stack import Stack


@asynccontextmanager
async def application(stack: Stack, **settings: Any) -> AsyncIterator[tuple[Starlette, dict[str, Any]]]:
    """On the servers of the stack, and its state."""
    services = stack.services
    app = create_app(
        Settings(
            database_url=services.database_url,
            redis_url=services.redis_url,
            storage_dir=stack.folder / "files",
            **settings,
        )
    )
    async with app.router.lifespan_context(app) as state:
        yield app, dict(state or {})


@dataclass
class Served:
    """An API that listens in this process, without the server around it that handles signals."""

    port: int
    shares: Shares
    connections: list[HttpProtocol]


@asynccontextmanager
async def served(stack: Stack) -> AsyncIterator[Served]:
    """The application behind our HTTP protocol."""
    async with application(stack) as (app, state):
        config = uvicorn.Config(app, http=HttpProtocol, lifespan="off", log_config=None)
        config.load()
        connections: list[HttpProtocol] = []

        def connected() -> HttpProtocol:
            connections.append(HttpProtocol(config, ServerState(), state))
            return connections[-1]

        server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
        view = cast("GraphQLView", cast("Route", app.routes[0]).endpoint)
        try:
            yield Served(server.sockets[0].getsockname()[1], view.shares, connections)
        finally:
            server.close()
            for connection in connections:
                connection.transport.abort()
