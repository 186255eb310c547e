"""Discards whose workers and databases die, freeze or are restarted: in the end nothing is left, and all of it counted once."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from sluice.client import ApiClient
from tasks.lease import GRACE_SECONDS
from tests.faults.discarding import Discarding, discarded, loaded
from tests.faults.hurts import HURTS
from tests.faults.jobs import events, struck, until
from tests.faults.proxy import COMMIT, Fate, standing_before
from tests.stack import Stack, interrupt

MANY = ("discard_deleted", "discard_counted", "discard_committed")
"""Points that a worker comes to with every chunk."""
POINTS = ("discard_claimed", *MANY, "before_discard_finish")


def _visit(point: str, chance: random.Random) -> int:
    return chance.randint(1, 15) if point in MANY else 1


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_any_point_leaves_nothing_behind_in_the_end(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str, chance: random.Random
) -> None:
    """kill -9 from inside, at a random chunk; the next worker goes on behind what is committed."""
    discarding = await discarded(await loaded(stack, client, tmp_path))

    stack.start_worker(faults=f"{point}=kill9@{_visit(point, chance)}")
    await struck(stack)
    stack.start_worker()
    await discarding.whole()

    assert 2 == (await discarding.row())["attempt"]


async def test_kills_that_let_a_chunk_through_come_to_an_end(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Six workers die one after the other, each having deleted one chunk: none begins anew."""
    discarding = await discarded(await loaded(stack, client, tmp_path))

    for deaths in range(1, 7):
        stack.start_worker(faults="discard_deleted=kill9@2")
        await struck(stack, deaths)
    stack.start_worker()
    await discarding.whole()

    # Every fiftieth record was rejected: a chunk of 500 rows reaches over ten more indexes than that, now and then.
    claimed = [event["index"] for event in events(stack, "discard claimed")]
    assert 7 == len(claimed)
    assert claimed == sorted(set(claimed))


@pytest.mark.parametrize("point", ["discard_deleted", "discard_counted"])
async def test_a_frozen_worker_is_overtaken_and_fenced(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str, chance: random.Random
) -> None:
    """SIGSTOP inside a transaction, even one that holds the job's row: another goes on, and the sleeper deletes nothing."""
    discarding = await discarded(await loaded(stack, client, tmp_path))
    sleeper = stack.start_worker(faults=f"{point}=stop@{_visit(point, chance)}")
    await struck(stack)

    stack.start_worker()
    await discarding.whole()
    sleeper.send_signal(signal.SIGCONT)
    await until(discarding.is_left_to_another)

    assert 2 == (await discarding.row())["attempt"]
    await discarding.whole()
    assert sleeper.poll() is None


async def test_a_sleeper_that_wakes_before_its_heir_has_begun_deletes_nothing(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Its place is still the right one, and its token is not."""
    discarding = await discarded(await loaded(stack, client, tmp_path))
    sleeper = stack.start_worker(faults=f"discard_committed=stop@{chance.randint(1, 15)}")
    await struck(stack)
    heir = stack.start_worker(faults="discard_claimed=stop")
    await struck(stack, 2)
    left = await discarding.count()

    sleeper.send_signal(signal.SIGCONT)
    await until(lambda: _has_decided(discarding, left))

    assert left == await discarding.count()
    assert await discarding.is_left_to_another()
    heir.send_signal(signal.SIGCONT)
    await discarding.whole()
    assert 2 == (await discarding.row())["attempt"]


async def _has_decided(discarding: Discarding, left: int) -> bool:
    return await discarding.is_left_to_another() or left != await discarding.count()


@pytest.mark.parametrize("hurt", HURTS, ids=lambda hurt: hurt.__name__)
async def test_a_database_hurt_in_the_middle_of_a_chunk_costs_a_pause(
    stack: Stack,
    client: ApiClient,
    tmp_path: Path,
    chance: random.Random,
    hurt: Callable[[Stack, int], Awaitable[None]],
) -> None:
    """Restarted, crashed or without that session: the chunk is deleted again, under the same attempt."""
    discarding = await discarded(await loaded(stack, client, tmp_path))
    await stack.query("CHECKPOINT")  # what other tests have written need not be recovered in this one
    locker = await asyncpg.connect(stack.services.database_url)
    lock = locker.transaction()
    await lock.start()
    await locker.execute(
        'SELECT "index" FROM record WHERE job_id = $1 AND "index" >= $2 ORDER BY "index" LIMIT 1 FOR UPDATE',
        discarding.case.uuid, chance.randint(0, 8_000),
    )  # fmt: skip
    stack.start_worker()
    session = await _waiting(stack)

    await hurt(stack, session)
    locker.terminate()
    await discarding.whole()

    assert 1 == (await discarding.row())["attempt"]
    assert events(stack, "chunk not deleted, trying again")


async def _waiting(stack: Stack) -> int:
    """The session that deletes, and waits for a row."""
    async with asyncio.timeout(30):
        while True:
            rows = await stack.query(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                " AND application_name LIKE 'sluice discard %'"
            )
            if rows:
                return int(rows[0]["pid"])
            await asyncio.sleep(0.01)


async def test_a_commit_whose_answer_is_lost_counts_once(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Every third COMMIT is lost, or takes effect and nobody is told: the row is asked, and each chunk counts once."""
    discarding = await discarded(await loaded(stack, client, tmp_path))
    fates = [Fate.LOSE, Fate.CUT, Fate.LOSE_ANSWER]
    lost: list[Fate] = []

    def judge(piece: bytes) -> Fate:
        if not piece.endswith(COMMIT) or (chance.random() > 0.3 and len(lost) >= len(fates)):
            return Fate.PASS
        lost.append(fates[len(lost)] if len(lost) < len(fates) else chance.choice(fates))
        return lost[-1]

    chance.shuffle(fates)
    async with standing_before(stack.services.database_url) as proxy:
        proxy.to_server.judge = judge
        stack.start_worker(database_url=proxy.url(stack.services.database_url))
        await discarding.whole()

    assert len(lost) == len(events(stack, "chunk not deleted, trying again")) >= len(fates)
    assert [9_800] == [event["records"] for event in events(stack, "discard completed")]
    assert 1 == (await discarding.row())["attempt"]


async def test_a_worker_that_is_asked_to_stop_hands_its_discard_back(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """SIGTERM in the middle: it is gone within two seconds with exit code 0, and the next goes on at once."""
    discarding = await discarded(await loaded(stack, client, tmp_path))
    chunks = chance.randint(1, 15)
    worker = stack.start_worker(faults=f"discard_committed=pause:0.7@{chunks}", lease_seconds="60")
    await struck(stack)

    code, seconds = await asyncio.to_thread(interrupt, worker)
    reached = (await discarding.row())["next_index"]
    stack.start_worker()
    await discarding.whole(seconds=20)

    assert 0 == code
    assert seconds < 0.7 + GRACE_SECONDS
    assert [reached] == [event["index"] for event in events(stack, "discard handed back")]
    assert [0, reached] == [event["index"] for event in events(stack, "discard claimed")]
    assert 0 < reached < 10_000


async def test_a_chunk_that_hangs_does_not_keep_a_worker_from_leaving(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Somebody holds a row for long: after GRACE_SECONDS it is left undone, and handed back."""
    discarding = await discarded(await loaded(stack, client, tmp_path))
    locker = await asyncpg.connect(stack.services.database_url)
    async with locker.transaction():
        await locker.execute("SELECT FROM record WHERE job_id = $1 LIMIT 1 FOR UPDATE", discarding.case.uuid)
        worker = stack.start_worker()
        await _waiting(stack)

        code, seconds = await asyncio.to_thread(interrupt, worker)

        assert 9_800 == await discarding.count()
    await locker.close()
    assert 0 == code
    assert GRACE_SECONDS <= seconds < GRACE_SECONDS + 1.5
    assert 1 == len(events(stack, "discard handed back"))
    stack.start_worker()
    await discarding.whole()
