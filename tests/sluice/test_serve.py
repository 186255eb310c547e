"""`sluice serve` as an operator sees it: everything up, everything kept up, everything down in order."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from graph.dashboard_page import is_built
from tests.sluice.processes import ROOT, Serve, environment, eventually, is_alive, serve, sluice

NAMES = ["api", "postgres", "redis", "serve", "worker-1", "worker-2"]
IN_ORDER = ["api", "worker-1", "worker-2", "redis", "postgres", "serve"]
"""As they are stopped; the workers together."""
SCHEMA = {
    "name": "people",
    "fields": [{"name": "name", "type": "STRING"}, {"name": "age", "type": "INTEGER"}],
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """One serve for the tests of this module that leave it running."""
    folder = tmp_path_factory.mktemp("serve")
    up = serve(folder / "data", folder / "log")
    yield up
    up.process.terminate()
    up.process.wait(30)


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Serve]:
    """A serve that the test may end."""
    up = serve(tmp_path / "data", tmp_path / "log")
    yield up
    up.process.kill()
    up.process.wait()


def test_healthy_serve_has_written_who_runs(served: Serve) -> None:
    """A pid file for each process, and each is alive."""
    pids = served.pids()

    assert NAMES == sorted(pids)
    assert served.process.pid == pids["serve"]
    assert all(map(is_alive, pids.values()))
    assert ["SLUICE_DATABASE_URL", "SLUICE_REDIS_URL"] == [
        line.split("=")[0] for line in (served.data_dir / "run/env").read_text().splitlines()
    ]


def test_the_greeting_names_the_page_where_there_is_one(served: Serve) -> None:
    """And how to get a key for it; a page that has not been built is not promised."""
    log = served.data_dir.parent / "log"
    eventually(lambda: "Ctrl-C stops it." in log.read_text())
    said, address = log.read_text(), f"http://127.0.0.1:{served.port}"

    assert is_built() == (f"  In a browser {address}/  (sign in with a key)\n" in said)
    assert re.search(r"^  A key +\S.* partner create NAME$", said, re.MULTILINE)
    assert f"  API          {address}/graphql" in said


def test_each_child_has_a_session_of_its_own(served: Serve) -> None:
    """Ctrl-C in the terminal reaches serve alone, which then ends them in order."""
    children = [pid for name, pid in served.pids().items() if name != "serve"]

    assert children == [os.getsid(pid) for pid in children]


@pytest.mark.parametrize("name", ["worker-1", "redis", "api", "postgres"])
def test_killed_process_is_back_within_a_second(served: Serve, name: str) -> None:
    """With a new pid in its file, and Sluice is healthy again."""
    first = served.pid(name)
    assert first
    os.kill(first, signal.SIGKILL)

    # The second of the promise, and slack for a machine that runs a test suite.
    eventually(lambda: served.pid(name) not in (first, None), seconds=2.0)
    eventually(served.is_healthy, seconds=30.0)


def test_second_serve_on_the_same_folder_is_refused(served: Serve) -> None:
    """It says who is there, and what to do."""
    second = sluice(served.data_dir, "serve", SLUICE_PORT="0")

    assert 1 == second.returncode
    assert f"another Sluice (process {served.process.pid}) is running on" in second.stderr
    assert served.is_healthy()


def test_file_goes_the_whole_way_from_the_command_line(served: Serve, tmp_path: Path) -> None:
    """partner create, schema create, submit --watch: each prints what the next one needs."""
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "people.csv").write_text("name,age\nAda,36\nBob,old\n")

    key = served.run("partner", "create", "Acme")
    schema = served.run("schema", "create", str(tmp_path / "schema.json"), SLUICE_API_KEY=key.stdout.strip())
    job = served.run(
        "submit", str(tmp_path / "people.csv"), "--schema", schema.stdout.strip(), "--watch",
        "--key", key.stdout.strip(),
    )  # fmt: skip

    assert [0, 0, 0] == [key.returncode, schema.returncode, job.returncode], job.stderr
    assert key.stdout.startswith("slc_")
    assert 1 == key.stdout.count("\n")
    assert "1 accepted, 1 rejected" in job.stderr
    assert "INVALID_INTEGER" in job.stderr
    assert "'old'" in job.stderr


def test_submit_of_a_job_that_fails_is_not_0(served: Serve, tmp_path: Path) -> None:
    """A script may rely on the exit code."""
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "empty.csv").touch()
    key = served.run("partner", "create", "Acme").stdout.strip()
    schema = served.run("schema", "create", str(tmp_path / "schema.json"), "--key", key).stdout.strip()

    job = served.run("submit", str(tmp_path / "empty.csv"), "--schema", schema, "--watch", "--key", key)

    assert 1 == job.returncode
    assert "FILE_EMPTY" in job.stderr


def test_wrong_key_is_one_plain_line(served: Serve, tmp_path: Path) -> None:
    """No traceback, whatever the API answers."""
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))

    refused = served.run("schema", "create", str(tmp_path / "schema.json"), "--key", "slc_0_0")

    assert 1 == refused.returncode
    assert refused.stderr.startswith("sluice: UNAUTHENTICATED")
    assert 1 == refused.stderr.count("\n")


def test_migrate_finds_the_running_database(served: Serve) -> None:
    """And has nothing to do, since serve has migrated it."""
    again = served.run("migrate")

    assert (0, "nothing to do: the database is up to date\n") == (again.returncode, again.stdout)


def test_worker_attaches_to_a_running_serve(served: Serve, tmp_path: Path) -> None:
    """One more worker by hand: it finds the servers, works under the pid it was started with, and ends with 0."""
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "sluice", "worker"],
            cwd=ROOT,
            env=environment(served.data_dir),
            stderr=output,
        ) as worker,
    ):
        try:
            eventually(lambda: "worker ready" in log.read_text(), seconds=20.0)
            worker.terminate()
            assert 0 == worker.wait(10)
        finally:
            worker.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_stop_ends_all_in_order_and_exits_0(another: Serve, number: signal.Signals) -> None:
    """api, workers, redis, postgres; nothing is left running, nor said to run."""
    pids = another.pids()
    assert set(IN_ORDER) == set(pids)
    ended: list[str] = []

    def note() -> bool:
        now = another.pids()
        # Those that went between two looks may have gone in the right order.
        ended.extend(name for name in IN_ORDER if name not in now and name not in ended)
        return another.process.poll() is not None

    another.process.send_signal(number)
    eventually(note, seconds=30.0)

    assert 0 == another.process.returncode
    assert "api" == ended[0]
    assert {"worker-1", "worker-2"} == set(ended[1:3])
    assert ["redis", "postgres", "serve"] == ended[3:]
    assert not any(map(is_alive, pids.values()))
    assert [] == list((another.data_dir / "run").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child's life to its parent's")
def test_killed_serve_takes_all_with_it_and_the_next_one_starts(another: Serve, tmp_path: Path) -> None:
    """kill -9 of serve: no orphans, and the same folder serves again."""
    below = [
        another.process.pid,
        *(child.pid for child in psutil.Process(another.process.pid).children(recursive=True)),
    ]
    another.process.kill()
    another.process.wait()
    eventually(lambda: not any(map(is_alive, below)), seconds=15.0)

    again = serve(another.data_dir, tmp_path / "log")
    again.process.terminate()

    assert 0 == again.process.wait(30)


def test_port_in_use_is_told_before_anything_starts(served: Serve, tmp_path: Path) -> None:
    """The commonest mistake: one is running already."""
    second = sluice(tmp_path / "data", "serve", SLUICE_PORT=str(served.port))

    assert 1 == second.returncode
    assert f"sluice: cannot listen on 127.0.0.1:{served.port}" in second.stderr
    assert not (tmp_path / "data").exists()


def test_database_that_is_away_is_told(tmp_path: Path) -> None:
    """A server of the user's that does not answer: one line about it, then the exit."""
    gone = {
        "SLUICE_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/db",
        "SLUICE_REDIS_URL": "redis://127.0.0.1:1",
    }

    refused = sluice(tmp_path, "serve", SLUICE_PORT="0", **gone)

    assert 1 == refused.returncode
    assert "PostgreSQL does not answer at 127.0.0.1:1/db" in refused.stderr
    assert "secret" not in refused.stderr
    assert [] == list((tmp_path / "run").iterdir())
