"""A small client of the API: queries, uploads that stream from disk, subscriptions. What partners would write."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

import httpx

from sluice import subscriptions
from sluice.errors import ApiError, SluiceError, Unreachable

_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TRY_AGAIN = ("UNAVAILABLE", "RATE_LIMITED")


class ApiClient:
    """Talks to one Sluice with one key. An async context manager; every call raises ApiError."""

    def __init__(self, url: str, key: str) -> None:
        """`url` is the server's address, with or without `/graphql`. Raises SluiceError for what can be neither."""
        self.url = _endpoint(url)
        self._headers = {"X-API-Key": _key(key)}
        # Somebody's proxy knows no way to this very machine.
        self._use_proxies = urlsplit(self.url).hostname not in _LOOPBACK
        self._options: dict[str, Any] = {
            "headers": self._headers,
            "timeout": httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
            "trust_env": self._use_proxies,
        }
        self._http = httpx.AsyncClient(**self._options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def execute(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The `data` of a query or mutation."""
        return await self._data(
            self._http.post(self.url, json={"query": query, "variables": variables or {}})
        )

    async def upload(
        self, query: str, given: dict[str, Any], filename: str, content: BinaryIO
    ) -> dict[str, Any]:
        """The `data` of a mutation with the input `given` and `content` as its `file`, which is sent as it is read."""
        operations = {"query": query, "variables": {"input": {**given, "file": None}}}
        parts = {"operations": json.dumps(operations), "map": json.dumps({"0": ["variables.input.file"]})}
        files = {"0": (filename, content, "application/octet-stream")}
        # In a thread: a server that refuses a big file answers while we are still sending it, and then closes. The
        # blocking client finds that answer; the asynchronous one finds a broken connection.
        return await self._data(asyncio.to_thread(self._send, data=parts, files=files))

    async def download(self, link: str, file: BinaryIO) -> None:
        """Writes what a signed link leads to, as it comes, in place of what the open file has. The key is not sent along."""
        address = urlsplit(link)._replace(path="", query="").geturl()
        options = {**self._options, "headers": {}}
        try:
            async with httpx.AsyncClient(**options) as http, http.stream("GET", link) as answer:
                if answer.status_code != httpx.codes.OK:
                    await answer.aread()
                    self._parsed(answer)
                    raise ApiError(f"{address} answered {answer.status_code} to the link of a download")
                file.seek(0)
                file.truncate()
                async for block in answer.aiter_bytes():
                    await asyncio.to_thread(file.write, block)
        except OSError as error:
            raise SluiceError(f"cannot write {file.name}: {error.strerror}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise Unreachable(f"the download from {address} broke off ({reason}): try again") from None

    def _send(self, **body: Any) -> httpx.Response:
        with httpx.Client(**self._options) as http:
            return http.post(self.url, **body)

    async def _data(self, answering: Awaitable[httpx.Response]) -> dict[str, Any]:
        try:
            answer = await answering
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # A text about a header would quote the key.
            is_quoting = isinstance(error, httpx.LocalProtocolError) or not str(error)
            reason = type(error).__name__ if is_quoting else str(error)
            raise Unreachable(f"no answer from {self.url} ({reason}): is Sluice running there?") from None
        return self._parsed(answer)

    def _parsed(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            payload = answer.json()
        except ValueError:
            raise ApiError(
                f"{self.url} answered {answer.status_code}, and no JSON: is that a Sluice?"
            ) from None
        return data_of(payload, answer.headers.get("Retry-After"))

    async def subscribe(self, query: str, variables: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The `data` of each event of a subscription, until it is complete."""
        url = "ws" + self.url.removeprefix("http")
        payload = {"query": query, "variables": variables}
        async for event in subscriptions.events(url, self._headers, payload, use_proxies=self._use_proxies):
            yield data_of(event)


def data_of(payload: Any, retry_after: str | None = None) -> dict[str, Any]:
    """The `data` of a GraphQL response. Raises ApiError when it has errors, Unreachable when they are to pass."""
    if not isinstance(payload, dict) or not ("data" in payload or "errors" in payload):
        raise ApiError("the answer is no GraphQL response: is that a Sluice?")
    if errors := payload.get("errors"):
        if all(_code(error) in _TRY_AGAIN for error in errors):
            raise Unreachable(in_words(errors), retry_after)
        raise ApiError(in_words(errors), errors)
    data: dict[str, Any] = payload["data"]
    return data


def in_words(errors: Sequence[Mapping[str, Any]]) -> str:
    """GraphQL errors or userErrors as one line."""
    return "; ".join(_one(error) for error in errors)


_ON_THE_COMMAND_LINE = {
    "UNAUTHENTICATED": " The command takes it from --key or SLUICE_API_KEY.",
    "UNSUPPORTED_FORMAT": " The command takes it from --format.",
}
"""What the API, which speaks of headers and inputs, cannot know."""


def _one(error: Mapping[str, Any]) -> str:
    code = _code(error)
    field = error.get("field")
    where = f" ({'.'.join(map(str, field))})" if field else ""
    said = f"{error['message']}{where}{_ON_THE_COMMAND_LINE.get(code or '', '')}"
    return f"{code}: {said}" if code else said


def _code(error: Mapping[str, Any]) -> str | None:
    code: str | None = error.get("code") or (error.get("extensions") or {}).get("code")
    return code


def _endpoint(url: str) -> str:
    address = (url if "://" in url else f"http://{url}").rstrip("/")
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return address if parts.path else f"{address}/graphql"
    except ValueError:
        pass
    raise SluiceError(f"{url} is no address of a Sluice: give one like http://localhost:8000")


def _key(key: str) -> str:
    """Without the line break that files and secrets bring along."""
    stripped = key.strip()
    if not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise SluiceError(
            "the API key holds characters that no key has: copy it again, it looks like slc_0a1b…_…"
        )
    return stripped
