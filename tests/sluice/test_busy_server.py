"""A server that is busy, or being restarted behind its proxy, asks clients to come again: they do, when they can."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from sluice import operations, subscriptions
from sluice.client import ApiClient
from sluice.errors import ApiError, Unreachable
from tests import samples
from tests.sluice.typed import Typed

_LIMITED = b'{"errors": [{"message": "Too many requests.", "extensions": {"code": "RATE_LIMITED"}}]}'


class Front:
    """A front end of a real server, which lets through only every other request."""

    def __init__(self, url: str) -> None:
        self.seen = 0
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                front.seen += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if front.seen % 2 == 0:
                    self._answer(429, _LIMITED)
                else:
                    passed = {name: self.headers[name] for name in ("X-API-Key", "Content-Type")}
                    answer = httpx.post(f"{url}/graphql", content=body, headers=passed, trust_env=False)
                    self._answer(answer.status_code, answer.content)

            def do_GET(self) -> None:
                self._answer(503, b"")

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                if status != 200:
                    self.send_header("Retry-After", "1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def front(typed: Typed) -> Iterator[Front]:
    """Between the client and the stack."""
    front = Front(typed.stack.url)
    threading.Thread(target=front.server.serve_forever, daemon=True).start()
    yield front
    front.server.shutdown()
    front.server.server_close()


@pytest.fixture
async def job_id(typed: Typed, tmp_path: Path) -> str:
    """A finished job with eight errors."""
    orders = samples.write(tmp_path / "orders.csv", 200)
    done = await typed.run("submit", str(orders), "--schema", typed.schema_id, "--watch")
    return done.stdout.strip()


async def test_pages_wait_for_as_long_as_they_are_asked_to(
    typed: Typed, front: Front, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second request is refused with 429 and Retry-After: all errors arrive all the same, each once."""
    monkeypatch.setattr(operations.error_page, "__kwdefaults__", {"first": 3, "after": None})
    began = time.monotonic()

    async with ApiClient(front.url, typed.key) as client:
        pages = [page async for page in operations.errors(client, job_id, {})]

    assert [3, 3, 2] == [len(page) for page in pages]
    assert 8 == len({(error["recordIndex"], error["field"]) for page in pages for error in page})
    assert front.seen == 5
    assert time.monotonic() - began > 2


async def test_the_first_answer_is_told_as_it_is(typed: Typed, front: Front, job_id: str) -> None:
    """Who has got nothing yet learns why at once."""
    front.seen = 1
    typed.url = front.url

    refused = await typed.run("errors", job_id)

    assert (1, "sluice: RATE_LIMITED: Too many requests.\n") == (refused.returncode, refused.stderr)


async def test_a_websocket_that_is_refused_for_now_is_asked_for_again(front: Front) -> None:
    """503 of a proxy whose server is being restarted; after as long as it says."""
    url = front.url.replace("http", "ws")

    with pytest.raises(Unreachable, match="refused the WebSocket with 503") as refused:
        await anext(subscriptions.events(url, {}, {}, use_proxies=False))

    assert 1.0 == refused.value.retry_seconds


async def test_a_websocket_that_is_refused_for_good_is_not(typed: Typed) -> None:
    """404: no Sluice answers so for a while only."""
    url = typed.stack.url.replace("http", "ws")

    with pytest.raises(ApiError) as refused:
        await anext(subscriptions.events(f"{url}/elsewhere", {}, {}, use_proxies=False))

    assert not isinstance(refused.value, Unreachable)
