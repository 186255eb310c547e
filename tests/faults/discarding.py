"""A job of a fault test that is undone: loaded, asked to be discarded, followed to the end."""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg

from sluice.client import ApiClient
from sluice.errors import Unreachable
from tests.check import assert_as_in_file
from tests.faults.jobs import RECORDS, Case, submitted
from tests.stack import Stack, interrupt

DISCARD = """
mutation Discard($input: DiscardRecordsInput!) {
  discardRecords(input: $input) { job { discard { status } } userErrors { code message field } }
}
"""
PROGRESS = """
subscription Discarding($jobId: ID!) {
  discardProgress(jobId: $jobId) { status percent recordsTotal recordsDiscarded startedAt finishedAt }
}
"""
_STEPS = ["PENDING", "PROCESSING", "COMPLETED"]


@dataclass(frozen=True)
class Discarding:
    """A finished job whose records are deleted."""

    case: Case

    async def row(self) -> asyncpg.Record:
        """The discard as the database has it now."""
        [row] = await self.case.stack.query("SELECT * FROM discard WHERE job_id = $1", self.case.uuid)
        return row

    async def count(self) -> int:
        """How many records are left."""
        [row] = await self.case.stack.query(
            "SELECT count(*) AS n FROM record WHERE job_id = $1", self.case.uuid
        )
        return int(row["n"])

    async def is_left_to_another(self) -> bool:
        """Whether a worker has noticed that it is not its discard any more."""
        return '"discard left: another worker\'s by now"' in self.case.stack.log

    async def whole(self, seconds: float = 60.0) -> list[dict[str, Any]]:
        """The events to its end; then nothing is left but the errors and the counters, exactly as before."""
        async with asyncio.timeout(seconds):
            while not (events := await self._events()):
                await asyncio.sleep(0.2)
        assert "COMPLETED" == events[-1]["status"]
        assert events[-1]["recordsTotal"] == events[-1]["recordsDiscarded"]
        assert 0 == await self.count()
        assert (await self.row())["finished_at"] is not None
        await assert_as_in_file(self.case.stack, self.case.uuid, self.case.path)
        return events

    async def _events(self) -> list[dict[str, Any]]:
        """None of them goes back, and the last alone is final."""
        try:
            events = [
                event["discardProgress"]
                async for event in self.case.client.subscribe(PROGRESS, {"jobId": self.case.job_id})
            ]
        except Unreachable:
            return []
        for before, after in pairwise(events):
            assert "COMPLETED" != before["status"], events
            assert _STEPS.index(before["status"]) <= _STEPS.index(after["status"]), events
            assert int(before["recordsDiscarded"]) <= int(after["recordsDiscarded"]), events
        return events


async def loaded(stack: Stack, client: ApiClient, folder: Path, records: int = RECORDS) -> Case:
    """A job whose records are there, and no worker any more."""
    worker = stack.start_worker()
    case = await submitted(stack, client, folder, records)
    await case.whole()
    await asyncio.to_thread(interrupt, worker)
    return case


async def discarded(case: Case) -> Discarding:
    """It is asked for."""
    payload = (await case.client.execute(DISCARD, {"input": {"jobId": case.job_id}}))["discardRecords"]
    assert [] == payload["userErrors"]
    assert payload["job"]["discard"]["status"] in (
        "PENDING",
        "PROCESSING",
    )  # a worker may have been looking just then
    return Discarding(case)
