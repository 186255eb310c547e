"""A big discard is nobody's burden: its transactions are short, and what is loaded meanwhile goes on as ever."""

import asyncio
import time
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.faults.discarding import Discarding, discarded
from tests.faults.jobs import Case, submitted
from tests.stack import running

RECORDS = 300_000
CHUNK_SECONDS = 1.0
"""No transaction of a discard lasts longer, on a machine with other things to do."""
SMALL_SECONDS = 5.0


@pytest.mark.timeout(240)
async def test_a_discard_of_300_000_records_keeps_nobody_waiting(services: Services, tmp_path: Path) -> None:
    """One worker: a big file is loaded at the same time, and small ones one after the other; no lease is lost."""
    async with (
        running(services, tmp_path, workers=1) as stack,
        await stack.partner() as client,
    ):
        stack.extension = ".csv"
        case = await submitted(stack, client, tmp_path, RECORDS)
        await case.whole()
        (tmp_path / "big").mkdir()
        big = await submitted(stack, client, tmp_path / "big", RECORDS // 2)
        await big.beyond(0)

        discarding = await discarded(case)
        watching = asyncio.create_task(_longest_transaction(discarding))
        following = asyncio.create_task(discarding.whole())
        took = await _small_ones(client, discarding)
        events = await following
        await big.whole()

        chunks = await stack.query("SELECT DISTINCT next_index FROM discard_history WHERE next_index > 0")
        assert len(chunks) >= 0.98 * RECORDS / 5_000
        assert len({event["recordsDiscarded"] for event in events}) >= 4, events
        assert took
        assert max(took) < SMALL_SECONDS, took
        assert 0 < await watching < CHUNK_SECONDS
        assert (1, 1) == ((await discarding.row())["attempt"], (await big.row())["attempt"])


async def _is_over(discarding: Discarding) -> bool:
    return (await discarding.row())["finished_at"] is not None


async def _small_ones(client: ApiClient, discarding: Discarding) -> list[float]:
    """Seconds from submission to the end of each."""
    took: list[float] = []
    folder = discarding.case.path.parent / "small"
    folder.mkdir()
    while not await _is_over(discarding):
        began = time.monotonic()
        case: Case = await submitted(discarding.case.stack, client, folder, 100)
        await case.whole()
        took.append(time.monotonic() - began)
    return took


async def _longest_transaction(discarding: Discarding) -> float:
    """In seconds, as far as anybody sees who looks every few milliseconds."""
    longest = 0.0
    while not await _is_over(discarding):
        [row] = await discarding.case.stack.query(
            "SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::float8 AS age FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'sluice discard %'"
        )
        longest = max(longest, row["age"] or 0.0)
        await asyncio.sleep(0.01)
    return longest
