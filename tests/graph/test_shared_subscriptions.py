"""Equal subscriptions share one execution, and nobody notices: each is served as if it were alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest
from redis.asyncio import Redis

from graph import subscriptions
from graph.context import Backends, Context
from graph.rate_limit import RateLimit
from graph.schema import schema
from graph.seats import Seats
from graph.shared import Audience, Member, Shares, subscription
from models import Job, JobStatus, Partner
from sluice.endpoints import Services
from tasks.broker import redis_options
from tasks.progress import Progress, ProgressFeed, publish
from tests.factories import make_job, make_partner
from tests.graph.api import id_of
from tests.graph.sockets import PROGRESS

MEMBERS = 30
_SECONDS = 10.0
_OTHER = PROGRESS.replace("percent", "pct: percent")
_NAMED = "subscription A($id: ID!) { jobProgress(jobId: $id) { bytesRead } } subscription B($id: ID!) { jobProgress(jobId: $id) { status } }"


class Room:
    """An API process without its sockets: members come, take what they are given, and leave."""

    def __init__(self, redis: Redis, feed: ProgressFeed) -> None:
        self.redis = redis
        self.feed = feed
        self.shares = Shares(schema)
        self.looks = 0
        """How often a job's row has been read to be shown."""

    async def joined(
        self, stack: AsyncExitStack, partner: Partner, id: str, query: str = PROGRESS, name: str | None = None
    ) -> Member:
        """One more member, to the end of the stack."""
        asked = subscription(partner.id, query, name, {"id": id})
        assert asked
        backends = Backends(
            cast("Any", None), cast("Any", None), self.redis, self.feed, RateLimit(self.redis, 0), Seats(1)
        )
        context = Context(backends, None, partner)
        return await stack.enter_async_context(self.shares.joined(asked, context))

    @property
    def executions(self) -> int:
        """How many run."""
        return len(self.shares._running)

    async def goes_on(self, job: Job, bytes_read: int, **columns: Any) -> None:
        """What a worker does: the row, then the word."""
        await Job.filter(id=job.id).update(
            bytes_read=bytes_read, **{"status": JobStatus.PROCESSING} | columns
        )
        await publish(self.redis, Progress.of(await Job.get(id=job.id)))

    async def ends(self, job: Job) -> None:
        """So does the job."""
        await self.goes_on(job, 100, status=JobStatus.COMPLETED)


@pytest.fixture
async def room(services: Services, database: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    """One in which nothing is read from a row just because time has passed."""
    monkeypatch.setattr(subscriptions, "POLL_SECONDS", 3_600.0)
    async with Redis.from_url(services.redis_url, **redis_options()) as redis, ProgressFeed(redis) as feed:
        room, real = Room(redis, feed), subscriptions._row_state

        async def counted(kind: type[Progress], job_id: UUID) -> Progress | None:
            room.looks += 1
            return await real(kind, job_id)

        monkeypatch.setattr(subscriptions, "_row_state", counted)
        yield room
        assert 0 == room.executions
        assert {} == feed._slots


@pytest.fixture
async def owner(room: Room) -> Partner:
    """A partner."""
    return await make_partner()


@pytest.fixture
async def watched(owner: Partner) -> Job:
    """A PENDING job of that partner."""
    return await make_job(partner=owner)


async def _state(member: Member) -> dict[str, Any]:
    async with asyncio.timeout(_SECONDS):
        result = await member.take()
    assert result is not None
    state: dict[str, Any] = json.loads(result)["data"]["jobProgress"]
    return state


async def _read(member: Member) -> int:
    return int((await _state(member))["bytesRead"])


async def _over(member: Member) -> list[str]:
    """The codes of the errors with which it ends, now."""
    async with asyncio.timeout(_SECONDS):
        assert await member.take() is None
    return [(error.extensions or {})["code"] for error in member.errors or ()]


async def _silent(*members: Member) -> None:
    """Nothing comes for them, although others have been served."""
    for member in members:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await member.take()


async def test_equal_subscriptions_are_one_execution(room: Room, owner: Partner, watched: Job) -> None:
    """The row is read once for all who come together, and all get the same text, to the one final state."""
    async with AsyncExitStack() as stack:
        members = [await room.joined(stack, owner, id_of(watched)) for _ in range(MEMBERS)]
        assert {0} == {await _read(member) for member in members}
        assert (1, 1) == (room.executions, room.looks)

        await room.goes_on(watched, 40)
        async with asyncio.timeout(_SECONDS):
            results = [await member.take() for member in members]
        assert 1 == len({id(result) for result in results}), "serialised more than once"

        await room.ends(watched)
        assert {"COMPLETED"} == {(await _state(member))["status"] for member in members}
        assert [[]] * MEMBERS == [await _over(member) for member in members]
        assert (0, 2) == (room.executions, room.looks)


@pytest.mark.parametrize("query", [_OTHER, PROGRESS + " "], ids=["other fields", "a space"])
async def test_another_document_is_another_execution(
    room: Room, owner: Partner, watched: Job, query: str
) -> None:
    """Each gets its own selection."""
    async with AsyncExitStack() as stack:
        members = [await room.joined(stack, owner, id_of(watched), text) for text in (PROGRESS, query)]
        assert ["pct" in query, "pct" in PROGRESS] == [
            "pct" in await _state(member) for member in members[::-1]
        ]
        assert 2 == room.executions


async def test_another_operation_of_the_document_is_another_execution(
    room: Room, owner: Partner, watched: Job
) -> None:
    """Its name says which."""
    async with AsyncExitStack() as stack:
        members = [await room.joined(stack, owner, id_of(watched), _NAMED, name) for name in ("A", "B")]
        assert [{"bytesRead": "0"}, {"status": "PENDING"}] == [await _state(member) for member in members]


async def test_other_variables_are_another_execution(room: Room, owner: Partner, watched: Job) -> None:
    """Another job's subscribers hear nothing of this one."""
    other = await make_job(partner=owner)
    async with AsyncExitStack() as stack:
        here, there = [await room.joined(stack, owner, id_of(job)) for job in (watched, other)]
        assert (0, 0) == (await _read(here), await _read(there))
        await room.goes_on(watched, 40)
        assert 40 == await _read(here)
        await _silent(there)


async def test_another_partner_never_shares(room: Room, owner: Partner, watched: Job) -> None:
    """He is told what he would be told if nobody watched."""
    stranger = await make_partner(name="Umbrella")
    async with AsyncExitStack() as stack:
        member = await room.joined(stack, owner, id_of(watched))
        assert 0 == await _read(member)
        assert ["NOT_FOUND"] == await _over(await room.joined(stack, stranger, id_of(watched)))
        await room.goes_on(watched, 40)
        assert 40 == await _read(member)


async def test_who_comes_later_begins_with_the_row(room: Room, owner: Partner, watched: Job) -> None:
    """Even if nobody has told the others yet what it says; they hear of it then, too, and nobody hears of it twice."""
    async with AsyncExitStack() as stack:
        early = await room.joined(stack, owner, id_of(watched))
        assert 0 == await _read(early)
        await Job.filter(id=watched.id).update(status=JobStatus.PROCESSING, bytes_read=30)

        late = await room.joined(stack, owner, id_of(watched))
        told = await _state(late)
        assert ("30", 30) == (told["bytesRead"], await _read(early))

        latest = await _state(await room.joined(stack, owner, id_of(watched)))
        assert "30" == latest["bytesRead"]
        assert told["at"] < latest["at"], "what was read for others, and long ago"
        await _silent(early, late)
        assert (1, 3) == (room.executions, room.looks)


async def test_what_a_newcomer_is_told_takes_nobody_back(room: Room, owner: Partner, watched: Job) -> None:
    """A message was ahead of the row, which he begins with; what lies between the two is for no one."""
    async with AsyncExitStack() as stack:
        early = await room.joined(stack, owner, id_of(watched))
        assert 0 == await _read(early)
        row = Progress.of(await Job.get(id=watched.id))
        await publish(room.redis, replace(row, bytes_read=40))
        assert 40 == await _read(early)

        late = await room.joined(stack, owner, id_of(watched))
        assert 0 == await _read(late)
        await publish(room.redis, replace(row, bytes_read=20))
        await _silent(early)
        await publish(room.redis, replace(row, bytes_read=60))
        assert (60, 60) == (await _read(early), await _read(late))


async def test_a_look_at_the_row_serves_those_who_came_before_it(
    room: Room, owner: Partner, watched: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes while the row is being read gets the next look: what he changed before he came must be in it."""
    read, go_on, real = asyncio.Event(), asyncio.Event(), subscriptions._row_state

    async def slow(kind: type[Progress], job_id: UUID) -> Progress | None:
        state = await real(kind, job_id)
        read.set()
        await go_on.wait()
        return state

    async with AsyncExitStack() as stack:
        early = await room.joined(stack, owner, id_of(watched))
        assert 0 == await _read(early)
        monkeypatch.setattr(subscriptions, "_row_state", slow)
        before = await room.joined(stack, owner, id_of(watched))
        async with asyncio.timeout(_SECONDS):
            await read.wait()
        await Job.filter(id=watched.id).update(status=JobStatus.PROCESSING, bytes_read=30)
        after = [await room.joined(stack, owner, id_of(watched)) for _ in range(MEMBERS)]
        go_on.set()

        assert {30} == {await _read(member) for member in after}
        assert await _read(before) in (0, 30)
        assert 3 == room.looks, "one look for all who came meanwhile"


async def test_a_lost_look_is_made_up_for(
    room: Room, owner: Partner, watched: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a database a newcomer waits for it; he is not shown what may be old."""
    real = subscriptions._row_state

    async def away(kind: type[Progress], job_id: UUID) -> Progress | None:
        return None

    async with AsyncExitStack() as stack:
        early = await room.joined(stack, owner, id_of(watched))
        assert 0 == await _read(early)
        monkeypatch.setattr(subscriptions, "_row_state", away)
        late = await room.joined(stack, owner, id_of(watched))
        await _silent(late)
        monkeypatch.setattr(subscriptions, "_row_state", real)
        await room.goes_on(watched, 40)
        assert (40, 40) == (await _read(early), await _read(late))


async def test_who_leaves_takes_nothing_from_the_others(room: Room, owner: Partner, watched: Job) -> None:
    """Neither the first, for whom it all began, nor another; the last ends it, and who comes then begins anew."""
    async with AsyncExitStack() as last:
        async with AsyncExitStack() as stack:
            others = [await room.joined(stack, owner, id_of(watched)) for _ in range(2)]
            stays = await room.joined(last, owner, id_of(watched))
            assert [0] * 3 == [await _read(member) for member in (*others, stays)]
        await room.goes_on(watched, 40)
        assert (40, 1) == (await _read(stays), room.executions)
    assert (0, {}) == (room.executions, room.feed._slots)

    async with AsyncExitStack() as stack:
        assert 40 == await _read(await room.joined(stack, owner, id_of(watched)))


async def test_a_slow_member_keeps_the_latest_state_only(room: Room, owner: Partner, watched: Job) -> None:
    """It delays nobody, sees no step back, and does not miss the one final state."""
    async with AsyncExitStack() as stack:
        slow, quick = [await room.joined(stack, owner, id_of(watched)) for _ in range(2)]
        assert 0 == await _read(quick)
        for bytes_read in range(1, 100):
            await room.goes_on(watched, bytes_read)
            assert bytes_read == await _read(quick)
        assert 99 == await _read(slow)
        await room.goes_on(watched, 100)
        assert 100 == await _read(quick)
        await room.ends(watched)

        for member in (quick, slow):
            assert "COMPLETED" == (await _state(member))["status"]
            assert [] == await _over(member)


async def test_all_are_told_that_there_is_no_such_job(room: Room, owner: Partner) -> None:
    """The same error, of one execution."""
    async with AsyncExitStack() as stack:
        members = [await room.joined(stack, owner, "nonsense") for _ in range(MEMBERS)]
        assert 1 == room.executions
        assert [["NOT_FOUND"]] * MEMBERS == [await _over(member) for member in members]


async def test_a_failure_in_the_midst_of_it_reaches_all(
    room: Room, owner: Partner, watched: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Masked, with one reference, and then it is over for all; who comes after that is served again."""
    async with AsyncExitStack() as stack:
        members = [await room.joined(stack, owner, id_of(watched)) for _ in range(3)]
        assert [0] * 3 == [await _read(member) for member in members]
        with monkeypatch.context() as broken:
            broken.setattr(Progress, "percent", property(_raises(ZeroDivisionError("secret"))))
            await room.goes_on(watched, 40)
            async with asyncio.timeout(_SECONDS):
                [result] = {await member.take() for member in members}
            assert [[]] * 3 == [await _over(member) for member in members]
        assert result
        assert "INTERNAL" == json.loads(result)["errors"][0]["extensions"]["code"]
        assert "secret" not in result
        assert 40 == await _read(await room.joined(stack, owner, id_of(watched)))


async def test_a_bug_around_the_execution_reaches_all(
    room: Room, owner: Partner, watched: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left waiting."""
    monkeypatch.setattr("graph.shared._as_json", _raises(ZeroDivisionError("secret")))
    async with AsyncExitStack() as stack:
        members = [await room.joined(stack, owner, id_of(watched)) for _ in range(3)]
        assert [["INTERNAL"]] * 3 == [await _over(member) for member in members]


def _raises(error: Exception) -> Callable[..., Any]:
    def raising(*_: object) -> None:
        raise error

    return raising


async def test_who_comes_after_the_final_state_and_before_the_end_gets_it() -> None:
    """There will be no other."""
    audience, member = Audience(), Member()
    audience.publish("the end")
    audience.add(member)
    audience.end(None)

    assert ["the end", None] == [await member.take(), await member.take()]
