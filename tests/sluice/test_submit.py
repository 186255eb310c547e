"""`sluice submit` and the watching of jobs: what is printed where, what the exit code says, and what survives."""

import asyncio
import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from sluice import operations, report
from sluice.bar import bar
from sluice.client import ApiClient
from sluice.errors import Unreachable
from sluice.watch import watch
from tests import samples
from tests.faults.proxy import standing_before
from tests.sluice.processes import eventually
from tests.sluice.typed import Typed, on_terminal

RECORDS = 200
"""Four of them are bad: two errors each."""


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A file that the schema takes."""
    return samples.write(tmp_path / "orders.csv", RECORDS)


def watching(typed: Typed, file: Path, *more: str) -> list[str]:
    """The arguments of `submit --watch`."""
    return ["submit", str(file), "--schema", typed.schema_id, "--watch", *more]


async def test_submit_prints_the_id_and_nothing_else(typed: Typed, orders: Path) -> None:
    """A script takes it from stdout."""
    plain = await typed.run("submit", str(orders), "--schema", typed.schema_id)
    as_json = await typed.run("submit", str(orders), "--schema", typed.schema_id, "--json")

    assert (0, 0, "", "") == (plain.returncode, as_json.returncode, plain.stderr, as_json.stderr)
    assert 1 == plain.stdout.count("\n")
    assert ["id"] == list(json.loads(as_json.stdout))
    for job_id in (plain.stdout.strip(), json.loads(as_json.stdout)["id"]):
        assert job_id == (await typed.job(job_id))["id"]


async def test_a_refusal_names_the_option_that_mends_it(typed: Typed, tmp_path: Path) -> None:
    """The API speaks of headers and inputs, which nobody has typed."""
    path = tmp_path / "orders.dat"
    path.write_text("id\n1\n")

    key = await typed.run("submit", str(path), "--schema", typed.schema_id, "--key", "slc_0_0")
    unknown = await typed.run("submit", str(path), "--schema", typed.schema_id)

    assert (1, 1) == (key.returncode, unknown.returncode)
    assert key.stderr.endswith("The command takes it from --key or SLUICE_API_KEY.\n")
    assert unknown.stderr.endswith("The command takes it from --format.\n")


async def test_watch_tells_how_far_it_is_and_what_became_of_it(typed: Typed, orders: Path) -> None:
    """Piped: a line for each state, then counts, errors by field and code, the first errors; stdout has the id alone."""
    done = await typed.run(*watching(typed, orders))

    assert 0 == done.returncode
    assert "COMPLETED" == (await typed.job(done.stdout.strip()))["status"]
    lines = done.stderr.splitlines()
    assert lines[0].startswith("orders.csv  sent ")
    assert any(line.startswith("orders.csv  100.0 %  completed, 200 records, 4 rejected") for line in lines)
    assert "orders.csv  COMPLETED  196 accepted, 4 rejected" in lines
    assert ["currency", "NOT_IN_ENUM", "4"] in [line.split() for line in lines]
    assert ["email", "INVALID_EMAIL", "4"] in [line.split() for line in lines]
    assert 5 == sum("'nobody'" in line or "'DM'" in line for line in lines)


async def test_watch_with_json_prints_the_finished_job(typed: Typed, orders: Path) -> None:
    """One object on stdout, as the API names it; the id is told on stderr before."""
    done = await typed.run(*watching(typed, orders, "--json"))

    job = json.loads(done.stdout)
    assert 0 == done.returncode
    assert ("COMPLETED", "orders.csv", "CSV") == (job["status"], job["filename"], job["format"])
    assert ("196", "4") == (job["progress"]["recordsAccepted"], job["progress"]["recordsRejected"])
    assert {"field": "email", "code": "INVALID_EMAIL", "count": "4"} in job["errorSummary"]
    assert f"job {job['id']}" in done.stderr.splitlines()
    assert "errors by field" not in done.stderr


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["table", "json"])
async def test_a_failed_job_exits_1(typed: Typed, tmp_path: Path, more: list[str]) -> None:
    """And says why."""
    empty = tmp_path / "empty.csv"
    empty.touch()

    done = await typed.run(*watching(typed, empty, *more))

    assert 1 == done.returncode
    assert "FILE_EMPTY" in (done.stdout if more else done.stderr)
    assert 1 == done.stdout.count("\n")


async def test_a_cancelled_job_exits_1(waiting: Typed, orders: Path) -> None:
    """Whoever watches it learns so at once."""
    watched = waiting.start(*watching(waiting, orders))
    assert watched.stdout
    job_id = (await asyncio.to_thread(watched.stdout.readline)).strip()

    cancelled = await waiting.run("cancel", job_id)
    _, shown = await asyncio.to_thread(watched.communicate, timeout=20)

    assert (0, 1) == (cancelled.returncode, watched.returncode)
    assert "CANCELLED  0 accepted, 0 rejected" in shown


async def test_ctrl_c_ends_the_watching_and_not_the_job(waiting: Typed, orders: Path) -> None:
    """130, and the line that it says can be typed."""
    watched = waiting.start(*watching(waiting, orders))
    assert watched.stdout
    job_id = (await asyncio.to_thread(watched.stdout.readline)).strip()
    assert watched.stderr
    while "pending" not in await asyncio.to_thread(watched.stderr.readline):
        pass

    watched.send_signal(signal.SIGINT)
    _, shown = await asyncio.to_thread(watched.communicate, timeout=20)

    assert 130 == watched.returncode
    [line] = shown.splitlines()
    said, _, again = line.partition("sluice ")
    assert "The job goes on. To watch it again: " == said
    assert "PENDING" == (await waiting.job(job_id))["status"]

    waiting.stack.start_worker()
    done = await waiting.run(*again.split())
    assert 0 == done.returncode
    assert "orders.csv  COMPLETED  196 accepted, 4 rejected" in done.stdout


async def test_a_connection_that_drops_is_made_anew(waiting: Typed, orders: Path) -> None:
    """Cut, and gone for a second, while the job is watched: told once, and the end arrives."""
    async with standing_before(waiting.url) as proxy:
        waiting.url = proxy.url(waiting.url)
        watched = waiting.start(*watching(waiting, orders))
        assert watched.stderr
        while "pending" not in await asyncio.to_thread(watched.stderr.readline):
            pass

        await proxy.go_down()
        assert "connection lost, trying again" in await asyncio.to_thread(watched.stderr.readline)
        await asyncio.sleep(1.2)
        await proxy.go_up()
        waiting.stack.start_worker()
        _, shown = await asyncio.to_thread(watched.communicate, timeout=30)

    assert 0 == watched.returncode, shown
    assert "connection lost" not in shown
    assert "COMPLETED  196 accepted, 4 rejected" in shown


async def test_a_server_that_stays_away_is_told(
    waiting: Typed, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the end, and with what to type when it is back."""
    monkeypatch.setattr(operations, "_PATIENCE_SECONDS", 1.0)
    job_id = await waiting.submit(orders)
    console = report.console(stderr=True)

    async with (
        standing_before(waiting.url) as proxy,
        ApiClient(proxy.url(waiting.url), waiting.key) as client,
    ):
        with bar(console, "orders.csv") as shown:
            watched = asyncio.create_task(watch(console, client, job_id, shown))
            await asyncio.to_thread(eventually, lambda: proxy.accepted)
            await proxy.go_down()
            with pytest.raises(Unreachable) as refused:
                await watched

    [told, again] = str(refused.value).splitlines()
    assert told.startswith(f"no WebSocket to ws{client.url.removeprefix('http')} ")
    assert f"The job goes on. To watch it again: sluice job {job_id} --watch --url {client.url}" == again


async def test_a_terminal_shows_a_bar_with_rate_and_time_left(typed: Typed, tmp_path: Path) -> None:
    """And the id goes where stdout goes, which is no terminal here: `JOB=$(sluice submit … --watch)`."""
    big = samples.write(tmp_path / "[red]orders.csv", 80_000)
    async with standing_before(typed.url) as proxy:
        proxy.to_server.bytes_per_second = 4_000_000
        typed.url = proxy.url(typed.url)
        at = on_terminal(typed, *watching(typed, big), stdout=subprocess.PIPE)
        shown = await asyncio.to_thread(at.read)
    typed.url = typed.stack.url
    assert at.process.stdout
    with at.process.stdout as output:
        job_id = output.read().decode().strip()

    assert 0 == at.process.wait(10)
    assert "COMPLETED" == (await typed.job(job_id))["status"]
    bars = [line for line in shown.replace("\r", "\n").splitlines() if "━" in line]
    assert bars
    assert all("[red]orders.csv" in bar for bar in bars)
    assert "MB/s" in shown
    assert " records/s, 0:0" in shown
    assert " left" in shown
    assert "78,400 accepted, 1,600 rejected" in shown


@pytest.mark.parametrize("columns", [60, 80, 160])
async def test_a_bar_stays_one_whole_line(typed: Typed, tmp_path: Path, columns: int) -> None:
    """The name and the counts give way to the bar, its rate and the time left."""
    big = samples.write(tmp_path / "a-file-whose-name-is-rather-long.csv", 20_000)
    at = on_terminal(typed, *watching(typed, big), columns=columns)

    shown = await asyncio.to_thread(at.read)

    assert 0 == at.process.wait(10)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "\n").splitlines()
    bars = [line for line in lines if "records/s" in line]
    assert bars
    assert all(re.search(r" [━╸╺]{12} +\d+% [\d,]+ records/s(, \d:\d\d left)?", bar) for bar in bars), bars
    assert all(len(line) <= columns for line in bars)


async def test_ctrl_c_on_a_terminal_says_how_to_go_on(waiting: Typed, orders: Path) -> None:
    """Beside the bar, and no traceback."""
    at = on_terminal(waiting, *watching(waiting, orders))
    await asyncio.to_thread(at.read, "pending")
    at.process.send_signal(signal.SIGINT)

    shown = await asyncio.to_thread(at.read)

    assert 130 == at.process.wait(10)
    assert "To watch it again: sluice job " in shown
    assert "Traceback" not in shown


async def test_ctrl_c_while_sending_ends_at_once(waiting: Typed, tmp_path: Path) -> None:
    """However much is still to be sent; there is no job, and no part of a file."""
    big = samples.write(tmp_path / "orders.csv", 100_000)
    async with standing_before(waiting.url) as proxy:
        proxy.to_server.bytes_per_second = 200_000
        waiting.url = proxy.url(waiting.url)
        sending = waiting.start(*watching(waiting, big))
        store = waiting.stack.folder / "files"
        await asyncio.to_thread(eventually, lambda: list(store.glob("*.part")))
        began = time.monotonic()
        sending.send_signal(signal.SIGINT)
        said, shown = await asyncio.to_thread(sending.communicate, timeout=30)

    assert (130, "", "") == (sending.returncode, said, shown)
    assert time.monotonic() - began < 5
    waiting.url = waiting.stack.url
    assert "There are no such jobs.\n" == (await waiting.run("jobs")).stdout
    await asyncio.to_thread(eventually, lambda: not list(store.glob("*.part")))
