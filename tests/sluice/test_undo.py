"""`sluice submit --dry-run` and `--on-failure`, `commit` and `discard` against a real server."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from tests import samples
from tests.sluice.test_fix import submitted
from tests.sluice.typed import Typed, on_terminal

RECORDS = 200


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A file of which four records are bad."""
    return samples.write(tmp_path / "orders.csv", RECORDS)


async def test_a_dry_run_is_committed(typed: Typed, orders: Path, tmp_path: Path) -> None:
    """It loads nothing, and says how to go on; its errors can be saved; the commit loads, once."""
    done = await typed.run("submit", str(orders), "--schema", typed.schema_id, "--dry-run", "--watch")
    dry_run = done.stdout.strip()
    between = await typed.run("job", dry_run)
    saved = await typed.run("errors", dry_run, "--download", str(tmp_path / "to-fix"))
    no_retry = await typed.run("retry", dry_run)
    committed = await typed.run("commit", dry_run, "--watch", "--json")
    again = await typed.run("commit", dry_run)
    shown = await typed.run("job", dry_run)

    for said in (done.stderr, between.stdout):
        assert "  a dry run: nothing of it is loaded\n" in said
        assert f"sluice commit {dry_run} --watch\n" in said
        assert "sluice retry" not in said
    assert f"  sluice commit {dry_run} --watch\n" in saved.stdout
    assert "sluice retry" not in saved.stdout
    assert (1, True) == (no_retry.returncode, "INVALID_STATE" in no_retry.stderr)
    job = json.loads(committed.stdout)
    assert ("COMPLETED", dry_run, False) == (job["status"], job["dryRunJob"]["id"], job["dryRun"])
    assert (0, job["id"]) == (again.returncode, again.stdout.strip())
    assert f"  a dry run, committed by {job['id']}\n" in shown.stdout
    assert "sluice commit" not in shown.stdout
    shown = await typed.run("job", job["id"])
    assert f"  a commit of the dry run {dry_run}\n" in shown.stdout
    no_dry_run = await typed.run("commit", job["id"])
    assert (1, True) == (no_dry_run.returncode, "INVALID_STATE" in no_dry_run.stderr)


async def test_on_failure_says_what_becomes_of_records(waiting: Typed, orders: Path) -> None:
    """Kept unless it is said otherwise."""
    submit = ("submit", str(orders), "--schema", waiting.schema_id)
    said = [await waiting.run(*submit, *more) for more in ([], ["--on-failure", "discard"])]
    jobs = [await waiting.job(done.stdout.strip()) for done in said]

    assert ["KEEP", "DISCARD"] == [job["onFailure"] for job in jobs]


async def test_a_discard_wants_yes_where_nobody_can_be_asked(typed: Typed, orders: Path) -> None:
    """Then all of them go; `job` shows so, and a second one is refused."""
    job_id = await submitted(typed, orders)

    unasked = await typed.run("discard", job_id)
    between = (await typed.job(job_id))["discard"]
    done = await typed.run("discard", job_id, "--yes")
    shown = await typed.run("job", job_id)
    again = await typed.run("discard", job_id, "--yes")

    assert (1, "") == (unasked.returncode, unasked.stdout)
    assert unasked.stderr.startswith("sluice: nobody is here to be asked: give --yes")
    assert between is None
    assert (0, "discarded; 196 records are deleted, the errors stay\n") == (done.returncode, done.stdout)
    assert "100.0 %  196 of 196 records deleted" in done.stderr
    assert "  discard: completed, 196 of 196 records deleted\n" in shown.stdout
    assert (1, True) == (again.returncode, again.stderr.startswith("sluice: INVALID_STATE: "))


async def test_a_discard_as_json(typed: Typed, orders: Path) -> None:
    """One object on stdout, when all is done."""
    job_id = await submitted(typed, orders)

    done = await typed.run("discard", job_id, "--yes", "--json")

    discard = json.loads(done.stdout)
    assert (0, job_id, "COMPLETED") == (done.returncode, discard["jobId"], discard["status"])
    assert ("196", "196") == (discard["recordsDiscarded"], discard["recordsTotal"])
    assert discard["requestedAt"] <= discard["startedAt"] <= discard["finishedAt"]


@pytest.mark.parametrize("answer", ["y", "n", "", "ctrl-c"])
async def test_a_discard_asks_on_a_terminal(typed: Typed, orders: Path, answer: str) -> None:
    """How many records of which file; anything but yes is no, and Ctrl-C ends it at once."""
    job_id = await submitted(typed, orders)
    at = on_terminal(typed, "discard", job_id)
    asked = await asyncio.to_thread(at.read, "[y/N]")
    if answer == "ctrl-c":
        at.process.send_signal(signal.SIGINT)
    else:
        os.write(at.controller, f"{answer}\n".encode())
    shown = await asyncio.to_thread(at.read)
    code = await asyncio.to_thread(at.process.wait, 10)

    assert "Delete the 196 records that this job has loaded of orders.csv?" in asked
    assert "Traceback" not in shown
    assert {"y": 0, "n": 1, "": 1, "ctrl-c": 130}[answer] == code
    discard = (await typed.job(job_id))["discard"]
    assert ("COMPLETED" if answer == "y" else None) == (discard and discard["status"])


async def test_ctrl_c_ends_the_watching_and_not_the_discard(waiting: Typed, orders: Path) -> None:
    """No worker is there, so it waits; a line says how to see how far it is."""
    worker = waiting.stack.start_worker()
    job_id = await submitted(waiting, orders)
    worker.kill()
    worker.wait()
    watched = waiting.start("discard", job_id, "--yes")
    assert watched.stderr
    while "0 of 196" not in await asyncio.to_thread(watched.stderr.readline):
        pass

    watched.send_signal(signal.SIGINT)
    _, shown = await asyncio.to_thread(watched.communicate, timeout=20)

    assert 130 == watched.returncode
    said, _, again = shown.strip().partition("sluice ")
    assert "The discard goes on. To see how far it is: " == said
    done = await waiting.run(*again.split())
    assert "  discard: pending, 0 of 196 records deleted\n" in done.stdout
