"""Workers that die or freeze at the named points of a batch: it is there as a whole, or not at all."""

import asyncio
import random
import signal
import time
from pathlib import Path
from uuid import UUID

import pytest

from sluice.client import ApiClient
from tests.faults.jobs import Case, events, struck, submitted, until
from tests.stack import CANCEL, Stack, create_schema, kill

MANY = ("after_claim", "before_copy", "after_copy", "after_fence", "after_commit")
"""Points that a worker comes to with every batch, except the first."""
POINTS = (*MANY, "before_finish", "after_finish")


def _visit(point: str, chance: random.Random) -> int:
    return chance.randint(1, 15) if point in MANY[1:] else 1


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_any_point_loses_and_doubles_nothing(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str, chance: random.Random
) -> None:
    """kill -9 from inside, at a random batch; the next worker goes on from what is committed."""
    case = await submitted(stack, client, tmp_path)

    stack.start_worker(faults=f"{point}=kill9@{_visit(point, chance)}")
    await struck(stack)
    stack.start_worker()
    job = await case.whole()

    assert "10000" == job["progress"]["recordsRead"]
    assert (await case.row())["attempt"] <= 2


@pytest.mark.parametrize("point", ["before_copy", "after_copy", "after_fence"])
async def test_a_frozen_worker_is_overtaken_and_fenced(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str, chance: random.Random
) -> None:
    """SIGSTOP inside a transaction, even one that holds the job's row: another goes on, and the sleeper writes nothing."""
    case = await submitted(stack, client, tmp_path)
    sleeper = stack.start_worker(faults=f"{point}=stop@{_visit(point, chance)}")
    await struck(stack)

    stack.start_worker()
    await case.whole()
    sleeper.send_signal(signal.SIGCONT)
    await until(lambda: _has_left(stack))

    assert 2 == (await case.row())["attempt"]
    await case.whole()
    assert sleeper.poll() is None


async def test_a_sleeper_that_wakes_before_its_heir_has_begun_writes_nothing(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Its checkpoint is still the right one, and its token is not: the batch that it has ready is not committed."""
    case = await submitted(stack, client, tmp_path)
    # Between two transactions: a session that slept inside of one would be ended by the database.
    sleeper = stack.start_worker(faults=f"after_commit=stop@{chance.randint(1, 15)}")
    await struck(stack)
    heir = stack.start_worker(faults="after_claim=stop")
    await struck(stack, 2)
    reached = await case.index()

    async def has_decided() -> bool:
        return await _has_left(stack) or reached != await case.index()

    sleeper.send_signal(signal.SIGCONT)
    await until(has_decided)

    assert reached == await case.index()
    assert await _has_left(stack)
    heir.send_signal(signal.SIGCONT)
    await case.whole()
    assert 2 == (await case.row())["attempt"]


async def _has_left(stack: Stack) -> bool:
    return bool(events(stack, "job left: cancelled, or another worker's by now"))


async def test_a_file_that_kills_every_worker_fails_after_three(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """WORKER_CRASHED with the record range, after exactly three kills without a batch in between; the queue goes on."""
    batches = chance.randint(1, 6)
    case = await submitted(stack, client, tmp_path)
    stack.start_worker(faults=f"before_copy=kill9@{batches + 1}")
    await struck(stack, 1)
    for crash in (2, 3):
        stack.start_worker(faults="before_copy=kill9")
        await struck(stack, crash)
    stack.start_worker()
    job = await case.whole("FAILED")
    following = await submitted(stack, client, tmp_path, 100)

    await following.whole()
    assert 3 == len(events(stack, "fault strikes"))
    assert "WORKER_CRASHED" == job["failure"]["code"]
    assert str(batches * 500) == job["failure"]["recordIndex"]
    assert f"records {batches * 500} to {batches * 500 + 499}" in job["failure"]["message"]


async def test_kills_that_let_a_batch_through_never_fail_a_job(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Six workers die one after the other, each having loaded one batch."""
    case = await submitted(stack, client, tmp_path)

    for deaths in range(1, 7):
        stack.start_worker(faults="before_copy=kill9@2")
        await struck(stack, deaths)
    stack.start_worker()
    await case.whole()

    assert [500 * n for n in range(7)] == [event["index"] for event in events(stack, "job claimed")]


async def test_a_reader_killed_at_every_batch_is_started_again_and_again(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Each reader hands over one batch and dies of the next: under one attempt, the worker gets to the end."""
    case = await submitted(stack, client, tmp_path, 5_000)

    worker = stack.start_worker(faults="reader_batch=kill9@2")
    await case.whole()

    assert 1 == (await case.row())["attempt"]
    assert 9 == len(events(stack, "reader crashed"))
    assert worker.poll() is None


async def test_a_job_longer_than_many_leases_runs_once(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """A frozen reader makes it long; the heartbeat keeps the lease, and a second worker takes nothing."""
    case = await submitted(stack, client, tmp_path)
    for _ in range(2):
        stack.start_worker(faults="reader_batch=pause:7@3")

    await case.whole()

    assert 1 == (await case.row())["attempt"]
    assert 1 == len(events(stack, "job claimed"))


@pytest.mark.parametrize(
    "point", ["before_copy", "after_copy", "after_fence", "after_commit", "before_finish"]
)
async def test_after_the_answer_of_cancel_job_no_batch_commits(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str, chance: random.Random
) -> None:
    """Wherever the worker stands: what is decided at the answer is all that ever will be."""
    case = await submitted(stack, client, tmp_path)
    worker = stack.start_worker(faults=f"{point}=pause:0.5@{_visit(point, chance)}")
    await struck(stack)

    answer = (await client.execute(CANCEL, {"input": {"jobId": case.job_id}}))["cancelJob"]
    at_answer = await case.row()
    await asyncio.sleep(1.5)

    assert "CANCELLED" == answer["job"]["status"]
    assert at_answer == await case.row()
    await case.whole("CANCELLED")
    assert worker.poll() is None


async def test_a_cancel_that_races_with_the_end_leaves_one_final_state(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """A hundred small jobs or more, each cancelled at about the time that it takes: the answer is its state for good."""
    stack.start_worker()
    warm = await submitted(stack, client, tmp_path, 3)
    await warm.whole()
    began = time.monotonic()
    case = await submitted(stack, client, tmp_path, 3)
    await until(lambda: _is_final(case))
    takes = time.monotonic() - began
    answers: dict[UUID, str] = {}
    while len(answers) < 100 or (len(set(answers.values())) < 2 and len(answers) < 500):
        case = await submitted(stack, client, tmp_path, 3)
        await asyncio.sleep(chance.uniform(0.0, 1.5 * takes))
        answer = (await client.execute(CANCEL, {"input": {"jobId": case.job_id}}))["cancelJob"]
        answers[case.uuid] = answer["job"]["status"]

    rows = await stack.query("SELECT id, status, next_index FROM job WHERE id = ANY($1)", list(answers))
    assert answers == {row["id"]: row["status"] for row in rows}
    assert {3} == {row["next_index"] for row in rows if row["status"] == "COMPLETED"}
    assert {"CANCELLED", "COMPLETED"} == set(answers.values())


async def _is_final(case: Case) -> bool:
    return (await case.row())["finished_at"] is not None


async def test_workers_with_other_settings_go_on_with_a_job(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """Another batch size, another version of the schema's name: the job keeps its schema and its place."""
    case = await submitted(stack, client, tmp_path)
    stack.start_worker(faults=f"after_commit=kill9@{chance.randint(1, 9)}")
    await struck(stack)

    await create_schema(client, fields=[{"name": "other", "type": "STRING"}])
    stack.start_worker(batch_records="77")
    await case.whole()


@pytest.mark.parametrize("how", ["flipped", "cut", "grown", "removed"])
async def test_a_file_that_changes_between_two_attempts_is_not_mixed(
    stack: Stack, client: ApiClient, tmp_path: Path, how: str
) -> None:
    """One bit is enough: the job fails with FILE_CHANGED or FILE_MISSING, and holds only what the old file said."""
    case = await submitted(stack, client, tmp_path)
    worker = stack.start_worker(faults="after_commit=stop@5")
    await struck(stack)
    await asyncio.to_thread(kill, worker)

    _damage(stack.folder / "files" / (await case.row())["storage_key"], how)
    stack.start_worker()
    job = await case.whole("FAILED")

    assert ("FILE_MISSING" if how == "removed" else "FILE_CHANGED") == job["failure"]["code"]
    assert 2_500 == (await case.row())["next_index"]


def _damage(stored: Path, how: str) -> None:
    content = bytearray(stored.read_bytes())
    match how:
        case "flipped":
            content[len(content) // 2] ^= 1
            stored.write_bytes(content)
        case "cut":
            stored.write_bytes(content[:-1])
        case "grown":
            stored.write_bytes(content + b"1")
        case _:
            stored.unlink()
