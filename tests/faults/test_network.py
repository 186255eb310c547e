"""The link between a worker and PostgreSQL: answers that are lost, partitions longer than the lease, cuts anywhere."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from sluice.client import ApiClient
from tests import samples
from tests.faults.jobs import Case, events, submitted, until
from tests.faults.proxy import COMMIT, Fate, Proxy, standing_before
from tests.stack import Stack, create_schema, finished, kill, submit

RECORDS = 15_000
LEASE_SECONDS = 2.0


async def _assert_attempt(case: Case, attempt: int) -> None:
    await case.whole()
    assert attempt == (await case.row())["attempt"]


async def test_a_commit_whose_answer_is_lost_is_neither_believed_nor_doubted(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Every third COMMIT is lost, or takes effect and nobody is told: the row is asked, and each batch counts once."""
    struck: list[Fate] = []

    def judge(piece: bytes) -> Fate:
        if not piece.endswith(COMMIT) or chance.random() > 0.3:
            return Fate.PASS
        struck.append(chance.choice([Fate.LOSE, Fate.CUT, Fate.LOSE_ANSWER]))
        return struck[-1]

    async with standing_before(stack.services.database_url) as proxy:
        proxy.to_server.judge = judge
        stack.start_worker(database_url=proxy.url(stack.services.database_url))
        await _assert_attempt(await submitted(stack, client, tmp_path, 2 * RECORDS), 1)

    assert {Fate.LOSE, Fate.CUT, Fate.LOSE_ANSWER} == set(struck)
    assert len(struck) == len(events(stack, "batch not loaded, trying again"))


async def test_a_link_cut_anywhere_costs_no_record(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Every connection breaks after so many bytes, in the middle of whatever it carries then; at times all are refused."""
    async with standing_before(stack.services.database_url) as proxy:
        stack.start_worker(database_url=proxy.url(stack.services.database_url))
        case = await submitted(stack, client, tmp_path, RECORDS)
        await case.beyond(0)  # a claim whose answer is lost costs a lease, and an attempt
        for _ in range(10):
            proxy.to_server.cut_after = chance.randrange(60_000, 400_000)
            proxy.to_client.cut_after = chance.randrange(3_000, 12_000)
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            proxy.reset()
        await proxy.go_down()
        await asyncio.sleep(1.5 * LEASE_SECONDS)
        proxy.to_server.cut_after = proxy.to_client.cut_after = float("inf")
        await proxy.go_up()
        await _assert_attempt(case, 1)


@pytest.mark.parametrize(
    "silence",
    [
        pytest.param(Proxy.silence, id="both_ways"),
        pytest.param(lambda proxy: proxy.to_client.silence(), id="from_the_server"),
    ],
)
async def test_a_worker_behind_a_partition_is_replaced_and_writes_nothing_when_it_heals(
    stack: Stack, client: ApiClient, tmp_path: Path, silence: Callable[[Proxy], None]
) -> None:
    """Silent for longer than its lease; what it had sent arrives while its successor works. Then it is of use again."""
    url = stack.services.database_url
    async with standing_before(url) as link, standing_before(url) as slow:
        lost = stack.start_worker(database_url=link.url(url))
        case = await submitted(stack, client, tmp_path, RECORDS)
        await case.beyond(0)
        silence(link)
        await asyncio.sleep(0.2)  # a COMMIT that was under way may still arrive
        reached = await case.index()
        assert reached < RECORDS
        slow.to_server.latency = 0.01
        successor = stack.start_worker(database_url=slow.url(url))
        await case.beyond(reached)
        link.heal()
        await until(lambda: _has_left(stack))
        slow.to_server.latency = 0.0
        await _assert_attempt(case, 2)

        kill(successor)
        following = await _another(client, tmp_path)
        assert "COMPLETED" == (await finished(client, following))["status"]
    assert lost.poll() is None


async def _has_left(stack: Stack) -> bool:
    return bool(events(stack, "job left: cancelled, or another worker's by now"))


async def _another(client: ApiClient, folder: Path) -> str:
    schema_id = await create_schema(client, fields=samples.FIELDS)
    return await submit(client, schema_id, samples.write(folder / "next.csv", 10))


async def test_a_partition_with_nobody_else_there_is_waited_out(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Longer than the lease, and no other worker: the same attempt goes on, and no crash is counted."""
    async with standing_before(stack.services.database_url) as proxy:
        stack.start_worker(database_url=proxy.url(stack.services.database_url))
        case = await submitted(stack, client, tmp_path, RECORDS)
        await case.beyond(0)
        proxy.silence()
        following = await _another(
            client, tmp_path
        )  # wakes the express lane: its claim waits in the partition, too
        await asyncio.sleep(2 * LEASE_SECONDS)
        proxy.heal()
        await _assert_attempt(case, 1)
        assert 0 == (await case.row())["crashes"]
        assert "COMPLETED" == (await finished(client, following))["status"]
