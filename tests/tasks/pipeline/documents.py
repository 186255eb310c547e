"""Reads a JSON or XML document every way that its reader must support, and compares."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.pipeline.definition import Definition
from tasks.pipeline.formats import json
from tasks.pipeline.record import Chunk, ChunkSize, Position
from tests.tasks.pipeline.reading import Read, Reading, read_once

BLOCK_BYTES = (1, 2, 7, 64)
ROOT = Path(__file__).parents[3]

DocumentReader = Callable[..., Iterator[Chunk]]


def read_every_way(
    read: DocumentReader, data: bytes, definition: Definition, codec: str = "utf-8", begin: str = "{"
) -> Reading:
    """Reads whole, in tiny chunks, from every chunk's end on, in tiny blocks: all must agree. Checks the places."""
    whole = read_once(read, data, definition)
    for size in (1, 2, 3):
        chunk_size = ChunkSize(records=size)
        parts = read_once(read, data, definition, chunk_size=chunk_size)
        _agree(whole, parts, 0)
        for end in parts.ends[1:]:
            _agree(whole, read_once(read, data, definition, end, chunk_size), end.index)
    for block_bytes in BLOCK_BYTES:
        read_blocks = partial(read, block_bytes=block_bytes)
        one_by_one = read_once(read_blocks, data, definition, chunk_size=ChunkSize(records=1))
        _agree(whole, one_by_one, 0)
        middle = one_by_one.ends[len(one_by_one.ends) // 2]
        _agree(whole, read_once(read_blocks, data, definition, middle), middle.index)
    for record in whole.records:
        _check_place(data, record, codec, begin)
    return whole


def failure(reading: Reading) -> tuple[Any, int | None, int | None]:
    """Code, record index and line of the error; there must be one, with a message that is a sentence."""
    assert reading.error is not None
    assert reading.error.message.endswith(".")
    return reading.error.code, reading.error.record_index, reading.error.line


def memory_growth(script: str) -> int:
    """Bytes by which a process of its own grows that runs `script` (which calls `mark()` before the work)."""
    prelude = (
        "import resource\n"
        "def rss(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "def mark(): global before; before = rss()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", prelude + script + "\nprint(rss() - before)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(run.stdout)


def _agree(whole: Reading, part: Reading, index: int) -> None:
    assert whole.records[index:] == part.records
    assert (whole.error is None) == (part.error is None)
    if whole.error is not None:
        assert failure(whole) == failure(part)


def _check_place(data: bytes, record: Read, codec: str, begin: str) -> None:
    """The record's offset is that of its first character, its line one more than the line feeds before."""
    assert data[record.offset :].decode(codec, "replace").startswith(begin)
    assert record.line == 1 + data[: record.offset].decode(codec).count("\n")


def read_chunks(data: bytes, definition: Definition, block_bytes: int) -> Iterator[Chunk]:
    """The chunks of a JSON document, a few records each."""
    return json.read(io.BytesIO(data), len(data), definition, Position(), ChunkSize(records=2), block_bytes)
