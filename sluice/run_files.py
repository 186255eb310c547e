"""`DATA_DIR/run`: who runs (one pid file each) and where to attach (`env`), true while `sluice serve` is up."""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from sluice import processes
from sluice.endpoints import Services, write_private
from sluice.errors import AlreadyServing, SluiceError

_ENV = "env"
_ORPHAN_SECONDS = 10.0
_POLL_SECONDS = 0.05


class RunFiles:
    """The files of one running Sluice. Make it with `hold`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "run"

    def write_pid(self, name: str, pid: int) -> None:
        """Says that `name` runs as `pid`; replaces what was there in one step."""
        beside = self.folder / f".{name}.pid"
        beside.write_text(f"{pid}\n")
        beside.replace(self.folder / f"{name}.pid")

    def remove_pid(self, name: str) -> None:
        """Says that `name` does not run."""
        (self.folder / f"{name}.pid").unlink(missing_ok=True)

    def write_env(self, services: Services) -> None:
        """Writes the two lines that let anybody attach; they hold passwords, so only their owner reads them."""
        lines = [f"{name}={value}\n" for name, value in services.environment.items()]
        write_private(self.folder / _ENV, "".join(lines))

    def remove_env(self) -> None:
        """Says that there is nothing to attach to."""
        (self.folder / _ENV).unlink(missing_ok=True)

    async def end_orphans(self) -> None:
        """Ends what a killed `serve` left behind, where the system did not."""
        for file in sorted(self.folder.glob("*.pid")):
            pid = processes.read_pid(file)
            if pid and pid != os.getpid() and self._is_ours(pid):
                await self._end(pid)
            file.unlink()
        self.remove_env()

    def _is_ours(self, pid: int) -> bool:
        """By now another program may have that pid; every child of ours has the data folder in its command line."""
        return str(self.data_dir.absolute()) in (processes.command_line(pid) or "")

    async def _end(self, pid: int) -> None:
        """Nicely, by SIGINT, on which all of ours end cleanly; then not."""
        deadline = time.monotonic() + _ORPHAN_SECONDS
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
            while self._is_ours(pid):
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def hold(data_dir: Path) -> Iterator[RunFiles]:
    """The run files of `data_dir`, made if need be, for one process at a time. Raises AlreadyServing."""
    files = RunFiles(data_dir)
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("a")
    except OSError as error:
        raise SluiceError(
            f"cannot write to {data_dir} ({error.strerror}): make it writable, or set SLUICE_DATA_DIR to another folder"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = processes.read_pid(files.folder / "serve.pid")
            who = f" (process {holder})" if holder else ""
            raise AlreadyServing(
                f"another Sluice{who} is running on {data_dir}: stop it, or set SLUICE_DATA_DIR to another folder"
            ) from None
        yield files


def read_env(data_dir: Path) -> Services | None:
    """Where the Sluice running on `data_dir` has its database and Redis; None when none is running."""
    try:
        lines = (data_dir / "run" / _ENV).read_text().splitlines()
        return Services.of(dict(line.split("=", 1) for line in lines))
    except (OSError, ValueError, KeyError):
        return None
