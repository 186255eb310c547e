"""Where the time of a record goes, stage by stage, for each format: `make bench PROFILE=1`.

CPU seconds of the reader's pure core, and wall seconds of a real worker over a whole job.
"""

import asyncio
import gc
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from benchmarks import data, load, timed
from sluice.client import ApiClient
from tasks.pipeline import batches
from tasks.pipeline.definition import Definition, define
from tasks.pipeline.formats import READERS
from tasks.pipeline.record import ChunkSize, FileFormat, Position
from tasks.pipeline.validator import Validator
from tests.faults.jobs import events
from tests.stack import Stack

RECORDS = 300_000
_WARM_UP = 1
_Answer = TypeVar("_Answer")


async def show(stack: Stack, client: ApiClient, folder: Path, rounds: int) -> None:
    """Prints a table of each kind. The stack's workers run `benchmarks.timed`."""
    print(f"CPU seconds of the reader for {RECORDS:,} records, 2 % bad")
    print("           read and cut   transform and validate   encode for COPY      sum")
    for format in data.FORMATS:
        path, bad = data.write(folder, format, RECORDS, 0.02)
        read, validate, encode = await asyncio.to_thread(_stages, path, format)
        print(
            f"  {format:<9}{read:12.2f}{validate:25.2f}{encode:18.2f}{read + validate + encode:9.2f}",
            flush=True,
        )
        for _ in range(_WARM_UP + rounds):
            file = load.Load(path, RECORDS, bad, data.RECORD_PATHS.get(format))
            await load.run_job(stack, client, file)
            await load.empty(stack)
        path.unlink()
    print(
        f"Wall seconds of a worker for the same, medians of {rounds} jobs; {timed.PIPE} is beside the others"
    )
    logged = [line["seconds"] for line in events(stack, timed.LOGGED)]
    each = _WARM_UP + rounds
    _print_stages({
        format: logged[number * each + _WARM_UP : (number + 1) * each]
        for number, format in enumerate(data.FORMATS)
    })  # fmt: skip


def _print_stages(jobs: dict[str, list[dict[str, float]]]) -> None:
    print(f"  {'':<24}" + "".join(f"{format:>9}" for format in jobs))
    for stage in (*timed.STAGES, timed.PIPE):
        medians = (sorted(job[stage] for job in some)[len(some) // 2] for some in jobs.values())
        print(f"  {stage:<24}" + "".join(f"{seconds:9.3f}" for seconds in medians), flush=True)


def _stages(path: Path, format: str) -> tuple[float, float, float]:
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as in the reader child
    definition = _definition(format)
    validator, job_id = Validator(definition), uuid4()
    read = validate = encode = 0.0
    with path.open("rb") as file:
        reader = READERS[FileFormat(format.upper())]
        chunks = reader(file, path.stat().st_size, definition, Position(), ChunkSize())
        while True:
            seconds, chunk = _timed(lambda: next(chunks, None))
            read += seconds
            if chunk is None:
                return read, validate, encode
            decided, _ = _timed(partial(validator, [row for row in chunk.rows if row]))
            whole, _ = _timed(partial(batches.batch, chunk, validator, job_id))
            validate += decided
            encode += whole - decided


def _timed(work: Callable[[], _Answer]) -> tuple[float, _Answer]:
    began = time.thread_time()
    answer = work()
    return time.thread_time() - began, answer


def _definition(format: str) -> Definition:
    fields = [{_snake(key): value for key, value in field.items()} for field in data.FIELDS]
    options: dict[str, Any] = (
        {"record_path": data.RECORD_PATHS[format]} if format in data.RECORD_PATHS else {}
    )
    return define({"fields": fields, **options})


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
