"""`sluice jobs`, `job`, `errors` and `cancel` against a real server, piped and on a terminal."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from sluice import operations
from sluice.client import ApiClient
from tests import samples
from tests.sluice.typed import Typed, on_terminal

ALL_BAD = 1_200
"""Records with two errors each: more than two pages of errors."""
NOWHERE = "Sm9iOjAxOWFiY2RlLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMA=="


@pytest.fixture
async def finished(typed: Typed, tmp_path: Path) -> str:
    """The id of a job of 60 records, two of which are bad."""
    orders = samples.write(tmp_path / "orders.csv", 100)
    done = await typed.run("submit", str(orders), "--schema", typed.schema_id, "--watch")
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


@pytest.fixture
async def all_bad(typed: Typed, tmp_path: Path) -> str:
    """The id of a job that accepted nothing."""
    path = tmp_path / "bad.csv"
    values = ["nobody" if index < ALL_BAD / 2 else "nobody-with-a-longer-name" for index in range(ALL_BAD)]
    rows = "".join(f"{index},{value},1,DM,NA\n" for index, value in enumerate(values))
    path.write_text(f"id,email,amount,currency,day\n{rows}")
    done = await typed.run("submit", str(path), "--schema", typed.schema_id, "--watch")
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


async def test_jobs_are_listed_newest_first(waiting: Typed, tmp_path: Path) -> None:
    """With whole ids, for the next command, however narrow the terminal is."""
    files = [samples.write(tmp_path / f"{name}.csv", 20) for name in ("first", "second", "third")]
    ids = [await waiting.submit(file) for file in files]

    listed = await waiting.run("jobs")
    two = await waiting.run("jobs", "--first", "2", "--json")
    many = await waiting.run("jobs", "--first", "250")  # more than the API's limit for a page
    at = on_terminal(waiting, "jobs", columns=60)
    shown = await asyncio.to_thread(at.read)

    header, *lines = listed.stdout.splitlines()
    assert ["job", "status", "accepted", "rejected", "submitted", "(UTC)", "file"] == header.split()
    assert [[job_id, "PENDING"] for job_id in reversed(ids)] == [line.split()[:2] for line in lines]
    assert ["third.csv", "second.csv", "first.csv"] == [line.split()[-1] for line in lines]
    assert listed.stdout == many.stdout
    assert ids[:0:-1] == [json.loads(line)["id"] for line in two.stdout.splitlines()]
    assert all(job_id in shown for job_id in ids)
    assert (0, 0, 0) == (listed.returncode, two.returncode, at.process.wait(10))


async def test_jobs_of_one_status(typed: Typed, finished: str) -> None:
    """In any case; where there are none, it says so, and JSON says nothing."""
    completed = await typed.run("jobs", "--status", "completed")
    failed = await typed.run("jobs", "--status", "FAILED")
    as_json = await typed.run("jobs", "--status", "FAILED", "--json")

    assert finished in completed.stdout
    assert (0, "There are no such jobs.\n") == (failed.returncode, failed.stdout)
    assert (0, "") == (as_json.returncode, as_json.stdout)


async def test_jobs_are_fetched_page_by_page(
    waiting: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as were asked for, or as there are."""
    monkeypatch.setattr(operations, "_JOBS_A_PAGE", 2)
    file = samples.write(tmp_path / "orders.csv", 20)
    ids = [await waiting.submit(file) for _ in range(5)]

    async with ApiClient(waiting.url, waiting.key) as client:
        for first, expected in ((3, 3), (4, 4), (5, 5), (50, 5)):
            found = await operations.jobs(client, first)
            assert ids[::-1][:expected] == [job["id"] for job in found]


async def test_job_shows_how_it_stands(typed: Typed, finished: str) -> None:
    """The summary on stdout, exit code 0, watched or not."""
    shown = await typed.run("job", finished)
    watched = await typed.run("job", finished, "--watch")
    job = await typed.job(finished)

    assert (0, 0) == (shown.returncode, watched.returncode)
    assert shown.stdout == watched.stdout
    assert "orders.csv  COMPLETED  98 accepted, 2 rejected\n" in shown.stdout
    assert ["email", "INVALID_EMAIL", "2"] in [line.split() for line in shown.stdout.splitlines()]
    assert "" == shown.stderr
    assert "100.0 %" in watched.stderr
    assert "98" == job["progress"]["recordsAccepted"]


async def test_a_failed_job_is_shown_with_0_and_watched_with_1(typed: Typed, tmp_path: Path) -> None:
    """Only who waits for the end takes its end for his own."""
    empty = tmp_path / "empty.csv"
    empty.touch()
    job_id = await typed.submit(empty)

    watched = await typed.run("job", job_id, "--watch")
    shown = await typed.run("job", job_id)

    assert (1, 0) == (watched.returncode, shown.returncode)
    assert "FAILED" in shown.stdout
    assert "  FILE_EMPTY, line 1: The file is empty.\n" in shown.stdout


async def test_all_errors_come_page_by_page(typed: Typed, all_bad: str) -> None:
    """Each once, in the file's order: as objects, and as a table with one header."""
    as_json = await typed.run("errors", all_bad, "--json")
    table = await typed.run("errors", all_bad)

    errors = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [(str(index), field) for index in range(ALL_BAD) for field in ("email", "currency")] == [
        (error["recordIndex"], error["field"]) for error in errors
    ]
    assert {"recordIndex", "line", "byteOffset", "field", "code", "message", "rawValue"} == set(errors[0])
    header, *lines = table.stdout.splitlines()
    assert ["line", "field", "code", "value", "what", "is", "wrong"] == header.split()
    assert 2 * ALL_BAD == len([line for line in lines if "'nobody" in line or "'DM'" in line])
    assert {header.index("what is wrong")} == {
        line.index("Expected ") for line in lines if "Expected " in line
    }
    assert (0, 0) == (as_json.returncode, table.returncode)


async def test_errors_of_one_field_and_code(typed: Typed, all_bad: str, finished: str) -> None:
    """Both filters of the API; where nothing is left, it says so."""
    field = await typed.run("errors", all_bad, "--field", "email", "--json")
    code = await typed.run("errors", all_bad, "--code", "not_in_enum", "--json")
    neither = await typed.run("errors", finished, "--field", "email", "--code", "NOT_IN_ENUM")
    unknown = await typed.run("errors", finished, "--code", "NO_SUCH_CODE")

    assert {"email"} == {json.loads(line)["field"] for line in field.stdout.splitlines()}
    assert {"NOT_IN_ENUM"} == {json.loads(line)["code"] for line in code.stdout.splitlines()}
    assert (0, "There are no such errors.\n") == (neither.returncode, neither.stdout)
    assert (1, "") == (unknown.returncode, unknown.stdout)
    assert "NO_SUCH_CODE" in unknown.stderr


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["table", "json"])
async def test_a_reader_that_has_seen_enough_is_no_traceback(
    typed: Typed, all_bad: str, more: list[str]
) -> None:
    """`sluice errors JOB | head -1`."""
    with typed.start("errors", all_bad, *more) as reading:
        assert reading.stdout
        assert reading.stderr
        await asyncio.to_thread(reading.stdout.readline)
        reading.stdout.close()
        said = await asyncio.to_thread(reading.stderr.read)

    assert (1, "") == (reading.returncode, said)


async def test_errors_on_a_terminal_fit_it(typed: Typed, finished: str) -> None:
    """No line is longer than the terminal is wide."""
    at = on_terminal(typed, "errors", finished, columns=72)

    shown = await asyncio.to_thread(at.read)

    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert "INVALID_EMAIL" in plain
    assert max(map(len, plain.splitlines())) <= 72
    assert 0 == at.process.wait(10)


async def test_cancel_stops_a_job_once(waiting: Typed, tmp_path: Path) -> None:
    """The second time there is nothing left to stop."""
    job_id = await waiting.submit(samples.write(tmp_path / "orders.csv", 20))
    another = await waiting.submit(tmp_path / "orders.csv")

    cancelled = await waiting.run("cancel", job_id)
    again = await waiting.run("cancel", job_id)
    as_json = await waiting.run("cancel", another, "--json")

    assert (0, "cancelled; 0 records were loaded before, and stay\n") == (
        cancelled.returncode,
        cancelled.stdout,
    )
    assert (1, "") == (again.returncode, again.stdout)
    assert again.stderr.startswith("sluice: INVALID_STATE: This job is finished (CANCELLED)")
    assert (another, "CANCELLED") == (json.loads(as_json.stdout)["id"], json.loads(as_json.stdout)["status"])


@pytest.mark.parametrize("command", ["job", "job --watch", "job --json", "errors", "errors --json", "cancel"])
@pytest.mark.parametrize("job_id", [NOWHERE, "nonsense"])
async def test_a_job_that_is_not_there_is_one_plain_line(typed: Typed, command: str, job_id: str) -> None:
    """Somebody else's looks the same."""
    name, *options = command.split()

    refused = await typed.run(name, job_id, *options)

    assert (1, "") == (refused.returncode, refused.stdout)
    assert refused.stderr.startswith("sluice: NOT_FOUND: ")
    assert 1 == refused.stderr.count("\n")


@pytest.mark.parametrize(
    "mistyped",
    ["jobs --first 0", "jobs --first many", "jobs --status DONE", "job", "errors", "cancel", "submit x"],
)
async def test_a_mistyped_client_command_exits_2(typed: Typed, mistyped: str) -> None:
    """Before anybody is asked."""
    done = await typed.run(*mistyped.split())

    assert (2, "") == (done.returncode, done.stdout)
    assert "usage: sluice " in done.stderr
