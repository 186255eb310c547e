"""`sluice errors --download`, `retry`, `submit --dry-run`, `commit` and `discard` against a real server."""

import asyncio
import json
import os
from pathlib import Path

from tests import samples
from tests.sluice.typed import Typed, on_terminal


async def _with_mistakes(typed: Typed, folder: Path, *more: str) -> str:
    """The id of a finished job of 100 records, ten of which are bad."""
    return await _submitted(typed, samples.write(folder / "orders.csv", 100), *more)


async def _submitted(typed: Typed, file: Path, *more: str) -> str:
    done = await typed.run("submit", str(file), "--schema", typed.schema_id, "--watch", *more)
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def _fix(file: Path) -> Path:
    text = file.read_text().replace("nobody", "somebody@example.com").replace(",DM,", ",EUR,")
    fixed = file.with_name("fixed.csv")
    fixed.write_text(text)
    return fixed


async def test_download_fix_and_retry_as_the_messages_say(typed: Typed, tmp_path: Path) -> None:
    """Each command says what to type next; in the end nothing is outstanding."""
    orders = samples.write(tmp_path / "orders.csv", 100)
    done = await typed.run("submit", str(orders), "--schema", typed.schema_id, "--watch")
    job_id = done.stdout.strip()
    saved = await typed.run("errors", job_id, "--download", str(tmp_path / "fix"))
    [rejected] = (tmp_path / "fix").glob("*rejected.csv")
    retried = await typed.run("retry", job_id, str(_fix(rejected)), "--watch")

    assert f"sluice errors {job_id} --download" in done.stderr
    assert f"sluice retry {job_id} FILE --watch" in done.stderr
    assert f"sluice retry {job_id} {rejected} --watch" in saved.stdout
    assert {"orders.rejected.csv", "orders.errors.csv", "fixed.csv"} == {
        path.name for path in (tmp_path / "fix").iterdir()
    }
    assert (0, True) == (retried.returncode, f"a retry of {job_id}" in retried.stderr), retried.stderr
    assert "outstanding" not in retried.stderr
    assert "0" == (await typed.job(job_id))["outstanding"]
    again = await typed.run("retry", job_id)
    assert (1, True) == (again.returncode, "INVALID_STATE: Nothing is outstanding" in again.stderr)


async def test_a_download_leaves_what_is_there_alone(typed: Typed, tmp_path: Path) -> None:
    """It may be corrected already. A job without errors has nothing to save; filters are no help here."""
    job_id = await _with_mistakes(typed, tmp_path)
    (tmp_path / "orders.rejected.csv").write_text("corrected")

    refused = await typed.run("errors", job_id, "--download", str(tmp_path))
    filtered = await typed.run("errors", job_id, "--download", str(tmp_path), "--field", "email")
    clean = tmp_path / "clean.csv"
    clean.write_text("id,email,amount,currency,day\n")
    nothing = await typed.run("errors", await _submitted(typed, clean), "--download", str(tmp_path), "--json")

    assert (1, True) == (refused.returncode, "is there already: move it away" in refused.stderr)
    assert "corrected" == (tmp_path / "orders.rejected.csv").read_text()
    assert [] == [*tmp_path.glob("*.part")]
    assert (1, True) == (filtered.returncode, "leave out --field and --code" in filtered.stderr)
    assert {"rejectedFile": None, "errorReport": None} == json.loads(nothing.stdout)


async def test_a_dry_run_is_committed(typed: Typed, tmp_path: Path) -> None:
    """It loads nothing, and says how to go on; the commit loads."""
    orders = samples.write(tmp_path / "orders.csv", 100)
    done = await typed.run("submit", str(orders), "--schema", typed.schema_id, "--dry-run", "--watch")
    dry_run = done.stdout.strip()

    committed = await typed.run("commit", dry_run, "--watch", "--json")
    shown = await typed.run("job", dry_run)

    assert f"sluice commit {dry_run} --watch" in done.stderr
    job = json.loads(committed.stdout)
    assert ("COMPLETED", dry_run, False) == (job["status"], job["dryRunJob"]["id"], job["dryRun"])
    assert f"a dry run, committed by {job['id']}" in shown.stdout
    loaded = "SELECT count(*) FROM record JOIN job ON job.id = record.job_id WHERE job.dry_run"
    assert 0 == (await typed.stack.query(loaded))[0]["count"]


async def test_a_discard_asks_first(typed: Typed, tmp_path: Path) -> None:
    """Piped it wants --yes; on a terminal an answer; and `job` shows what became of it."""
    job_id = await _with_mistakes(typed, tmp_path)
    accepted = int((await typed.job(job_id))["progress"]["recordsAccepted"])

    unasked = await typed.run("discard", job_id)
    between = (await typed.job(job_id))["discard"]
    done = await typed.run("discard", job_id, "--yes")
    shown = await typed.run("job", job_id)

    assert (1, True) == (unasked.returncode, "give --yes" in unasked.stderr)
    assert between is None
    assert (0, f"discarded; {accepted} records are deleted\n") == (done.returncode, done.stdout)
    assert f"discard: completed, {accepted} of {accepted} records deleted" in shown.stdout


async def test_who_does_not_agree_keeps_the_records(typed: Typed, tmp_path: Path) -> None:
    """Anything but yes is no."""
    job_id = await _with_mistakes(typed, tmp_path)
    at = on_terminal(typed, "discard", job_id)
    await asyncio.to_thread(at.read, "[y/N]")
    os.write(at.controller, b"n\n")
    await asyncio.to_thread(at.read)

    assert 1 == at.process.wait(10)
    assert (await typed.job(job_id))["discard"] is None
