"""What a second worker brings: several big files at once, on the cores that this machine has."""

import asyncio
import time
from pathlib import Path

from benchmarks import data, load
from benchmarks.figures import Figures, Sample
from sluice.client import ApiClient
from tests.check import assert_exact
from tests.faults.jobs import uuid_of
from tests.stack import Stack, create_schema, submit

JOBS = 4
_RECORDS = 300_000
_FORMATS = ("csv", "xml")


async def measure(stack: Stack, client: ApiClient, folder: Path, rounds: int, figures: Figures) -> None:
    """Seconds for all jobs with one worker, which is running, and then with two, which stay."""
    files = {format: data.write(folder, format, _RECORDS, 0.02)[0] for format in _FORMATS}
    alone = {format: await _rounds(stack, client, file, rounds) for format, file in files.items()}
    stack.start_worker()
    for format, file in files.items():
        both = await _rounds(stack, client, file, rounds)
        what = f"{JOBS} {format.upper()} files at once, 2 workers"
        figures.add(Sample(what, "the same with 1 worker", both, alone[format], records=JOBS * _RECORDS))
        file.unlink()


async def _rounds(stack: Stack, client: ApiClient, file: Path, rounds: int) -> list[float]:
    await _all(stack, client, file)  # everybody awake
    return [await _all(stack, client, file) for _ in range(rounds)]


async def _all(stack: Stack, client: ApiClient, file: Path) -> float:
    """From the answer to the first submission: the workers begin while the other files are still on their way."""
    options = {"recordPath": path} if (path := data.RECORD_PATHS.get(file.suffix[1:])) else {}
    schema_id = await create_schema(client, fields=data.FIELDS, **options)
    began = time.monotonic()
    ids = [await submit(client, schema_id, file) for _ in range(JOBS)]
    await asyncio.gather(*(load.completed(stack, id) for id in ids))
    seconds = time.monotonic() - began
    for id in ids:
        await assert_exact(stack, uuid_of(id))
    await load.empty(stack)
    return seconds
