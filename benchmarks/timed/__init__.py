"""`python -m benchmarks.timed COMMAND` is `sluice COMMAND` with a stopwatch: a worker logs where each job's time went.

Wall seconds of the lane that works on the job, one stage after the other: they add up to the whole. What the reader
child does beside them shows as waiting for it; benchmarks/profile.py has its CPU seconds.
"""

import logging
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from models import Job
from tasks import ingest, load, reader
from tasks.pipeline.record import Batch

PROGRAM = "benchmarks.timed"
LOGGED = "where the time of a job went"
STAGES = (
    "find and hash the file", "first batch", "wait for batches", "begin", "COPY", "checkpoint", "commit", "rest",
)  # fmt: skip
"""One after the other, so that they add up."""
PIPE = "pipe"
"""What taking batches out of the pipe takes, in a thread beside COPY."""

logger = logging.getLogger(__name__)
_seconds: dict[str, float] = defaultdict(float)
_Answer = TypeVar("_Answer")


def install() -> None:
    """Puts the stopwatch between the stages of this process."""
    run = ingest.Ingest._run

    async def logged(lane: ingest.Ingest, job: Job) -> None:
        _seconds.clear()
        await _timed("rest", run)(lane, job)
        _seconds["commit"] -= sum(_seconds[stage] for stage in ("begin", "COPY", "checkpoint"))
        _seconds["rest"] -= sum(_seconds[stage] for stage in STAGES[:-1])
        logger.info(LOGGED, extra={"job": str(job.id), "seconds": dict(_seconds)})

    ingest.Ingest._run = logged  # type: ignore[method-assign]
    ingest.find_file = _timed("find and hash the file", ingest.find_file)
    ingest.read = _read  # type: ignore[assignment]
    ingest.load = _timed("commit", ingest.load)
    load._copy = _timed("COPY", load._copy)
    Job.name_session = _timed("begin", Job.name_session)  # type: ignore[method-assign]
    Job.advance = _timed("checkpoint", Job.advance)  # type: ignore[method-assign]
    reader._Child.receive = _receive  # type: ignore[method-assign]


def _timed(stage: str, do: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    async def timed(*given: Any) -> _Answer:
        began = time.perf_counter()
        try:
            return await do(*given)
        finally:
            _seconds[stage] += time.perf_counter() - began

    return timed


async def _read(order: reader.Order) -> AsyncGenerator[Batch, None]:
    async with aclosing(reader.read(order)) as batches:
        stage, began = "first batch", time.perf_counter()
        async for batch in batches:
            _seconds[stage] += time.perf_counter() - began
            yield batch
            stage, began = "wait for batches", time.perf_counter()


_plain_receive = reader._Child.receive


def _receive(child: reader._Child) -> Batch | None:
    child._pipe.poll(None)  # until the reader begins to send: that is its time, not the pipe's
    began = time.perf_counter()
    try:
        return _plain_receive(child)
    finally:
        _seconds[PIPE] += time.perf_counter() - began
