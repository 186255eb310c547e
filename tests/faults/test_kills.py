"""kill -9 again and again at random moments over one job: it ends whole, and never begins anew."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from sluice.endpoints import Services
from tests import samples
from tests.faults.jobs import Case, events, submitted
from tests.stack import kill, running

KILLS = int(os.environ.get("SLUICE_FAULT_KILLS", "8"))
RECORDS_FOR_A_KILL = 3_000
BATCH = 200
"""Fifteen batches for each kill: enough that the job is still under way when the last one strikes."""


@pytest.mark.timeout(900)
async def test_a_job_survives_a_kill_at_every_turn(
    services: Services, tmp_path: Path, chance: random.Random
) -> None:
    """As soon as a few batches are in, the worker that holds the job is killed, and another started.

    No record is lost or doubled, each claim begins where the last commit ended, and no number of crashes fails a job
    that moves on.
    """
    async with (
        running(services, tmp_path, workers=0, batch_records=str(BATCH), lease_seconds="1") as stack,
        await stack.partner() as client,
    ):
        stack.extension = chance.choice(samples.EXTENSIONS)
        case = await submitted(stack, client, tmp_path, KILLS * RECORDS_FOR_A_KILL)
        committed = [0]
        holder = stack.start_worker()
        for _ in range(KILLS):
            await case.beyond(committed[-1] + BATCH * chance.randint(0, 3))
            heir = stack.start_worker()
            await asyncio.sleep(chance.uniform(0.0, 0.02))
            await asyncio.to_thread(kill, holder)
            holder = heir
            committed.append(await _settled(case))
        await case.whole(seconds=300)

    claimed = [event["index"] for event in events(stack, "job claimed")]
    assert committed == claimed[: len(committed)]
    assert committed == sorted(set(committed))
    assert KILLS + 1 == len(claimed) == (await _attempts(case))


async def _settled(case: Case) -> int:
    """How far the job is once a COMMIT that was under way at the kill has arrived, or is gone with its session."""
    while await case.stack.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'sluice %'"
        " AND state <> 'idle'"
    ):
        await asyncio.sleep(0.01)
    return await case.index()


async def _attempts(case: Case) -> int:
    return int((await case.row())["attempt"])
