"""Which subscriptions are one question, and that each operation hears the answer under its own id."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from graph.shared import Alone, Asked, subscription
from models import Job
from tasks.broker import redis_options
from tasks.progress import Progress, publish
from tests.graph.api import Owner, id_of
from tests.graph.rows import finish
from tests.graph.sockets import PROGRESS, acknowledged, receive, send, watch
from tests.stack import Stack

_SECONDS = 10.0

_NAMED = "subscription A($id: ID!) { jobProgress(jobId: $id) { bytesRead } } subscription B($id: ID!) { jobProgress(jobId: $id) { status } }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ viewer { name } } # subscription", None),
        ("mutation subscription { cancelJob(input: {}) { job { id } } }", None),
        (_NAMED, {"id": "a"}),
        ("subscription {", None),
        ("subscription { a } #" + "x" * 70_000, None),
        ("subscription { " + "a " * 3_000 + "}", None),
    ],
    ids=["query", "mutation", "ambiguous", "syntax error", "too long", "too many tokens"],
)
async def test_all_else_is_no_subscription(query: str, variables: dict[str, Any] | None) -> None:
    """It is executed, or refused, where queries and mutations are."""
    assert subscription(UUID(int=0), query, None, variables) is None


@pytest.mark.parametrize("value", [5, None, True, ["a"], {}])
def test_what_is_asked_with_other_variables_than_texts_is_not_shared(value: Any) -> None:
    """However equal it looks."""
    one, other = (subscription(UUID(int=0), PROGRESS, None, {"id": value}) for _ in range(2))

    assert isinstance(one, Alone)
    assert {"id": value} == one.given
    assert one != other


async def test_equal_questions_are_equal() -> None:
    """Whatever the order of their variables."""
    one = subscription(UUID(int=0), PROGRESS, None, {"a": "1", "b": "2"})
    assert isinstance(one, Asked)
    assert one == subscription(UUID(int=0), PROGRESS, None, {"b": "2", "a": "1"})
    assert one != subscription(UUID(int=0), PROGRESS, None, {"a": "2", "b": "1"})
    assert one != subscription(UUID(int=1), PROGRESS, None, {"a": "1", "b": "2"})


async def test_each_operation_hears_under_its_own_id(stack: Stack, partner: Owner, job: Job) -> None:
    """Over two sockets, with ids of all sorts; the end is read from the row once: all are told the same moment."""
    ids = ["1", 'a"},{"', "\\", "é\n", ""]
    async with (
        acknowledged(stack, partner) as one,
        acknowledged(stack, partner) as two,
        asyncio.timeout(_SECONDS),
    ):
        for opened in (one, two):
            for id in ids:
                await watch(opened, id_of(job), id)
            messages = [await receive(opened) for _ in ids]
            assert sorted(ids) == sorted(message["id"] for message in messages)
            assert {"next"} == {message["type"] for message in messages}
        await send(one, type="complete", id="1")
        await watch(one, id_of(job), "1")
        assert "next" == (await receive(one))["type"]
        await finish(job)
        async with Redis.from_url(stack.services.redis_url, **redis_options()) as redis:
            await publish(redis, Progress.of(await Job.get(id=job.id)))
        messages = [await receive(opened) for opened in (one, two) for _ in range(2 * len(ids))]

    for kind in ("next", "complete"):
        assert sorted(2 * ids) == sorted(message["id"] for message in messages if message["type"] == kind)
    ends = [message["payload"]["data"]["jobProgress"] for message in messages if message["type"] == "next"]
    assert 1 == len({end["at"] for end in ends})
    assert {"COMPLETED"} == {end["status"] for end in ends}


async def test_an_error_is_told_under_each_id(
    stack: Stack, partner: Owner, other_partner: Owner, job: Job
) -> None:
    """To strangers while its owner watches, as a message of type `error`, and no `complete` after it."""
    async with acknowledged(stack, partner) as own, acknowledged(stack, other_partner) as strange:
        async with asyncio.timeout(_SECONDS):
            await watch(own, id_of(job))
            assert "next" == (await receive(own))["type"]
            for id in ("1", "2"):
                await watch(strange, id_of(job), id)
            messages = [await receive(strange) for _ in range(2)]
            assert {"1", "2"} == {message["id"] for message in messages}
            assert {("error", "NOT_FOUND")} == {
                (message["type"], message["payload"][0]["extensions"]["code"]) for message in messages
            }
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await receive(strange)
