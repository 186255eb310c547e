"""Runs seeds, one after the other, in a process with the limits of a reader child; what fails, crashes or hangs is kept.

Some of the files go through the real reader child as well, which must say the same as the pure core.
"""

import asyncio
import ctypes
import math
import multiprocessing
import os
import resource
import tempfile
import time
import traceback
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from tasks.pipeline.definition import define
from tasks.reader import MAX_ADDRESS_SPACE
from tests.fuzz.cases import case_of
from tests.fuzz.invariants import WHOLE, check_seed
from tests.hostile_files.child import has_proc, peak_mib, read_by_child
from tests.hostile_files.outcome import assert_same, read

MOST_SECONDS = 60.0
"""A seed that takes longer hangs: none has more than 300 kB."""
MOST_MIB = 300
_POLL_SECONDS = 0.2
_SEEDS = 2**32


@dataclass(slots=True)
class Tally:
    """What was tried, and what failed first."""

    seeds: int = 0
    children: int = 0
    failed: int | None = None
    reason: str = ""
    kept: Path | None = None
    """Where the failing file lies."""

    @property
    def report(self) -> str:
        """In words, with how to run it again."""
        done = f"{self.seeds:,} files and schemas, {self.children:,} of them through a reader child"
        if self.failed is None:
            return f"{done}: nothing failed"
        return f"{self.reason}\nFAILED after {done}. The file: {self.kept}. Again: python -m tests.fuzz --seed {self.failed}"


async def run(first: int, seconds: float, count: int | None = None) -> Tally:
    """Runs the seeds from `first` on, for so long (after the first of them) or until one fails."""
    current = _processes.Value(ctypes.c_uint64, 0)
    receiving, sending = _processes.Pipe(duplex=False)
    worker = _processes.Process(target=_work, args=(first, count, current, sending), daemon=True)
    worker.start()
    sending.close()
    tally, deadline = Tally(), math.inf
    seen, since = 0, time.monotonic()
    try:
        while tally.failed is None and worker.is_alive() and time.monotonic() < deadline:
            tally.seeds = current.value
            if tally.seeds != seen:
                deadline = min(deadline, time.monotonic() + seconds)
                seen, since = tally.seeds, time.monotonic()
                await _through_child((first + seen - 1) % _SEEDS, tally)
            elif time.monotonic() - since > MOST_SECONDS:
                _fail(tally, (first + seen) % _SEEDS, f"It takes more than {MOST_SECONDS:.0f} s.")
            await asyncio.sleep(_POLL_SECONDS)
        if tally.failed is None and not worker.is_alive():
            tally.seeds = current.value
            if reason := _said(receiving, worker):
                _fail(tally, (first + tally.seeds) % _SEEDS, reason)
    finally:
        worker.kill()
        await asyncio.to_thread(worker.join)
    return tally


_processes = multiprocessing.get_context("spawn")


def _work(first: int, count: int | None, current: "Synchronized[int]", pipe: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while count is None or current.value < count:
        try:
            check_seed((first + current.value) % _SEEDS)
        except BaseException:  # noqa: BLE001  # whatever it is, its seed must be told
            pipe.send_bytes(traceback.format_exc().encode(errors="backslashreplace"))
            raise SystemExit(0) from None
        mib = peak_mib(os.getpid()) if has_proc() else 0
        if mib > MOST_MIB:
            pipe.send_bytes(f"It took {mib} MiB of memory.".encode())
            raise SystemExit(0)
        current.value += 1


def _said(receiving: Any, worker: Any) -> str:
    try:
        text: bytes = receiving.recv_bytes()
    except EOFError:
        return f"The process died: exit code {worker.exitcode}." if worker.exitcode else ""
    return text.decode()


async def _through_child(seed: int, tally: Tally) -> None:
    case = case_of(seed)
    definition = define(case.definition)
    with tempfile.TemporaryDirectory(prefix="sluice-fuzz-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(case.data)
        try:
            outcome, cost = await read_by_child(path, case.format, definition, WHOLE)
            assert_same(read(case.data, case.format, definition, chunk_size=WHOLE), outcome)
            assert cost.mib <= MOST_MIB
        except Exception:  # noqa: BLE001  # whatever it is, its seed must be told
            _fail(tally, seed, traceback.format_exc())
    tally.children += 1


def _fail(tally: Tally, seed: int, reason: str) -> None:
    case = case_of(seed)
    path = Path(tempfile.gettempdir()) / f"sluice-fuzz-{seed}.{case.format.lower()}"
    path.write_bytes(case.data)
    tally.failed, tally.reason, tally.kept = seed, reason, path
