"""Processes that are kept alive."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sluice import processes, run_files
from sluice.processes import Command
from sluice.run_files import RunFiles
from sluice.supervisor import Children, next_delay
from tests.sluice.processes import ROOT, eventually, is_alive

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[RunFiles]:
    """The run files of a folder of the test's own."""
    with run_files.hold(tmp_path) as files:
        yield files


def _pid(files: RunFiles, name: str = "sleep") -> int | None:
    return processes.read_pid(files.folder / f"{name}.pid")


async def _until(is_so: object, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_killed_child_is_back_within_a_second(held: RunFiles) -> None:
    """And its pid file names the new process."""
    async with Children(held).running(Command("sleep", SLEEP)):
        first = _pid(held)
        assert first
        began = time.monotonic()
        os.kill(first, signal.SIGKILL)
        await _until(lambda: _pid(held) != first)

        assert time.monotonic() - began < 1.0
        second = _pid(held)
        assert second
        assert is_alive(second)


async def test_stopped_child_stays_away(held: RunFiles) -> None:
    """No process and no pid file is left."""
    async with Children(held).running(Command("sleep", SLEEP)) as [child]:
        pid = _pid(held)
        assert pid

    assert not is_alive(pid)
    assert _pid(held) is None
    assert child.starts == 1


async def test_child_that_ignores_the_request_is_killed(
    held: RunFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing keeps a stop from ending."""
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    began = time.monotonic()
    async with Children(held).running(Command("deaf", DEAF, output=tmp_path / "out")):
        pid = _pid(held, "deaf")
        assert pid
        await _until(lambda: (tmp_path / "out").read_text())

    assert not is_alive(pid)
    assert time.monotonic() - began < 5.0


async def test_kill_ends_a_stop_that_takes_long(held: RunFiles, tmp_path: Path) -> None:
    """The second Ctrl-C."""
    children = Children(held)
    began = time.monotonic()
    async with children.running(Command("deaf", DEAF, output=tmp_path / "out")):
        await _until(lambda: (tmp_path / "out").read_text())
        asyncio.get_running_loop().call_later(0.1, children.kill)

    assert time.monotonic() - began < processes.STOP_SECONDS / 2


async def test_what_a_dead_child_leaves_behind_is_ended(held: RunFiles, tmp_path: Path) -> None:
    """A killed worker's reader does not go on by itself."""
    code = (
        "import subprocess, sys, time;"
        " print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True); time.sleep(60)"
    )
    async with Children(held).running(
        Command("parent", (sys.executable, "-c", code), output=tmp_path / "out")
    ):
        await _until(lambda: "\n" in (tmp_path / "out").read_text())
        grandchild = int((tmp_path / "out").read_text())
        parent = _pid(held, "parent")
        assert parent
        os.kill(parent, signal.SIGKILL)

        await _until(lambda: not is_alive(grandchild))


async def test_child_that_cannot_be_started_raises(held: RunFiles) -> None:
    """At the first start there is somebody to tell."""
    with pytest.raises(FileNotFoundError):
        async with Children(held).running(Command("nothing", ("/no/such/program",))):
            pass


@pytest.mark.parametrize(
    ("delay", "lived", "expected"),
    [
        (0.0, 0.0, 0.1),
        (0.1, 0.0, 0.2),
        (0.8, 3.0, 1.6),
        (8.0, 0.1, 10.0),
        (10.0, 0.1, 10.0),
        (10.0, 11.0, 0.1),
    ],
    ids=["first death", "second", "third", "near the limit", "at the limit", "settled in between"],
)
def test_delay_doubles_until_a_child_has_settled(delay: float, lived: float, expected: float) -> None:
    """A process that cannot live does not take the machine with it."""
    assert expected == next_delay(delay, lived)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child's life to its parent's")
def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    """kill -9 of the supervisor leaves nothing running."""
    code = f"""
import asyncio, pathlib
from sluice import run_files
from sluice.processes import Command
from sluice.supervisor import Children

async def main():
    with run_files.hold(pathlib.Path({str(tmp_path)!r})) as files:
        async with Children(files).running(Command("sleep", {SLEEP!r})):
            print("up", flush=True)
            await asyncio.sleep(60)

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout
    assert b"up\n" == parent.stdout.readline()
    parent.stdout.close()
    [child] = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()

    eventually(lambda: not is_alive(child.pid))
