"""Retries that are broken in the middle: each record of the first job is loaded once at most, and is counted."""

import asyncio
import random
from pathlib import Path
from uuid import UUID

import pytest

from sluice.client import ApiClient
from tests.faults.families import RECORDS, Family, rejected_family
from tests.faults.jobs import events, struck, until
from tests.faults.proxy import COMMIT, Fate, standing_before
from tests.stack import Stack, kill

POINTS = ("after_claim", "before_copy", "after_copy", "after_fence", "after_commit", "before_finish")


@pytest.fixture
async def family(stack: Stack, client: ApiClient, tmp_path: Path) -> Family:
    """A family whose records are all outstanding."""
    return await rejected_family(stack, client, tmp_path)


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_in_a_retry_loses_and_doubles_nothing(
    family: Family, point: str, chance: random.Random
) -> None:
    """The next one surveys the file again, and goes on with the record that is the same one as before."""
    bad = chance.sample(range(RECORDS), 40)
    named = chance.random() < 0.5
    origins = chance.sample(range(RECORDS), RECORDS) if named else range(RECORDS)
    retry = await family.retry(origins, named=named, bad=bad)

    visit = chance.randint(1, 7) if point in POINTS[1:5] else 1
    family.stack.start_worker(faults=f"{point}=kill9@{visit}")
    await struck(family.stack)
    family.stack.start_worker()
    await family.whole(retry)

    assert sorted(set(range(RECORDS)) - set(bad)) == await family.loaded()
    assert {"INVALID_EMAIL": sorted(bad)} == await family.rejected(retry)
    assert 2 >= (await family.row(retry))["attempt"]


async def test_a_reader_killed_at_every_batch_of_a_retry_is_started_again_and_again(
    family: Family, chance: random.Random
) -> None:
    """Each one surveys the file, hands over one batch and dies of the next: still one attempt."""
    retry = await family.retry(chance.sample(range(RECORDS), RECORDS), named=True)

    family.stack.start_worker(faults="reader_batch=kill9@2")
    await family.whole(retry)

    assert list(range(RECORDS)) == await family.loaded()
    assert 1 == (await family.row(retry))["attempt"]
    assert RECORDS // 500 - 1 == len(events(family.stack, "reader crashed"))


async def test_two_workers_with_overlapping_retries_load_each_record_once(
    family: Family, chance: random.Random
) -> None:
    """At the same time, in orders of their own; one of the workers is killed holding claims that the other waits for."""
    some = chance.sample(range(RECORDS), 3_000)
    first = await family.retry(chance.sample(range(RECORDS), RECORDS), named=True)

    before = len(events(family.stack, "job claimed"))

    async def has_claimed() -> bool:
        return len(events(family.stack, "job claimed")) > before

    point = chance.choice(["after_copy", "after_fence", "after_commit"])
    doomed = family.stack.start_worker(faults=f"{point}=stop@{chance.randint(1, 4)}")
    await until(has_claimed)  # or else the other might be quicker and take both
    second = await family.retry(some, named=True)
    family.stack.start_worker()
    await struck(family.stack)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(kill, doomed)
    family.stack.start_worker()
    await family.whole(first, second)

    assert list(range(RECORDS)) == await family.loaded()
    await _assert_each_is_loaded_or_lost(family, {first: list(range(RECORDS)), second: sorted(some)})


async def test_a_frozen_worker_of_a_cancelled_retry_keeps_no_other_from_its_records(
    family: Family, client: ApiClient
) -> None:
    """It sleeps with claims that nobody will ever commit: PostgreSQL ends its session, and another retry loads them."""
    first = await family.retry(range(RECORDS), named=False)
    sleeper = family.stack.start_worker(
        faults="after_copy=stop@1", database_url=family.stack.services.database_url
    )
    await struck(family.stack)
    await family.stack.query(
        "UPDATE job SET status = 'CANCELLED', lease_until = NULL, finished_at = clock_timestamp() WHERE id = $1",
        first,
    )
    second = await family.retry(range(RECORDS), named=False)
    family.stack.start_worker()
    await family.whole(second, seconds=100)

    assert list(range(RECORDS)) == await family.loaded()
    assert sleeper.poll() is None


async def test_a_commit_of_a_retry_whose_answer_is_lost_counts_once(
    family: Family, chance: random.Random
) -> None:
    """Two retries of the same records behind a link that loses every third COMMIT, or its answer."""
    retries = [
        await family.retry(chance.sample(range(RECORDS), RECORDS), named=True, bad=range(0, RECORDS, 40))
        for _ in range(2)
    ]
    struck_by: list[Fate] = []

    def judge(piece: bytes) -> Fate:
        if not piece.endswith(COMMIT) or chance.random() > 0.3:
            return Fate.PASS
        struck_by.append(chance.choice([Fate.LOSE, Fate.CUT, Fate.LOSE_ANSWER]))
        return struck_by[-1]

    url = family.stack.services.database_url
    async with standing_before(url) as proxy:
        proxy.to_server.judge = judge
        for _ in range(2):
            family.stack.start_worker(database_url=proxy.url(url))
        await family.whole(*retries)

    assert struck_by
    bad = set(range(0, RECORDS, 40))
    assert sorted(set(range(RECORDS)) - bad) == await family.loaded()
    for retry in retries:
        assert sorted(bad) == (await family.rejected(retry))["INVALID_EMAIL"]
    await _assert_each_is_loaded_or_lost(family, dict.fromkeys(retries, sorted(set(range(RECORDS)) - bad)))


async def test_a_cancelled_retry_leaves_the_rest_outstanding(family: Family) -> None:
    """P4 for claims: what was loaded is counted, and nothing is added to it afterwards."""
    retry = await family.retry(range(RECORDS), named=False)
    family.stack.start_worker(faults="after_commit=pause:1@3")
    await struck(family.stack)
    await family.stack.query(
        "UPDATE job SET status = 'CANCELLED', lease_until = NULL, finished_at = clock_timestamp() WHERE id = $1",
        retry,
    )
    following = await family.retry(range(1_500, RECORDS), named=False)
    await family.whole(following)
    await until(lambda: _has_left(family.stack))

    assert 1_500 == (await family.row(retry))["records_accepted"]
    assert list(range(RECORDS)) == await family.loaded()


async def _assert_each_is_loaded_or_lost(family: Family, tried: dict[UUID, list[int]]) -> None:
    """Of each retry: what it has not loaded itself, another had."""
    for retry, origins in tried.items():
        rows = await family.stack.query("SELECT origin_index FROM record WHERE job_id = $1", retry)
        lost = (await family.rejected(retry)).get("ALREADY_ACCEPTED", [])
        assert origins == sorted([*(row["origin_index"] for row in rows), *lost])


async def _has_left(stack: Stack) -> bool:
    return bool(events(stack, "job left: cancelled, or another worker's by now"))
