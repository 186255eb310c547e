"""Server-sent events, as a client of graphql-sse reads them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.graph.api import Owner

EVENTS = {"accept": "text/event-stream"}
_SECONDS = 12.0


@dataclass(frozen=True)
class Event:
    """One event; `data` is None when it is empty."""

    name: str
    data: Any


class Stream:
    """The response to one request, while it goes on."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.comments = 0
        self._lines = response.aiter_lines()

    async def event(self) -> Event | None:
        """The next one; None when the response has ended."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(_SECONDS):
            async for line in self._lines:
                if not line and fields:
                    return Event(fields["event"], json.loads(fields["data"]) if fields["data"] else None)
                name, _, value = line.partition(":")
                if name:
                    fields[name] = value.strip()
                elif line:
                    self.comments += 1
        return None

    async def next(self) -> dict[str, Any]:
        """The next result."""
        event = await self.event()
        assert event
        assert "next" == event.name
        result: dict[str, Any] = event.data
        return result

    async def progress(self) -> dict[str, Any]:
        """The next state of a job."""
        state: dict[str, Any] = (await self.next())["data"]["jobProgress"]
        return state

    async def rest(self) -> list[Event]:
        """All events to the end of the response."""
        found = []
        while event := await self.event():
            found.append(event)
        return found


@asynccontextmanager
async def streamed(
    client: httpx.AsyncClient,
    owner: Owner,
    query: str,
    *,
    method: str = "POST",
    headers: dict[str, str] = EVENTS,
    **variables: Any,
) -> AsyncIterator[Stream]:
    """A request whose response is an event stream; for GET, everything stands in the query string."""
    asked: dict[str, Any]
    if method == "GET":
        asked = {"params": {"query": query, "variables": json.dumps(variables)}}
    else:
        asked = {"json": {"query": query, "variables": variables}}
    async with client.stream(method, "/graphql", headers=owner.headers | headers, **asked) as response:
        assert (200, "text/event-stream; charset=utf-8") == (
            response.status_code,
            response.headers["content-type"],
        )
        yield Stream(response)
