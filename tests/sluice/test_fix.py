"""`sluice errors --download` and `sluice retry` against a real server: rejected records come back, and go in again."""

import asyncio
import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from sluice import operations
from sluice.client import ApiClient
from sluice.downloads import save
from sluice.errors import ApiError
from tests import samples
from tests.sluice.processes import ROOT
from tests.sluice.typed import SECONDS, Typed

RECORDS = 200
BAD = 4


async def submitted(typed: Typed, file: Path, *more: str) -> str:
    """The id of a job that has completed."""
    done = await typed.run("submit", str(file), "--schema", typed.schema_id, "--watch", *more)
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


@pytest.fixture
async def finished(typed: Typed, tmp_path: Path) -> str:
    """The id of a job that has rejected some records."""
    return await submitted(typed, samples.write(tmp_path / "orders.csv", RECORDS))


def corrected(file: Path) -> Path:
    """The file without its faults, beside it."""
    text = file.read_text().replace("nobody", "somebody@example.com").replace(",DM,", ",EUR,")
    fixed = file.with_name("fixed.csv")
    fixed.write_text(text)
    return fixed


async def test_download_fix_and_retry_as_the_messages_say(typed: Typed, tmp_path: Path) -> None:
    """Each command says what to type next; in the end nothing is outstanding."""
    orders = samples.write(tmp_path / "my orders.csv", RECORDS)
    done = await typed.run("submit", str(orders), "--schema", typed.schema_id, "--watch")
    job_id = done.stdout.strip()
    before = await typed.run("job", job_id)
    folder = tmp_path / "to fix"
    saved = await typed.run("errors", job_id, "--download", str(folder))
    rejected = folder / "my orders.rejected.csv"
    retried = await typed.run("retry", job_id, str(corrected(rejected)), "--watch")
    after = await typed.run("job", job_id)
    nothing_left = await typed.run("errors", job_id, "--download", str(tmp_path / "later"), "--json")

    for said in (done.stderr, before.stdout):
        assert "  outstanding: 4 of the rejected records are not loaded by now\n" in said
        assert f"To fix them: sluice errors {job_id} --download\n" in said
        assert f"sluice retry {job_id} FILE --watch\n" in said
    assert f"  sluice retry {job_id} {shlex.quote(str(rejected))} --watch\n" in saved.stdout
    lines = orders.read_text().splitlines()
    assert [lines[0], *(lines[i + 1] for i in range(RECORDS) if samples.is_bad(i))] == (
        rejected.read_text().splitlines()
    )
    assert 1 + 2 * BAD == len((folder / "my orders.errors.csv").read_text().splitlines())
    assert (0, True) == (retried.returncode, f"  a retry of {job_id}\n" in retried.stderr), retried.stderr
    assert "outstanding" not in retried.stderr + after.stdout
    assert "0" == (await typed.job(job_id))["outstanding"]
    later = json.loads(nothing_left.stdout)
    assert (None, str(tmp_path / "later" / "my orders.errors.csv")) == (
        later["rejectedFile"], later["errorReport"],
    )  # fmt: skip
    again = await typed.run("retry", job_id)
    assert (1, "") == (again.returncode, again.stdout)
    assert again.stderr.startswith("sluice: INVALID_STATE: ")


async def test_a_retry_is_made_once_for_a_key(typed: Typed, finished: str, tmp_path: Path) -> None:
    """Without a file it is the records as they were sent, which are rejected again; the key of another file conflicts."""
    key = ("--idempotency-key", "monday")
    first = await typed.run("retry", finished, *key, "--watch", "--json")
    second = await typed.run("retry", finished, *key, "--json")
    other = await typed.run("retry", finished, str(samples.write(tmp_path / "other.csv", 4)), *key)

    job = json.loads(first.stdout)
    assert (0, 0) == (first.returncode, second.returncode)
    assert ("COMPLETED", finished) == (job["status"], job["parent"]["id"])
    assert (str(BAD), "orders.rejected.csv") == (job["progress"]["recordsRejected"], job["filename"])
    assert {"id": job["id"]} == json.loads(second.stdout)
    assert (1, "") == (other.returncode, other.stdout)
    assert "IDEMPOTENCY_CONFLICT" in other.stderr


async def test_a_retry_under_another_version_in_another_format(
    typed: Typed, finished: str, tmp_path: Path
) -> None:
    """--schema and --format reach the API: the new version takes what the first did not."""
    loose = [
        {**field, "type": "STRING"} for field in samples.FIELDS if field["name"] in ("email", "currency")
    ]
    loose = [{"name": field["name"], "type": "STRING"} for field in loose]
    definition = {"name": (await typed.job(finished))["recordSchema"]["name"], "fields": loose}
    file = tmp_path / "looser.json"
    file.write_text(json.dumps(definition))
    schema = (await typed.run("schema", "create", str(file))).stdout.strip()
    lines = tmp_path / "fixed.txt"
    lines.write_text('{"email": "nobody", "currency": "DM"}\n' * BAD)

    done = await typed.run(
        "retry", finished, str(lines), "--schema", schema, "--format", "ndjson", "--watch", "--json"
    )

    job = json.loads(done.stdout)
    assert ("COMPLETED", "NDJSON", schema) == (job["status"], job["format"], job["recordSchema"]["id"])
    assert str(BAD) == job["progress"]["recordsAccepted"]


@pytest.mark.parametrize("there", ["orders.rejected.csv", "orders.errors.csv"])
async def test_a_download_leaves_what_is_there_alone(
    typed: Typed, finished: str, tmp_path: Path, there: str
) -> None:
    """It may be corrected already; and then the other file is not saved, either."""
    folder = tmp_path / "to-fix"
    folder.mkdir()
    (folder / there).write_text("corrected")

    refused = await typed.run("errors", finished, "--download", str(folder))

    assert (1, "") == (refused.returncode, refused.stdout)
    assert (
        f"sluice: {folder / there} is there already: move it away, or name another folder\n" == refused.stderr
    )
    assert {there: "corrected"} == {path.name: path.read_text() for path in folder.iterdir()}


async def test_what_cannot_be_downloaded_is_told(typed: Typed, waiting: Typed, tmp_path: Path) -> None:
    """Filters, a job that goes on, a folder that is a file, a job without errors."""
    orders = samples.write(tmp_path / "orders.csv", 10)
    clean = await submitted(typed, orders)
    pending = await waiting.submit(orders)

    filtered = await typed.run("errors", clean, "--download", str(tmp_path), "--field", "email")
    unfinished = await waiting.run("errors", pending, "--download", str(tmp_path))
    nothing = await typed.run("errors", clean, "--download", str(tmp_path))
    as_json = await typed.run("errors", clean, "--download", str(tmp_path), "--json")
    bad = await submitted(typed, samples.write(tmp_path / "bad.csv", 20))
    no_folder = await typed.run("errors", bad, "--download", str(orders))

    assert [1, 1, 1] == [filtered.returncode, unfinished.returncode, no_folder.returncode]
    assert "leave out --field and --code" in filtered.stderr
    assert "the job is still PENDING" in unfinished.stderr
    assert f"sluice: {orders} is " in no_folder.stderr
    assert (0, "This job has rejected nothing: there is nothing to save.\n") == (
        nothing.returncode, nothing.stdout,
    )  # fmt: skip
    assert {"rejectedFile": None, "errorReport": None} == json.loads(as_json.stdout)
    assert ["bad.csv", "orders.csv"] == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../up.csv", "up.csv"),
        ("/etc/up.csv", "up.csv"),
        (r"..\up.csv", "up.csv"),
        ("..", "_.."),
        ("a/", "_"),
    ],
)
async def test_no_name_leads_out_of_the_folder(
    typed: Typed, finished: str, tmp_path: Path, given: str, name: str
) -> None:
    """Whatever a server calls the file."""
    folder = tmp_path / "deep" / "deeper"
    async with ApiClient(typed.url, typed.key) as client:
        job = await operations.downloads(client, finished)
        job["rejectedFile"]["filename"] = given
        saved = await save(client, job, folder)

    assert folder / name == saved.rejected
    assert sorted([name, "orders.errors.csv"]) == sorted(os.listdir(folder))


async def test_a_link_that_does_not_hold_any_more_leaves_no_file(
    typed: Typed, finished: str, tmp_path: Path
) -> None:
    """The server says why; what was begun is taken away again."""
    fixed = tmp_path / "fixed.csv"
    bad = [samples.row(index) | {"email": "a@example.com", "currency": "EUR"} for index in range(BAD)]
    samples.write_rows(fixed, bad)
    async with ApiClient(typed.url, typed.key) as client:
        job = await operations.downloads(client, finished)
        assert finished == (await typed.job(await submitted_retry(typed, finished, fixed)))["parent"]["id"]
        with pytest.raises(ApiError, match="Retries have loaded some of these records"):
            await save(client, job, tmp_path / "to-fix")

    assert [] == os.listdir(tmp_path / "to-fix")


async def test_a_disk_that_is_full_is_told(typed: Typed, finished: str, tmp_path: Path) -> None:
    """In one line, and nothing half-written is left. Here no file may grow."""
    download = shlex.join(typed.command("errors", finished, "--download", str(tmp_path / "to-fix")))
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", f"ulimit -f 0; exec {download}"],
        cwd=ROOT, env=typed.environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"sluice: cannot write {tmp_path / 'to-fix'}")
    assert 1 == done.stderr.count("\n")
    assert [] == os.listdir(tmp_path / "to-fix")


async def submitted_retry(typed: Typed, job_id: str, file: Path) -> str:
    """The id of a retry that has completed."""
    done = await typed.run("retry", job_id, str(file), "--watch")
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()
