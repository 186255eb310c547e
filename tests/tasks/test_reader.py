"""The reader child: a real process that hands over batches, and that may die, hang or be wrong."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import aclosing
from multiprocessing import forkserver
from pathlib import Path
from typing import get_args
from uuid import uuid4

import psutil
import pytest

import tasks.reader
from tasks import warm_reader
from tasks.errors import ReaderCrashed, ReaderFaulty
from tasks.pipeline.batches import batches
from tasks.pipeline.definition import define
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.fields import AnyType
from tasks.pipeline.record import Batch, ChunkSize, FileFormat, Position
from tasks.reader import Order, read
from tests import samples
from tests.factories import DEFINITION

CHUNK = ChunkSize(records=100)


def _order(path: Path, **changes: object) -> Order:
    fields = {
        "job_id": uuid4(),
        "path": path,
        "format": FileFormat.CSV,
        "definition": define(DEFINITION).model_dump(mode="json"),
        "start": Position(),
        "chunk_size": CHUNK,
    }
    return Order(**fields | changes)  # type: ignore[arg-type]


def _children() -> list[psutil.Process]:
    """The reader processes that live now: what the fork server has below it."""
    return [process for process in psutil.Process().children(recursive=True) if _is_reader(process)]


def _is_reader(process: psutil.Process) -> bool:
    try:
        return process.ppid() != os.getpid() and "multiprocessing" in str(process.cmdline())
    except psutil.NoSuchProcess:
        return False


async def _all(order: Order) -> list[Batch]:
    async with aclosing(read(order)) as found:
        return [batch async for batch in found]


async def test_read_gives_the_batches_of_the_pure_core(tmp_path: Path) -> None:
    """What comes through the pipe is byte for byte what the core makes in one process."""
    order = _order(samples.write(tmp_path / "o.csv", 1_000))
    with order.path.open("rb") as file:
        expected = list(
            batches(
                file,
                order.path.stat().st_size,
                order.format,
                define(DEFINITION),
                order.job_id,
                order.start,
                CHUNK,
            )
        )

    assert expected == await _all(order)
    assert 10 == len(expected)


async def test_read_goes_on_where_an_earlier_reader_stopped(tmp_path: Path) -> None:
    """From the end of the fourth batch on come the other six."""
    order = _order(samples.write(tmp_path / "o.csv", 1_000))
    whole = await _all(order)

    assert whole[4:] == await _all(_order(order.path, job_id=order.job_id, start=whole[3].end))


async def test_a_bad_file_is_a_file_error(tmp_path: Path) -> None:
    """Code, message and place arrive as the core raised them."""
    path = tmp_path / "o.csv"
    path.write_bytes(b"id,amount\n1,2\n")

    with pytest.raises(FileError, match="email") as raised:
        await _all(_order(path))

    assert (FailureCode.HEADER_MISSING, 1) == (raised.value.code, raised.value.line)


async def test_an_error_of_ours_tells_its_place_and_no_values(tmp_path: Path) -> None:
    """A definition that cannot be parsed is a fault, not a crash, and its message names the line of code."""
    order = _order(samples.write(tmp_path / "o.csv", 10), definition={"fields": "secret"})

    with pytest.raises(ReaderFaulty, match=r"DefinitionError at .*\.py:[0-9]+") as raised:
        await _all(order)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda process: process.kill(), id="killed"),
        pytest.param(lambda process: process.send_signal(signal.SIGSTOP), id="hanging"),
    ],
)
async def test_a_child_that_dies_or_hangs_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[psutil.Process], object]
) -> None:
    """The caller hears of it in time, and no process is left."""
    monkeypatch.setattr(tasks.reader, "MAX_SILENT_SECONDS", 0.5)
    order = _order(samples.write(tmp_path / "o.csv", 100_000))

    async def read_and_harm() -> None:
        async with aclosing(read(order)) as found:
            async for _ in found:
                for child in _children():
                    harm(child)

    async with asyncio.timeout(20):
        with pytest.raises(ReaderCrashed):
            await read_and_harm()

    assert [] == _children()


async def test_closing_the_iterator_ends_the_child(tmp_path: Path) -> None:
    """A job that is left in the middle leaves no process and no descriptor behind."""
    order = _order(samples.write(tmp_path / "o.csv", 100_000))
    await _all(
        _order(order.path, start=Position(99_999, order.path.stat().st_size - 1, 1))
    )  # the fork server is up
    before = psutil.Process().num_fds()

    async with aclosing(read(order)) as found:
        async for _ in found:
            break

    assert [] == _children()
    assert before == psutil.Process().num_fds()


async def test_a_child_may_have_a_gibibyte_of_memory(tmp_path: Path) -> None:
    """A bomb in a file is refused more by the kernel, and takes down no process but its own."""
    order = _order(samples.write(tmp_path / "o.csv", 100_000))

    limits = set()
    async with aclosing(read(order)) as found:
        async for _ in found:
            limits = {child.rlimit(psutil.RLIMIT_AS) for child in _children()}
            break

    assert {(2**30, 2**30)} == limits


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """A file that takes seconds of CPU."""
    path = samples.write(tmp_path / "o.csv", 1_000)
    header, _, rows = path.read_text().partition("\n")
    path.write_text(f"{header}\n{rows * 3_000}")
    return path


async def test_a_child_that_uses_cpu_without_a_batch_is_ended_by_the_kernel(long_file: Path) -> None:
    """It is a crash, with the signal that says why; here the whole file would be one batch."""
    whole = ChunkSize(records=10**9, bytes=10**12)

    with pytest.raises(ReaderCrashed) as raised:
        await _all(_order(long_file, chunk_size=whole, cpu_seconds=0))

    assert -signal.SIGXCPU == raised.value.exitcode
    assert [] == _children()


async def test_a_child_that_hands_over_batches_may_use_cpu_without_end(long_file: Path) -> None:
    """The limit begins anew with each: a whole file may take longer than one batch may."""
    order = _order(long_file, chunk_size=ChunkSize(records=20_000), cpu_seconds=1)

    seconds = 0.0
    async with aclosing(read(order)) as found:
        async for _ in found:
            [child] = _children()
            seconds = sum(child.cpu_times()[:2])
            if seconds > 2.5:
                break

    assert seconds > 2.5, "a file that is read within what one batch may take proves nothing"


def test_the_fork_server_has_read_every_format_and_every_type_once() -> None:
    """A good and a bad value of each type in each format: what a child needs has been compiled before it is born."""
    assert dict.fromkeys(FileFormat, (1, 1)) == warm_reader.read_all()
    types = {get_args(field.model_fields["type"].annotation)[0] for field in get_args(AnyType)}
    assert types == {field["type"] for field in warm_reader.FIELDS}
    assert warm_reader.__name__ in forkserver._forkserver._preload_modules  # type: ignore[attr-defined]
