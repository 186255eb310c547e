"""Clients that take their time: headers have a deadline and a size, bodies a least speed, and nobody else waits for them."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services, free_port
from sluice.http_protocol import MAX_HEAD_BYTES
from tests import samples
from tests.check import assert_left_whole
from tests.faults.hasty import WINDOW_SECONDS
from tests.faults.jobs import until
from tests.faults.wire import files, key_of, post, wire
from tests.graph.api import submission
from tests.stack import CANCEL, Stack, create_schema, follow, running, submit

HEADER_SECONDS = 1.0
LEAST = 8_192
"""Bytes a second."""
PATIENT_SECONDS = 4.0
_SLACK_SECONDS = 5.0
"""Of a machine with other things to do."""
_HEALTH = b"GET /health HTTP/1.1\r\nHost: sluice\r\n"
_TIMEOUT = (408, "BAD_USER_INPUT")


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API that has patience for a second, with headers as with bodies."""
    async with running(
        services, tmp_path_factory.mktemp("api"), workers=0, program="tests.faults.hasty",
        header_seconds=str(HEADER_SECONDS), min_upload_bytes_per_second=str(LEAST),
    ) as stack:  # fmt: skip
        yield stack
        await assert_left_whole(stack)


@pytest.fixture(scope="module")
async def client(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of the one partner of these tests."""
    async with await stack.partner() as client:
        yield client


@pytest.fixture(scope="module")
async def schema_id(client: ApiClient) -> str:
    """Of a schema of that partner."""
    return await create_schema(client, fields=samples.FIELDS)


@asynccontextmanager
async def _lasting(least: float) -> AsyncIterator[None]:
    """The block takes at least so long, and not much longer."""
    began = time.monotonic()
    yield
    assert 0.8 * least <= time.monotonic() - began < least + _SLACK_SECONDS


@pytest.mark.parametrize(
    "begun", [b"", _HEALTH, _HEALTH + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"],
    ids=["from the first letter on", "in the headers", "in a handshake"],
)  # fmt: skip
async def test_headers_that_trickle_are_refused_when_their_time_is_up(stack: Stack, begun: bytes) -> None:
    """408, as a GraphQL error, although a byte comes every tenth of a second; then the connection is closed."""
    async with wire(stack) as slow, _lasting(HEADER_SECONDS):
        await slow.say(begun)
        await slow.trickle((b"" if begun else _HEALTH) + b"X-Slow: " + b"x" * 100, pause=0.1)

        answer = await slow.answer()

        assert (_TIMEOUT, "close") == (answer.refusal, answer.headers["connection"])
        assert b"" == await slow.end()


async def test_a_connection_that_says_nothing_is_closed(stack: Stack) -> None:
    """Without a word: it has asked for none."""
    async with wire(stack) as silent, _lasting(HEADER_SECONDS):
        assert b"" == await silent.end()


async def test_headers_that_are_slow_but_in_time_are_answered(stack: Stack) -> None:
    """The deadline is for the whole of them, and it ends with them."""
    async with wire(stack) as slow:
        await slow.trickle(_HEALTH + b"\r\n", pause=HEADER_SECONDS / 20, size=5)

        assert 200 == (await slow.answer()).status


_TOO_LARGE = {
    "a long line": b"GET /" + b"x" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n",
    "a long header": _HEALTH + b"X-Long: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
    "many headers": _HEALTH + b"".join(b"X-%d: x\r\n" % number for number in range(8_000)) + b"\r\n",
    "headers without end": _HEALTH + b"X: x\r\n" * 150_000,
    "a line without end": b"GET /" + b"x" * 900_000,
}


@pytest.mark.parametrize("head", _TOO_LARGE.values(), ids=_TOO_LARGE)
@pytest.mark.parametrize("size", [10_000_000, 7_000], ids=["at once", "in pieces"])
async def test_too_many_header_bytes_are_refused(stack: Stack, head: bytes, size: int) -> None:
    """431, however the bytes are cut; a client that goes on sending can read it."""
    async with wire(stack) as wordy:
        for start in range(0, len(head), size):
            await wordy.say(head[start : start + size])

        assert (431, "BAD_USER_INPUT") == (await wordy.answer()).refusal
        assert b"" == await wordy.end()


async def test_headers_of_the_largest_size_are_taken(stack: Stack) -> None:
    """The limit is no smaller than it says."""
    head = _HEALTH + b"X-Long: " + b"x" * (MAX_HEAD_BYTES - 200) + b"\r\n\r\n"
    async with wire(stack) as wordy:
        await wordy.trickle(head, pause=0.001, size=10_000)

        assert 200 == (await wordy.answer()).status


async def test_a_connection_may_rest_between_requests_but_not_within_one(stack: Stack) -> None:
    """Kept alive for longer than the deadline; which holds again once the second request has begun."""
    async with wire(stack) as kept:
        await kept.say(_HEALTH + b"\r\n")
        assert 200 == (await kept.answer()).status
        await asyncio.sleep(1.5 * HEADER_SECONDS)
        await kept.say(_HEALTH + b"\r\n")
        assert 200 == (await kept.answer()).status

        async with _lasting(HEADER_SECONDS):
            await kept.trickle(_HEALTH * 100, pause=0.1)
            assert _TIMEOUT == (await kept.answer()).refusal
            await kept.end()


async def test_requests_may_be_sent_before_their_answers(stack: Stack, client: ApiClient) -> None:
    """Three at once are answered in their order; a fourth, sent with them and never finished, has the deadline of any."""
    query = b'{"query": "{ viewer { name } }"}'
    posted = post(client, Content_Type="application/json", Content_Length=str(len(query))) + query
    async with wire(stack) as hurried:
        await hurried.say(_HEALTH + b"\r\n" + posted + _HEALTH + b"\r\n" + _HEALTH)

        async with _lasting(HEADER_SECONDS):
            answers = [await hurried.answer() for _ in range(4)]
            await hurried.end()

    assert [200, 200, 200, 408] == [answer.status for answer in answers]
    assert "Acme" == answers[1].json["data"]["viewer"]["name"]


@asynccontextmanager
async def _busy(stack: Stack) -> AsyncIterator[None]:
    """Nobody can be authenticated during the block, so that a request waits."""
    locker = await asyncpg.connect(stack.services.database_url)
    try:
        async with locker.transaction():
            await locker.execute("LOCK TABLE partner")
            yield
    finally:
        await locker.close()


async def test_headers_behind_a_request_that_is_being_served_are_bounded_too(
    stack: Stack, client: ApiClient
) -> None:
    """The connection ends; a 431 would be taken for the answer to the first request."""
    query = b'{"query": "{ viewer { name } }"}'
    async with _busy(stack), wire(stack) as hurried:
        await hurried.say(
            post(client, Content_Type="application/json", Content_Length=str(len(query))) + query
        )
        await hurried.say(_HEALTH + b"X: x\r\n" * 150_000)

        assert b"" == await hurried.end(5)


async def test_trailers_behind_a_body_are_bounded_too(stack: Stack, client: ApiClient) -> None:
    """A chunked body may end with headers; they are no place to hide bytes in."""
    async with wire(stack) as wordy:
        await wordy.say(post(client, Transfer_Encoding="chunked") + b"2\r\n--\r\n0\r\n")
        await wordy.say(b"X: x\r\n" * 150_000)

        assert (431, "BAD_USER_INPUT") == (await wordy.answer()).refusal


async def test_what_is_not_http_is_refused_with_a_graphql_error(stack: Stack) -> None:
    """400, as JSON like everything else."""
    async with wire(stack) as confused:
        await confused.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")

        assert (400, "BAD_USER_INPUT") == (await confused.answer()).refusal
        await confused.end()


_ENDLESS = {
    "headers": (_HEALTH, b"431"),
    "not HTTP": (b"hello, \r\n\r\n", b"400"),
    "a body for /health": (b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n", b"40"),
    "a body for nobody": (b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n", b"40"),
}


@pytest.mark.parametrize(("begun", "status"), _ENDLESS.values(), ids=_ENDLESS)
async def test_a_client_that_sends_before_it_reads_gets_the_refusal(
    stack: Stack, begun: bytes, status: bytes
) -> None:
    """Its connection is not reset while it sends; there is one answer, and then the end."""
    heard = await asyncio.to_thread(_talk, stack, begun)

    assert heard.startswith(b"HTTP/1.1 " + status)
    assert 1 == heard.count(b"HTTP/1.1 ")


def _talk(stack: Stack, begun: bytes) -> bytes:
    """All that is answered to 900 KB, sent for a fifth of a second without looking."""
    address = urlsplit(stack.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as connection:
        connection.sendall(begun)
        for _ in range(18):
            connection.sendall(b"X-More: 1\r\n" * 4_000)
            time.sleep(0.01)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


async def test_a_body_that_is_too_slow_is_refused_and_leaves_nothing(
    stack: Stack, client: ApiClient, schema_id: str
) -> None:
    """408, as a GraphQL error, wherever it slows down; an upload beside it gets its job meanwhile."""
    before = len(files(stack))
    body = submission(schema_id, b"id\n" + b"1\n" * 4_000)
    quick = submission(schema_id, b"id\n1\n")
    async with AsyncExitStack() as exits, wire(stack) as other, _lasting(WINDOW_SECONDS):
        slow = [await exits.enter_async_context(wire(stack)) for _ in range(3)]
        places = (0, body.index(b"mutation"), len(body) - 4_000)
        for one, at in zip(slow, places, strict=True):
            await one.say(post(client, Content_Length=str(len(body))) + body[:at])
        trickling = asyncio.gather(
            *(one.trickle(body[at:], pause=0.1, size=50) for one, at in zip(slow, places, strict=True))
        )
        await other.say(post(client, Content_Length=str(len(quick))) + quick)

        assert "PENDING" == (await other.answer()).json["data"]["submitFile"]["job"]["status"]
        assert [b""] * 3 == [one.heard for one in slow]
        answers = [await one.answer() for one in slow]
        await trickling

    assert [(_TIMEOUT, "close")] * 3 == [(answer.refusal, answer.headers["connection"]) for answer in answers]
    await until(lambda: _has_files(stack, before + 1))
    assert [] == [name for name in files(stack) if name.endswith(".part")]


async def _has_files(stack: Stack, count: int) -> bool:
    return len(files(stack)) == count


async def test_a_json_body_that_is_too_slow_is_refused(stack: Stack, client: ApiClient) -> None:
    """A query has the same least speed as a file."""
    async with wire(stack) as slow, _lasting(WINDOW_SECONDS):
        await slow.say(post(client, Content_Type="application/json", Content_Length="1000"))
        await slow.trickle(b" " * 1_000, pause=0.1)

        assert _TIMEOUT == (await slow.answer()).refusal


async def test_a_body_that_is_slow_but_not_too_slow_is_taken(
    stack: Stack, client: ApiClient, schema_id: str
) -> None:
    """At four times the least speed, over two windows."""
    body = submission(schema_id, b"id\n" + b"1\n" * int(2 * LEAST * 2.5 * WINDOW_SECONDS))
    async with wire(stack) as slow, _lasting(2 * WINDOW_SECONDS):
        await slow.say(post(client, Content_Length=str(len(body))))
        await slow.trickle(body, pause=0.1, size=int(0.4 * LEAST))

        assert "PENDING" == (await slow.answer()).json["data"]["submitFile"]["job"]["status"]


@pytest.fixture(scope="module")
async def patient(stack: Stack) -> Stack:
    """The same with an API that takes bodies however slow, and headers for some seconds."""
    port = free_port()
    stack.start("api", port=str(port), min_upload_bytes_per_second="0", header_seconds=str(PATIENT_SECONDS))
    patient = replace(stack, url=f"http://127.0.0.1:{port}")
    await until(lambda: _answers(patient))
    return patient


async def _answers(stack: Stack) -> bool:
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            return (await http.get(f"{stack.url}/health")).status_code == 200
        except httpx.TransportError:
            return False


async def test_without_a_least_speed_a_body_may_be_as_slow_as_it_likes(
    patient: Stack, client: ApiClient, schema_id: str
) -> None:
    """SLUICE_MIN_UPLOAD_BYTES_PER_SECOND=0: 30 bytes a second pass."""
    body = submission(schema_id, b"id\n" + b"1\n" * 40)
    async with wire(patient) as slow, _lasting(2 * WINDOW_SECONDS):
        await slow.say(post(client, Content_Length=str(len(body))) + body[:-90])
        await slow.trickle(body[-90:], pause=0.1, size=3)

        assert "PENDING" == (await slow.answer()).json["data"]["submitFile"]["job"]["status"]


@pytest.mark.parametrize("path", [b"/health", b"/nowhere"])
async def test_nobody_waits_for_a_body_that_nobody_wants(patient: Stack, path: bytes) -> None:
    """It is answered, and the connection ends well before any deadline."""
    async with wire(patient) as eager:
        await eager.say(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nbegun")

        assert (await eager.answer()).status in (401, 404, 405)
        assert b"" == await eager.end(PATIENT_SECONDS / 2)


async def test_a_websocket_outlives_the_deadline_for_its_handshake(
    stack: Stack, client: ApiClient, schema_id: str, tmp_path: Path
) -> None:
    """A subscription that hears nothing for two deadlines still hears the end."""
    job_id = await submit(client, schema_id, samples.write(tmp_path / "orders.csv", 10))
    following = asyncio.create_task(follow(client, job_id))

    await asyncio.sleep(2 * HEADER_SECONDS)
    await client.execute(CANCEL, {"input": {"jobId": job_id}})

    assert ["PENDING", "CANCELLED"] == [event["status"] for event in await following]


async def test_two_hundred_slow_clients_stop_nobody(
    patient: Stack, client: ApiClient, schema_id: str, tmp_path: Path
) -> None:
    """A hundred stop in their headers, a hundred in their file, all at once: others upload and ask as if alone."""
    before = len(files(patient))
    path = samples.write(tmp_path / "orders.csv", 10_000)
    body = submission(schema_id, b"id\n1\n")
    async with AsyncExitStack() as exits, ApiClient(patient.url, key_of(client)) as other:
        slow = [await exits.enter_async_context(wire(patient)) for _ in range(200)]
        for one in slow[:100]:
            await one.say(post(client, Content_Length=str(len(body))) + body[:-3])
        await until(lambda: _has_files(patient, before + 100))
        for one in slow[100:]:
            await one.say(_HEALTH)
        began = time.monotonic()
        await submit(other, schema_id, path)
        assert "Acme" == (await other.execute("{ viewer { name } }"))["viewer"]["name"]
        seconds = time.monotonic() - began
        slow_still = [one for one in slow[:100] if not one.is_over]
        refusals = [(await one.answer()).refusal for one in slow[100:]]

    assert seconds < PATIENT_SECONDS
    assert 100 == len(slow_still)
    assert {_TIMEOUT} == set(refusals)
    await until(lambda: _has_files(patient, before + 1))
    assert key_of(client) not in patient.log
