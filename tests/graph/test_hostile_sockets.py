"""WebSockets that flood, babble or stay silent: each is closed with its code or answered, and others are served meanwhile."""

import asyncio
import json
import time
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from graph.sockets import MAX_OPERATIONS
from models import Job
from sluice.api import _WS_MESSAGE_BYTES
from tests.graph.api import Owner, data, id_of
from tests.graph.sockets import acknowledged, receive, send, socket, watch
from tests.stack import Stack

_VIEWER = "{ viewer { name } }"


async def _listen(opened: ClientConnection) -> None:
    """To the end of the connection."""
    async with asyncio.timeout(5):
        while True:
            await opened.recv()


async def test_ten_thousand_pings_are_answered_and_keep_nobody_waiting(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """Each gets its pong; another client's queries are answered in under a second all the while."""
    slowest = 0.0
    async with acknowledged(stack, partner) as opened, asyncio.timeout(30):

        async def flood() -> int:
            for _ in range(10_000):
                await opened.send('{"type": "ping"}')
            return 10_000

        async def listen() -> int:
            for _ in range(10_000):
                assert "pong" == (await receive(opened))["type"]
            return 10_000

        work = asyncio.gather(flood(), listen())
        while not work.done():
            began = time.perf_counter()
            await data(app_client, partner, _VIEWER)
            slowest = max(slowest, time.perf_counter() - began)
        assert 20_000 == sum(await work)

    assert slowest < 1


async def test_a_storm_of_subscriptions_is_cut_at_the_limit(stack: Stack, partner: Owner, job: Job) -> None:
    """101 at once: MAX_OPERATIONS run, each other one is RATE_LIMITED, and the connection lives."""
    refused, running = 0, 0
    async with acknowledged(stack, partner) as opened, asyncio.timeout(30):
        for number in range(101):
            await watch(opened, id_of(job), str(number))
        while refused + running < 101:
            message = await receive(opened)
            running += message["type"] == "next"
            if message["type"] == "error":
                assert "RATE_LIMITED" == message["payload"][0]["extensions"]["code"]
                refused += 1

    assert (MAX_OPERATIONS, 101 - MAX_OPERATIONS) == (running, refused)


async def test_subscriptions_that_come_and_go_leave_nothing_behind(
    stack: Stack, partner: Owner, job: Job
) -> None:
    """A hundred and fifty, each completed by its client as soon as it runs: none of them counts any more."""
    async with acknowledged(stack, partner) as opened, asyncio.timeout(30):
        for number in range(150):
            await watch(opened, id_of(job), str(number))
            message = await receive(opened)
            assert ("next", str(number)) == (message["type"], message["id"])
            await send(opened, type="complete", id=str(number))


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        pytest.param(['{"type": "connection_init"}'] * 2, 4429, id="init twice"),
        pytest.param([b"\x00\xff" * 100], 4400, id="binary"),
        pytest.param(["{" * 50_000], 4400, id="deep"),
        pytest.param(['{"type": "ping", "payload": NaN}'], 4400, id="NaN"),
        pytest.param(['{"type": "connection_init", "payload": {"apiKey": "\\ud800"}}'], 4400, id="half a pair"),
        pytest.param(['{"type": "connection_init", "payload": {"apiKey": ["x"]}}'], 4403, id="key a list"),
        pytest.param(['{"type": "connection_init", "payload": {"apiKey": "' + "x" * 60_000 + '"}}'], 4403, id="long key"),
        pytest.param(["x" * (_WS_MESSAGE_BYTES + 1)], 1009, id="oversized"),
        pytest.param([["x" * _WS_MESSAGE_BYTES, "x"]], 1009, id="oversized in pieces"),
    ],
)  # fmt: skip
async def test_a_message_before_anything_else_closes_with_its_code(
    stack: Stack, partner: Owner, messages: list[str | bytes | list[str]], code: int
) -> None:
    """Never with an error of the server."""
    log = len(stack.log)
    async with socket(stack, partner.headers) as opened:
        try:
            for message in messages:
                await opened.send(message)
            await _listen(opened)
        except ConnectionClosed:
            assert code == opened.close_code
    assert "Traceback" not in stack.log[log:]


async def test_the_same_id_twice_closes_with_4409(stack: Stack, partner: Owner, job: Job) -> None:
    """As the protocol has it."""
    async with acknowledged(stack, partner) as opened:
        await watch(opened, id_of(job))
        await watch(opened, id_of(job))
        with pytest.raises(ConnectionClosed):
            await _listen(opened)
        assert 4409 == opened.close_code


async def test_who_stays_silent_is_closed_while_others_are_served(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """Fifty connections without connection_init: all closed with 4408 after ten seconds, and queries go on."""
    async with AsyncExitStack() as silent, asyncio.timeout(30):
        opened = [await silent.enter_async_context(socket(stack, partner.headers)) for _ in range(50)]
        began = time.perf_counter()
        assert {"viewer": {"name": "Acme"}} == await data(app_client, partner, _VIEWER)
        assert time.perf_counter() - began < 1
        for connection in opened:
            with pytest.raises(ConnectionClosed):
                await connection.recv()

    assert {4408} == {connection.close_code for connection in opened}


async def test_a_socket_that_was_refused_runs_nothing(stack: Stack, partner: Owner) -> None:
    """Operations sent along with a wrong key, without waiting for the answer, are not executed."""
    async with socket(stack) as opened:
        await send(opened, type="connection_init", payload={"apiKey": "slc_00000000_" + "0" * 64})
        heard = []
        try:
            await send(opened, type="subscribe", id="1", payload={"query": _VIEWER})
            async with asyncio.timeout(5):
                while True:
                    heard.append(json.loads(await opened.recv()))
        except ConnectionClosed:
            assert opened.close_code in (4401, 4403)

    assert [] == heard
