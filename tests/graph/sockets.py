"""graphql-transport-ws, as a client speaks it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.graph.api import Owner
from tests.stack import Stack

PROGRESS = """subscription ($id: ID!) { jobProgress(jobId: $id) {
  jobId status percent bytesTotal bytesRead recordsRead recordsAccepted recordsRejected at } }"""


@asynccontextmanager
async def socket(
    stack: Stack, headers: dict[str, str] | None = None, protocol: str = "graphql-transport-ws"
) -> AsyncIterator[ClientConnection]:
    """An open connection, before connection_init."""
    url = stack.url.replace("http", "ws") + "/graphql"
    async with connect(
        url, subprotocols=[Subprotocol(protocol)], additional_headers=headers, proxy=None, close_timeout=1
    ) as opened:
        yield opened


@asynccontextmanager
async def acknowledged(stack: Stack, owner: Owner) -> AsyncIterator[ClientConnection]:
    """A connection that is ready for operations."""
    async with socket(stack, owner.headers) as opened:
        await send(opened, type="connection_init")
        assert {"type": "connection_ack"} == await receive(opened)
        yield opened


async def send(opened: ClientConnection, **message: Any) -> None:
    """One message."""
    await opened.send(json.dumps(message))


async def receive(opened: ClientConnection) -> dict[str, Any]:
    """The next message."""
    message: dict[str, Any] = json.loads(await opened.recv())
    return message


async def watch(opened: ClientConnection, job_id: str, id: str = "1", query: str = PROGRESS) -> None:
    """Subscribes to a job's progress, or to what `query` asks of it."""
    await send(opened, type="subscribe", id=id, payload={"query": query, "variables": {"id": job_id}})


async def subscribe(stack: Stack, owner: Owner, job_id: str, query: str = PROGRESS) -> list[dict[str, Any]]:
    """Every message of a subscription but `complete`, to its end."""
    messages: list[dict[str, Any]] = []
    async with acknowledged(stack, owner) as opened:
        await watch(opened, job_id, query=query)
        while (message := await receive(opened))["type"] != "complete":
            messages.append(message)
            if message["type"] == "error":
                break
    return messages
