"""The reader child: a process that runs the pure core and hands back batches that are ready for COPY.

A process, not a thread: parsing would starve the worker's event loop, and a parser that crashes or runs out of
memory takes down one attempt at one file, nothing else. It comes from a fork server that has the parsers imported
already, so that a tiny file does not wait for them.
"""

import asyncio
import contextlib
import fcntl
import gc
import multiprocessing
import multiprocessing.connection
import resource
import signal
import traceback
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import orjson

from tasks.errors import ReaderCrashed, ReaderFaulty, ReaderNotStarted
from tasks.faults import Point, reached
from tasks.pipeline.batches import batches
from tasks.pipeline.definition import define
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import Batch, ChunkSize, FileFormat, Position
from tasks.pipeline.retry import survey

MAX_ADDRESS_SPACE = 1024 * 1024 * 1024
"""Bytes of memory after which a reader child is refused more: a bomb takes down its own job only."""

MAX_SILENT_SECONDS = 300.0
"""A reader child that finds nothing for so long hangs. To go on in a big XML file it must first parse all before."""

MAX_CPU_SECONDS = 180
"""CPU time that a reader child may use without handing over a batch; then the kernel ends it."""

_PIPE_BYTES = 1024 * 1024
_F_SETPIPE_SZ = 1031  # fcntl.F_SETPIPE_SZ, where the platform has it
_ERROR_KEYS = ("message", "record_index", "line")

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tasks.reader", "tasks.warm_reader"])


def warm_up() -> None:
    """Starts the fork server, so that the first job need not wait for it."""
    forkserver.ensure_running()


@dataclass(frozen=True, slots=True)
class Order:
    """What a reader child is asked to do."""

    job_id: UUID
    path: Path
    format: FileFormat
    definition: dict[str, Any]
    start: Position
    chunk_size: ChunkSize
    origins: Path | None = None
    """Of a retry: the file of the records that were outstanding when it was made (tasks/pipeline/origins.py)."""
    cpu_seconds: int = MAX_CPU_SECONDS

    def to_bytes(self) -> bytes:
        """As JSON, for the child."""
        return orjson.dumps(self, default=str)

    @classmethod
    def from_bytes(cls, order: bytes) -> Self:
        """From `to_bytes`."""
        fields = orjson.loads(order)
        return cls(
            job_id=UUID(fields["job_id"]),
            path=Path(fields["path"]),
            format=FileFormat(fields["format"]),
            definition=fields["definition"],
            start=Position(**fields["start"]),
            chunk_size=ChunkSize(**fields["chunk_size"]),
            origins=Path(fields["origins"]) if fields["origins"] else None,
            cpu_seconds=fields["cpu_seconds"],
        )


async def read(order: Order) -> AsyncGenerator[Batch, None]:
    """The batches of a file, from `order.start` on. While one is being loaded the child builds the next.

    Raises FileError for what the file does wrong, ReaderCrashed when the child dies of it, hangs or is killed,
    ReaderNotStarted when there is none. The child is gone when the iterator is closed.
    """
    child = await _started(order)
    receiving = _receive(child)
    try:
        while (batch := await _in_time(receiving)) is not None:
            receiving = _receive(child)  # while the caller loads this one
            yield batch
    finally:
        child.kill()
        await asyncio.wait({receiving})  # nobody may close a pipe that a thread still reads from
        receiving.exception()
        await asyncio.to_thread(child.close)


async def _started(order: Order) -> "_Child":
    # In a thread: the fork server may have to be started again first.
    starting = asyncio.ensure_future(asyncio.to_thread(_Child.start, order))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting})
        if starting.exception() is None:
            child = starting.result()
            child.kill()
            await asyncio.to_thread(child.close)
        raise


def _receive(child: "_Child") -> asyncio.Future[Batch | None]:
    return asyncio.ensure_future(asyncio.to_thread(child.receive))


async def _in_time(receiving: asyncio.Future[Batch | None]) -> Batch | None:
    try:
        async with asyncio.timeout(MAX_SILENT_SECONDS):
            return await asyncio.shield(receiving)
    except TimeoutError:
        raise ReaderCrashed(None) from None


class _Child:
    """The parent's side of one reader process."""

    def __init__(
        self, process: multiprocessing.process.BaseProcess, pipe: multiprocessing.connection.Connection
    ) -> None:
        self._process = process
        self._pipe = pipe

    @classmethod
    def start(cls, order: Order) -> Self:
        receiving, sending = _processes.Pipe(duplex=False)
        with contextlib.suppress(OSError):  # a bigger pipe saves wake-ups; the usual one is right, too
            fcntl.fcntl(receiving.fileno(), _F_SETPIPE_SZ, _PIPE_BYTES)
        process = _processes.Process(
            target=_run, args=(order.to_bytes(), sending), name="reader", daemon=True
        )
        try:
            process.start()
        except (OSError, EOFError) as error:
            receiving.close()
            raise ReaderNotStarted(repr(error)) from error
        finally:
            sending.close()
        return cls(process, receiving)

    def receive(self) -> Batch | None:
        """The next batch, or None at the end of the file. Blocks."""
        try:
            header = orjson.loads(self._pipe.recv_bytes())
            if header["kind"] == "batch":
                return _batch(header, *(self._pipe.recv_bytes() for _ in range(3)))
        except (EOFError, OSError) as error:
            self._process.join(5)
            raise ReaderCrashed(self._process.exitcode) from error
        if header["kind"] == "end":
            return None
        if header["kind"] == "fault":
            raise ReaderFaulty(header["what"])
        raise FileError(FailureCode(header["code"]), **{key: header[key] for key in _ERROR_KEYS})

    def kill(self) -> None:
        """Ends the process; it holds nothing that could be lost."""
        self._process.kill()

    def close(self) -> None:
        """Waits for the process to be gone, and closes the pipe."""
        self._process.join()
        self._process.close()
        self._pipe.close()


def _run(order_bytes: bytes, pipe: multiprocessing.connection.Connection) -> None:
    """The child: reads the file and sends what it finds, until the end, an error, or nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _collect_garbage_seldom()
    try:
        _send_all(Order.from_bytes(order_bytes), pipe)
    except BrokenPipeError:
        return  # the worker is gone; the next one starts from the last batch


def _collect_garbage_seldom() -> None:
    """Records are many small objects without cycles: looking for cycles among them took half the time of parsing."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _send_all(order: Order, pipe: multiprocessing.connection.Connection) -> None:
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(order.path.open("rb"))
            size = order.path.stat().st_size
            definition = define(order.definition)
            _limit_cpu(order.cpu_seconds)
            retry = None
            if order.origins:
                stack.enter_context(origins := order.origins.open("rb"))
                retry = survey(file, size, order.format, definition, origins)
                _limit_cpu(order.cpu_seconds)
            for batch in batches(
                file, size, order.format, definition, order.job_id, order.start, order.chunk_size, retry
            ):
                _limit_cpu(order.cpu_seconds)
                reached(Point.READER_BATCH)
                pipe.send_bytes(_header(batch))
                for rows in (batch.records, batch.errors, batch.claims):
                    pipe.send_bytes(rows)
        pipe.send_bytes(orjson.dumps({"kind": "end"}))
    except FileError as error:
        _send_error(pipe, error)
    except (BrokenPipeError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, it will be the same next time: the parent decides
        _send_fault(pipe, error)


def _limit_cpu(seconds: int) -> None:
    """From now on this process may use so many seconds of CPU; asked again with each batch, it is a limit on none."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + 1 + seconds, hard))


def _send_fault(pipe: multiprocessing.connection.Connection, error: Exception) -> None:
    # Its kind and its place; its text might hold values of records.
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    pipe.send_bytes(orjson.dumps({"kind": "fault", "what": f"{type(error).__name__} at {where}"}))


def _send_error(pipe: multiprocessing.connection.Connection, error: FileError) -> None:
    pipe.send_bytes(
        orjson.dumps(
            {"kind": "error", "code": error.code} | {key: getattr(error, key) for key in _ERROR_KEYS}
        )
    )


def _header(batch: Batch) -> bytes:
    return orjson.dumps(
        {
            "kind": "batch",
            "first_index": batch.first_index,
            "end": batch.end,
            "accepted": batch.accepted,
            "rejected": batch.rejected,
            "error_counts": [[field, code, count] for (field, code), count in batch.error_counts.items()],
        }
    )


def _batch(header: dict[str, Any], records: bytes, errors: bytes, claims: bytes) -> Batch:
    return Batch(
        first_index=header["first_index"],
        end=Position(**header["end"]),
        records=records,
        errors=errors,
        accepted=header["accepted"],
        rejected=header["rejected"],
        error_counts=Counter({(field, code): count for field, code, count in header["error_counts"]}),
        claims=claims,
    )
