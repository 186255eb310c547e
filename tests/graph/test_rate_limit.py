"""So many requests in a minute for each key, counted in Redis; without it nobody is refused, and nobody waits."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection

from graph.errors import Refusal
from graph.rate_limit import RateLimit
from models import RecordSchema
from sluice.endpoints import Services
from tests.faults.own_redis import OwnRedis
from tests.faults.proxy import Proxy
from tests.graph.api import Owner, codes, data, id_of, submission, submit
from tests.graph.event_streams import EVENTS
from tests.graph.sockets import acknowledged, receive, send
from tests.stack import Stack, running

_VIEWER = "{ viewer { name } }"
_LIMIT = 5


@pytest.fixture(scope="module")
async def stack(
    services: Services, redis: OwnRedis, link: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """An API that takes next to nothing."""
    own = Services(services.database_url, link.url(redis.url))
    folder = tmp_path_factory.mktemp("api")
    async with running(own, folder, workers=0, requests_per_minute=str(_LIMIT)) as stack:
        yield stack


async def _ask(client: httpx.AsyncClient, owner: Owner, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": _VIEWER}, headers=owner.headers | headers)


async def _use_up(client: httpx.AsyncClient, owner: Owner) -> None:
    for _ in range(_LIMIT):
        await data(client, owner, _VIEWER)


@pytest.mark.parametrize("accept", ["application/json", *EVENTS.values()])
async def test_one_more_is_refused_with_429(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, accept: str
) -> None:
    """It says when to come again; another key is not touched."""
    await _use_up(app_client, partner)

    response = await _ask(app_client, partner, accept=accept)

    assert (429, ["RATE_LIMITED"]) == (response.status_code, codes(response.json()))
    assert 1 <= int(response.headers["retry-after"]) <= 60
    await data(app_client, other_partner, _VIEWER)


async def test_the_window_is_a_minute_from_the_first_request(
    app_client: httpx.AsyncClient, partner: Owner, redis: OwnRedis, stack: Stack
) -> None:
    """Then its count is gone, also that of a key that goes on asking."""
    await _use_up(app_client, partner)
    assert 429 == (await _ask(app_client, partner)).status_code
    place = stack.services.redis_url.rpartition("/")[2]
    async with Redis.from_url(f"{redis.url.rpartition('/')[0]}/{place}") as admin:
        key = f"sluice:rate:{partner.id.hex}"
        assert 55_000 < await admin.pttl(key) <= 60_000
        await admin.pexpire(key, 300)

    assert "1" == (await _ask(app_client, partner)).headers["retry-after"]
    await asyncio.sleep(0.4)

    await data(app_client, partner, _VIEWER)


async def test_operations_on_sockets_count_too(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """Each; the socket itself lives."""
    async with acknowledged(stack, partner) as opened:
        types, message = [], {}
        for number in range(_LIMIT + 2):
            await send(opened, type="subscribe", id=str(number), payload={"query": _VIEWER})
            message = await receive(opened)
            types.append(message["type"])
            if message["type"] == "next":
                assert "complete" == (await receive(opened))["type"]

        assert ["next"] * _LIMIT + ["error"] * 2 == types
        assert "RATE_LIMITED" == message["payload"][0]["extensions"]["code"]
        assert 429 == (await _ask(app_client, partner)).status_code


async def test_a_burst_is_counted_in_full(stack: Stack, partner: Owner) -> None:
    """More at once than there are connections to Redis: that is no sign that it is away."""
    async with AsyncExitStack() as exits:
        opened = [await exits.enter_async_context(acknowledged(stack, partner)) for _ in range(6)]

        served = sum(await asyncio.gather(*map(_burst, opened)))

    assert _LIMIT == served


async def _burst(opened: ClientConnection) -> int:
    """How many of fifty operations that are sent at once are carried out."""
    for number in range(50):
        await send(opened, type="subscribe", id=str(number), payload={"query": _VIEWER})
    types: list[str] = []
    while types.count("complete") + types.count("error") < 50:
        types.append((await receive(opened))["type"])
    return types.count("complete")


async def test_a_busy_process_goes_on_counting(redis: OwnRedis) -> None:
    """An answer that nobody has come to look at is no silence: whoever keeps the API busy has a limit, too."""
    async with Redis.from_url(redis.url) as client:
        limit, partner_id = RateLimit(client, per_minute=2), uuid4()
        await limit.count(partner_id)

        counting = asyncio.create_task(limit.count(partner_id))
        await asyncio.sleep(0)
        time.sleep(0.4)  # noqa: ASYNC251  # what others' documents cost
        await counting

        with pytest.raises(Refusal):
            await limit.count(partner_id)


async def test_an_upload_is_refused_before_its_file(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path
) -> None:
    """Nothing of it is kept."""
    await _use_up(app_client, partner)

    response = await submit(app_client, partner, submission(id_of(schema)))

    assert (429, ["RATE_LIMITED"]) == (response.status_code, codes(response.json()))
    assert not store.exists() or [] == list(store.iterdir())


async def test_wrong_keys_use_up_nothing(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Nobody can spend what is another's."""
    wrong = {"x-api-key": partner.key[:-1] + ("0" if partner.key[-1] != "0" else "1")}
    for _ in range(2 * _LIMIT):
        response = await app_client.post("/graphql", json={"query": _VIEWER}, headers=wrong)
        assert 401 == response.status_code

    await data(app_client, partner, _VIEWER)


async def test_without_redis_nobody_is_refused(
    app_client: httpx.AsyncClient, partner: Owner, redis: OwnRedis
) -> None:
    """Killed: at once. When it is back, it counts again."""
    await _use_up(app_client, partner)
    assert 429 == (await _ask(app_client, partner)).status_code

    await redis.kill()
    try:
        began = time.monotonic()
        for _ in range(3 * _LIMIT):
            await data(app_client, partner, _VIEWER)
        assert time.monotonic() - began < 1.5
    finally:
        await redis.start()

    await _until_it_counts(app_client, partner)


async def test_a_silent_redis_costs_one_a_moment(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner, link: Proxy
) -> None:
    """Some wait for a quarter of a second; then nobody does for a while."""
    log = len(stack.log)
    link.silence()
    try:
        began = time.monotonic()
        await asyncio.gather(*(data(app_client, partner, _VIEWER) for _ in range(3 * _LIMIT)))
        first = time.monotonic() - began
        for _ in range(3 * _LIMIT):
            await data(app_client, partner, _VIEWER)
        both = time.monotonic() - began
    finally:
        link.heal()

    assert 0.25 <= first < 1.0
    assert both - first < 0.7
    assert 1 == stack.log[log:].count("requests are not counted")
    await _until_it_counts(app_client, partner)


async def _until_it_counts(client: httpx.AsyncClient, owner: Owner) -> None:
    async with asyncio.timeout(15):
        while (await _ask(client, owner)).status_code != 429:
            await asyncio.sleep(0.05)
