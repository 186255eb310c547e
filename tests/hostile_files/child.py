"""Reads a file through the real reader child, so that its limits are in force, and measures what that costs."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

import psutil

from tasks.pipeline.definition import Definition
from tasks.pipeline.errors import FileError
from tasks.pipeline.record import ChunkSize, FileFormat
from tasks.reader import Order, read
from tests.hostile_files.outcome import JOB, TOP, Outcome, check_message, take

_POLL_SECONDS = 0.02
_MIB = 2**20


@dataclass(slots=True)
class Cost:
    """The most that any look at the child has shown."""

    mib: int = 0
    """Resident memory at its peak."""
    cpu_seconds: float = 0.0

    def look(self, child: psutil.Process) -> None:
        """Takes the child's present figures."""
        with contextlib.suppress(psutil.Error, OSError, IndexError):
            self.mib = max(self.mib, peak_mib(child.pid))
            times = child.cpu_times()
            self.cpu_seconds = max(self.cpu_seconds, times.user + times.system)


async def read_by_child(
    path: Path, format: FileFormat, definition: Definition, chunk_size: ChunkSize | None = None
) -> tuple[Outcome, Cost]:
    """Raises ReaderCrashed or ReaderFaulty where the child does not survive the file."""
    order = Order(
        job_id=JOB,
        path=path,
        format=format,
        definition=definition.model_dump(mode="json"),
        start=TOP,
        chunk_size=chunk_size or ChunkSize(),
    )
    outcome, cost = Outcome(), Cost()
    watching = asyncio.ensure_future(_watch(cost))
    try:
        async with aclosing(read(order)) as found:
            async for batch in found:
                take(outcome, batch)
    except FileError as error:
        outcome.failure = error
    finally:
        watching.cancel()
    check_message(outcome)
    return outcome, cost


async def _watch(cost: Cost) -> None:
    while True:
        for child in _children():
            cost.look(child)
        await asyncio.sleep(_POLL_SECONDS)


def _children() -> Iterator[psutil.Process]:
    """What the fork server of this process has below it; without a look at every process of the machine."""
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if server is None:
        return
    with contextlib.suppress(OSError, psutil.Error):
        text = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii")
        yield from map(psutil.Process, map(int, text.split()))


def peak_mib(pid: int) -> int:
    """The most resident memory that a process has had. Not its ru_maxrss: that begins with its parent's."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 // _MIB


def has_proc() -> bool:
    """Whether the costs can be measured here."""
    return Path(f"/proc/{os.getpid()}/task").exists()
