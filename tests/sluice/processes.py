"""Real processes for the tests of the command: starting a `sluice serve`, and looking at who lives."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from sluice.endpoints import free_port

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 60.0


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """Ours, without the session's servers; `more` are further variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    return kept | {"SLUICE_DATA_DIR": str(data_dir)} | more


def sluice(data_dir: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sluice", *arguments],
        cwd=ROOT, env=environment(data_dir, **more), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@dataclass
class Serve:
    """A `sluice serve` that is up."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    port: int

    def pid(self, name: str) -> int | None:
        """What its pid file says now."""
        try:
            return int((self.data_dir / "run" / f"{name}.pid").read_text())
        except FileNotFoundError:
            return None

    def pids(self) -> dict[str, int]:
        """All pid files; one that goes while they are read counts as gone."""
        names = [file.stem for file in (self.data_dir / "run").glob("*.pid")]
        return {name: pid for name in names if (pid := self.pid(name)) is not None}

    def is_healthy(self) -> bool:
        """Whether /health says so."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command beside it."""
        return sluice(self.data_dir, *arguments, SLUICE_PORT=str(self.port), **more)


def serve(data_dir: Path, log: Path) -> Serve:
    """Starts one with two workers, and returns once it is healthy."""
    port = free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sluice", "serve"],
            cwd=ROOT, env=environment(data_dir, SLUICE_PORT=str(port), SLUICE_WORKERS="2"),
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    served = Serve(process, data_dir, port)
    eventually(lambda: served.is_healthy() or process.poll() is not None, START_SECONDS)
    assert process.poll() is None, log.read_text()
    return served


def eventually(is_so: Callable[[], object], seconds: float = 10.0) -> float:
    """Waits until `is_so`; how long it took. Fails after `seconds`."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"not so within {seconds} s"
        time.sleep(0.01)
    return time.monotonic() - began


def is_alive(pid: int) -> bool:
    """Whether a process runs: not ended, and not ended but unburied."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
