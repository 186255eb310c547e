"""GET /health, with servers that answer, are away, or hang."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from graph.app import create_app
from graph.health import ANSWER_SECONDS, Probe
from settings import Settings
from sluice.endpoints import Services


async def test_health_is_ok_without_a_key(app_client: httpx.AsyncClient) -> None:
    """Both servers answer."""
    response = await app_client.get("/health")

    assert (200, {"status": "ok", "database": "ok", "redis": "ok"}) == (response.status_code, response.json())


@asynccontextmanager
async def _tarpit() -> AsyncIterator[int]:
    """The port of a server that takes connections and says nothing."""

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _app(services: Services, *, database_url: str = "", redis_url: str = "") -> Starlette:
    return create_app(
        Settings(
            database_url=database_url or services.database_url, redis_url=redis_url or services.redis_url
        )
    )


_URLS: dict[str, Callable[[int], dict[str, str]]] = {
    "database": lambda port: {"database_url": f"postgresql://u:p@127.0.0.1:{port}/d"},
    "redis": lambda port: {"redis_url": f"redis://127.0.0.1:{port}"},
    "both": lambda port: {
        "database_url": f"postgresql://u:p@127.0.0.1:{port}/d",
        "redis_url": f"redis://127.0.0.1:{port}",
    },
}


@pytest.mark.parametrize("urls", _URLS.values(), ids=_URLS)
@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "away"])
async def test_health_names_what_does_not_answer(
    services: Services, urls: Callable[[int], dict[str, str]], hangs: bool
) -> None:
    """503 within two seconds, also the second time."""
    async with _tarpit() as port:
        broken = urls(port if hangs else 1)

        def ask() -> list[tuple[float, int, dict[str, str]]]:
            with TestClient(_app(services, **broken)) as client:
                answers = []
                for _ in range(2):
                    start = time.perf_counter()
                    response = client.get("/health")
                    answers.append((time.perf_counter() - start, response.status_code, response.json()))
                return answers

        for seconds, status, answer in await asyncio.to_thread(ask):
            assert seconds < 2
            assert 503 == status
            named = {name.removesuffix("_url") for name in broken}
            assert named == {name for name in ("database", "redis") if answer[name] != "ok"}


async def test_health_names_a_database_that_does_not_let_us_in(services: Services) -> None:
    """503, and the log says why; the password is in neither."""
    parts = urlsplit(services.database_url)
    wrong = services.database_url.replace(f":{parts.password}@", ":wr0ng@")

    def ask() -> httpx.Response:
        with TestClient(_app(services, database_url=wrong)) as client:
            return client.get("/health")  # type: ignore[return-value]

    response = await asyncio.to_thread(ask)

    assert (503, "down", "ok") == (
        response.status_code,
        response.json()["database"],
        response.json()["redis"],
    )
    assert "wr0ng" not in response.text


async def test_a_probe_logs_what_it_met(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it is, it is an answer."""

    async def ask() -> str:
        raise ZeroDivisionError("oops")

    assert "down" == await Probe(ask).verdict()
    assert "oops" in str(caplog.records[0].__dict__)


async def test_without_a_database_a_request_is_unavailable(services: Services) -> None:
    """503 with a JSON error, not a stack trace."""

    def ask() -> httpx.Response:
        with TestClient(_app(services, **_URLS["database"](1))) as client:
            return client.post(
                "/graphql", json={"query": "{ viewer { id } }"}, headers={"x-api-key": "slc_a_b"}
            )  # type: ignore[return-value]

    response = await asyncio.to_thread(ask)

    assert (503, "2") == (response.status_code, response.headers["retry-after"])
    assert "UNAVAILABLE" == response.json()["errors"][0]["extensions"]["code"]


def test_the_api_says_which_settings_it_needs() -> None:
    """It does not guess where its servers are."""
    with pytest.raises(ValueError, match="SLUICE_DATABASE_URL"):
        create_app(Settings(database_url=None, redis_url=None))


async def test_a_probe_asks_a_hanging_server_only_once() -> None:
    """However often somebody wants to know."""
    asked: list[int] = []
    answer = asyncio.Event()

    async def ask() -> str:
        asked.append(1)
        await answer.wait()
        return "ok"

    probe = Probe(ask)
    verdicts = list(await asyncio.gather(probe.verdict(), probe.verdict()))
    answer.set()

    assert ["no answer", "no answer"] == verdicts
    assert [1] == asked
    assert "ok" == await probe.verdict()
    assert ANSWER_SECONDS < 2
