"""onFailure: DISCARD, whenever the end comes: of a job that is FAILED or CANCELLED nothing that it loaded is left."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from sluice.client import ApiClient
from tests import samples
from tests.faults.discarding import Discarding
from tests.faults.jobs import Case, events, struck, submitted, until
from tests.stack import CANCEL, Stack, create_schema, kill, submit


async def _cancel(case: Case) -> dict[str, Any]:
    payload = (await case.client.execute(CANCEL, {"input": {"jobId": case.job_id}}))["cancelJob"]
    assert [] == payload["userErrors"]
    job: dict[str, Any] = payload["job"]
    return job


@pytest.mark.parametrize("point", ["before_copy", "after_copy", "after_fence", "after_commit"])
async def test_a_cancelled_job_is_undone_wherever_its_worker_stands(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str, chance: random.Random
) -> None:
    """A batch that is under way either commits before the cancel, and is deleted, or not at all."""
    case = await submitted(stack, client, tmp_path, onFailure="DISCARD")
    stack.start_worker(faults=f"{point}=pause:0.5@{chance.randint(3, 15)}")
    await struck(stack)

    assert "CANCELLED" == (await _cancel(case))["status"]
    decided = await case.index()
    await Discarding(case).whole()

    assert decided == await case.index() > 0
    await case.whole("CANCELLED")


async def test_many_jobs_that_are_cancelled_while_batches_commit_are_undone(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """At random moments, with two workers: none keeps a record, and each that was COMPLETED before keeps all."""
    for _ in range(2):
        stack.start_worker()
    cases = []
    for _ in range(12):
        case = await submitted(stack, client, tmp_path, 5_000, onFailure="DISCARD")
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        await client.execute(CANCEL, {"input": {"jobId": case.job_id}})
        cases.append(case)

    ended = {(await case.row())["status"] for case in cases}
    for case in cases:
        if (await case.row())["status"] == "CANCELLED":
            await Discarding(case).whole()
    assert "CANCELLED" in ended


async def test_a_job_that_nobody_had_begun_is_undone_at_once(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """There is nothing to delete, and that is told, too."""
    case = await submitted(stack, client, tmp_path, 100, onFailure="DISCARD")
    await _cancel(case)
    stack.start_worker()

    [*_, last] = await Discarding(case).whole()

    assert (100.0, "0", "0") == (last["percent"], last["recordsTotal"], last["recordsDiscarded"])


async def test_a_file_that_is_damaged_at_its_end_leaves_nothing(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """FAILED with TRUNCATED: the errors and the counts of what was read stay, the records do not."""
    stack.extension = ".json"
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "orders.json", 10_000)
    cut = tmp_path / "cut.json"
    cut.write_bytes(path.read_bytes()[:-200])
    case = Case(stack, client, await submit(client, schema_id, cut, onFailure="DISCARD"), path)
    stack.start_worker()

    await until(lambda: _is_final(case))
    await Discarding(case).whole()
    job = await case.whole("FAILED")

    assert "TRUNCATED" == job["failure"]["code"]
    assert ("0", "200") == (job["records"]["totalCount"], job["progress"]["recordsRejected"])
    assert int(job["progress"]["recordsAccepted"]) > 9_000


async def _is_final(case: Case) -> bool:
    return (await case.row())["finished_at"] is not None


async def test_a_file_that_kills_its_workers_leaves_nothing(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """FAILED by us is as FAILED by the file; and the worker that deletes may die as well."""
    case = await submitted(stack, client, tmp_path, onFailure="DISCARD")
    stack.start_worker(faults="before_copy=kill9@9")
    await struck(stack)
    for deaths in (2, 3):
        stack.start_worker(faults="before_copy=kill9")
        await struck(stack, deaths)
    doomed = stack.start_worker(faults="discard_deleted=kill9@4")
    await struck(stack, 4)
    await asyncio.to_thread(kill, doomed)
    stack.start_worker()

    await Discarding(case).whole()
    job = await case.whole("FAILED")

    assert "WORKER_CRASHED" == job["failure"]["code"]
    assert 4_000 == await case.index()
    assert 2 == len(events(stack, "discard claimed"))


@pytest.mark.parametrize("how", ["default", "KEEP"])
async def test_what_was_loaded_stays_unless_it_was_said_otherwise(
    stack: Stack, client: ApiClient, tmp_path: Path, how: str
) -> None:
    """Cancelled in the middle: its records are there."""
    more: dict[str, Any] = {} if how == "default" else {"onFailure": how}
    case = await submitted(stack, client, tmp_path, **more)
    stack.start_worker(faults="after_commit=pause:0.5@5")
    await struck(stack)

    await _cancel(case)
    await asyncio.sleep(2.5)  # longer than a sweep takes to come
    job = await case.whole("CANCELLED")

    assert int(job["records"]["totalCount"]) >= 2_000
    assert [] == await stack.query("SELECT * FROM discard")
