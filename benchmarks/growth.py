"""Whether rate and memory stay the same from five megabytes to two gigabytes."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import data, load
from benchmarks.figures import Figures, Sample
from sluice.client import ApiClient
from tests.stack import Stack, reader_children

MEGABYTE = 1024 * 1024
SIZES = (5, 50, 500, 2_000)
_BYTES_A_RECORD = 113
"""Of the CSV files of benchmarks/data.py."""


async def measure(stack: Stack, client: ApiClient, folder: Path, figures: Figures) -> None:
    """Each size once, with the most memory that API, worker and reader took."""
    for megabytes in SIZES:
        records = megabytes * 1_000_000 // _BYTES_A_RECORD
        path, bad = await asyncio.to_thread(data.write, folder, "csv", records, 0.02)
        memory = _Memory(stack)
        sampling = asyncio.create_task(memory.sample())
        seconds, job_id = await load.run_job(stack, client, load.Load(path, records, bad, None))
        sampling.cancel()
        raw = await load.copy_again(stack, job_id)
        what = f"CSV of {path.stat().st_size / 1e6:,.0f} MB"
        figures.add(
            Sample(f"load {what}", "raw COPY of the accepted rows", [seconds], [raw], records=records)
        )
        figures.note(
            what,
            f"{records / seconds:,.0f} records/s; API {memory.api} MB, worker {memory.worker} MB, reader {memory.reader} MB",
            "the same rate within 15 %, flat memory",
        )
        path.unlink()


@dataclass
class _Memory:
    """The most resident memory of each process, in megabytes."""

    stack: Stack
    api: int = 0
    worker: int = 0
    reader: int = 0

    async def sample(self) -> None:
        """Ten times a second, until it is cancelled."""
        api, worker = self.stack.processes[:2]
        while True:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.api = max(self.api, _megabytes(psutil.Process(api.pid)))
                self.worker = max(self.worker, _megabytes(psutil.Process(worker.pid)))
                for child in reader_children(worker):
                    self.reader = max(self.reader, _megabytes(child))
            await asyncio.sleep(0.1)


def _megabytes(process: psutil.Process) -> int:
    return int(process.memory_info().rss) // MEGABYTE
