"""Pages of other origins: which may use the API, and what their browsers are told."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import ValidationError
from websockets.exceptions import InvalidStatus

from settings import Settings
from sluice.endpoints import Services
from tests.graph.api import Owner, codes
from tests.graph.event_streams import EVENTS, Event, streamed
from tests.graph.sockets import receive, send, socket
from tests.stack import Stack, running

_VIEWER = "{ viewer { name } }"
_FRIEND, _STRANGER = "https://app.example.com", "https://evil.example.com"
_FOREIGN = (_STRANGER, "null", "https://app.example.com.evil.com", "http://app.example.com", "https://app.example.com:444", "x")  # fmt: skip


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API with two friends."""
    async with running(
        services, tmp_path_factory.mktemp("api"), workers=0, allowed_origins=f" {_FRIEND.upper()}:443/ ,http://localhost:3000"
    ) as stack:  # fmt: skip
        yield stack


@pytest.fixture
async def closed_stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API as it is by default."""
    async with running(services, tmp_path_factory.mktemp("closed"), workers=0) as stack:
        yield stack


async def _ask(client: httpx.AsyncClient, owner: Owner, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": _VIEWER}, headers=owner.headers | headers)


@pytest.mark.parametrize("origin", [_FRIEND, "http://localhost:3000"])
async def test_an_allowed_origin_may_ask_and_read(
    app_client: httpx.AsyncClient, partner: Owner, origin: str
) -> None:
    """Its browser asks first, and may send the key and whatever headers a client adds."""
    wanted = "x-api-key,content-type,apollo-require-preflight,graphql-preflight,apollographql-client-name"
    preflight = await app_client.options(
        "/graphql",
        headers={"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": wanted},
    )  # fmt: skip
    response = await _ask(app_client, partner, origin=origin)

    assert (200, origin) == (preflight.status_code, preflight.headers["access-control-allow-origin"])
    assert wanted == preflight.headers["access-control-allow-headers"]
    assert {"GET", "HEAD", "POST"} == set(preflight.headers["access-control-allow-methods"].split(", "))
    assert "access-control-allow-credentials" not in preflight.headers
    assert (200, origin) == (response.status_code, response.headers["access-control-allow-origin"])
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize(
    ("headers", "status"), [({"x-api-key": "x"}, 401), ({"content-type": "text/plain"}, 415)]
)
async def test_an_allowed_origin_may_read_refusals(
    app_client: httpx.AsyncClient, partner: Owner, headers: dict[str, str], status: int
) -> None:
    """Otherwise its page would see a network error, and not why."""
    response = await _ask(app_client, partner, origin=_FRIEND, **headers)

    assert (status, _FRIEND) == (response.status_code, response.headers["access-control-allow-origin"])
    assert "retry-after" in response.headers["access-control-expose-headers"].lower()


async def test_an_allowed_origin_may_read_event_streams(
    app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """In the same way."""
    async with streamed(app_client, partner, _VIEWER, headers=EVENTS | {"origin": _FRIEND}) as stream:
        assert _FRIEND == stream.response.headers["access-control-allow-origin"]
        assert Event("complete", None) == (await stream.rest())[-1]


@pytest.mark.parametrize("origin", _FOREIGN)
async def test_a_foreign_origin_is_refused_with_403(
    app_client: httpx.AsyncClient, partner: Owner, origin: str
) -> None:
    """Whatever its key, in JSON; its browser is told nothing that would let the page read it."""
    preflight = await app_client.options(
        "/graphql",
        headers={"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"},
    )  # fmt: skip
    for response in (preflight, await _ask(app_client, partner, origin=origin)):
        assert (403, ["FORBIDDEN"]) == (response.status_code, codes(response.json()))
        assert "access-control-allow-origin" not in response.headers


async def test_a_preflight_for_another_method_is_refused(app_client: httpx.AsyncClient) -> None:
    """In JSON, too."""
    response = await app_client.options(
        "/graphql", headers={"origin": _FRIEND, "access-control-request-method": "DELETE"}
    )

    assert (403, ["FORBIDDEN"]) == (response.status_code, codes(response.json()))


async def test_pages_of_the_api_itself_are_not_foreign(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """By host and port, or because the browser says so: behind a proxy the host may be another."""
    assert 200 == (await _ask(app_client, partner, origin=stack.url)).status_code
    same = {"origin": "https://sluice.example.com", "sec-fetch-site": "same-origin"}
    assert 200 == (await _ask(app_client, partner, **same)).status_code


@pytest.mark.parametrize("origin", [_FRIEND, None])
async def test_a_socket_of_an_allowed_origin_is_opened(
    stack: Stack, partner: Owner, origin: str | None
) -> None:
    """So is one that no browser opens."""
    async with socket(stack, partner.headers | ({"origin": origin} if origin else {})) as opened:
        await send(opened, type="connection_init")
        assert {"type": "connection_ack"} == await receive(opened)


@pytest.mark.parametrize("origin", _FOREIGN)
async def test_a_socket_of_a_foreign_origin_is_refused_with_403(
    stack: Stack, partner: Owner, origin: str
) -> None:
    """Before it is one, in JSON."""
    with pytest.raises(InvalidStatus) as refused:
        async with socket(stack, partner.headers | {"origin": origin}):
            pass

    response = refused.value.response
    assert 403 == response.status_code
    assert ["FORBIDDEN"] == codes(json.loads(response.body or b""))


async def test_by_default_there_are_no_friends(closed_stack: Stack) -> None:
    """Neither over HTTP nor over WebSockets; the API's own pages are served."""
    async with httpx.AsyncClient(base_url=closed_stack.url, trust_env=False) as client:
        foreign = await client.post("/graphql", json={"query": _VIEWER}, headers={"origin": _FRIEND})
        own = await client.post("/graphql", json={"query": _VIEWER}, headers={"origin": closed_stack.url})
    with pytest.raises(InvalidStatus):
        async with socket(closed_stack, {"origin": _FRIEND}):
            pass

    assert (403, 401) == (foreign.status_code, own.status_code)
    async with socket(closed_stack, {"origin": closed_stack.url}):
        pass


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", ()),
        ("*", ("*",)),
        ("https://a.example", ("https://a.example",)),
        (" HTTPS://A.example:443/ , http://[::1]:80,,http://b:8080", ("https://a.example", "http://[::1]", "http://b:8080")),
        ("chrome-extension://abcdef", ("chrome-extension://abcdef",)),
    ],
)  # fmt: skip
def test_origins_are_read_as_browsers_write_them(given: str, read: tuple[str, ...]) -> None:
    """In lower case, without default ports."""
    assert read == Settings(allowed_origins=given).allowed_origins


@pytest.mark.parametrize(
    "given",
    [
        "a.example",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "https://a:x",
        "//a",
        "https://a#x",
        "https://*.a.example",
        "https://exämple.com",
    ],
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    """At the start, not when the first page complains."""
    with pytest.raises(ValidationError):
        Settings(allowed_origins=given)
