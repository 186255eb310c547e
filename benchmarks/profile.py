"""Where the time of a record goes: CPU seconds of the pure core by stage, for each format."""

import gc
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from benchmarks import data
from tasks.pipeline import batches
from tasks.pipeline.definition import Definition, define
from tasks.pipeline.formats import READERS
from tasks.pipeline.record import ChunkSize, FileFormat, Position
from tasks.pipeline.validator import Validator

RECORDS = 300_000
_Answer = TypeVar("_Answer")


def show(folder: Path) -> None:
    """Prints a line for each format."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as in the reader child
    print(
        f"CPU seconds for {RECORDS:,} records, 2 % bad: read and cut | transform and validate | encode for COPY"
    )
    for format in data.FORMATS:
        path, _ = data.write(folder, format, RECORDS, 0.02)
        read, validate, encode = _stages(path, FileFormat(format.upper()), _definition(format))
        print(
            f"  {format:<7} {read:6.2f} | {validate:6.2f} | {encode:6.2f}   sum {read + validate + encode:.2f}"
        )
        path.unlink()


def _stages(path: Path, format: FileFormat, definition: Definition) -> tuple[float, float, float]:
    validator, job_id = Validator(definition), uuid4()
    read = validate = encode = 0.0
    with path.open("rb") as file:
        chunks = READERS[format](file, path.stat().st_size, definition, Position(), ChunkSize())
        while True:
            seconds, chunk = _timed(lambda: next(chunks, None))
            read += seconds
            if chunk is None:
                return read, validate, encode
            decided, _ = _timed(partial(validator, chunk.rows))
            whole, _ = _timed(partial(batches.batch, chunk, validator, job_id))
            validate += decided
            encode += whole - decided


def _timed(work: Callable[[], _Answer]) -> tuple[float, _Answer]:
    began = time.process_time()
    answer = work()
    return time.process_time() - began, answer


def _definition(format: str) -> Definition:
    fields = [{_snake(key): value for key, value in field.items()} for field in data.FIELDS]
    options: dict[str, Any] = (
        {"record_path": data.RECORD_PATHS[format]} if format in data.RECORD_PATHS else {}
    )
    return define({"fields": fields, **options})


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
