"""The reader child and the store with a retry: what the core makes of it, through the pipe; and files that are gone."""

import hashlib
from array import array
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from models import Job
from tasks.pipeline.batches import batches
from tasks.pipeline.definition import define
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import Batch, ChunkSize, FileFormat, Position
from tasks.pipeline.retry import survey
from tasks.reader import Order, read
from tasks.source import find_file
from tasks.storage import LocalStore
from tests import samples
from tests.factories import DEFINITION

RECORDS = 1_000


def _order(folder: Path, origins: range, **changes: Any) -> Order:
    stored = folder / "origins"
    stored.write_bytes(array("q", origins).tobytes())
    fields: dict[str, Any] = {
        "job_id": uuid4(),
        "path": samples.write(folder / "o.csv", RECORDS),
        "format": FileFormat.CSV,
        "definition": define(DEFINITION).model_dump(mode="json"),
        "start": Position(),
        "chunk_size": ChunkSize(records=100),
        "origins": stored,
    }
    return Order(**fields | changes)


async def _all(order: Order) -> list[Batch]:
    async with aclosing(read(order)) as found:
        return [batch async for batch in found]


async def test_a_retry_comes_through_the_pipe_as_the_core_makes_it(tmp_path: Path) -> None:
    """Claims included, from any batch on."""
    order = _order(tmp_path, range(5, 5 + RECORDS))
    definition = define(DEFINITION)
    assert order.origins
    with order.path.open("rb") as file, order.origins.open("rb") as origins:
        size = order.path.stat().st_size
        retry = survey(file, size, order.format, definition, origins)
        expected = list(
            batches(file, size, order.format, definition, order.job_id, order.start, order.chunk_size, retry)
        )

    found = await _all(order)

    assert expected == found
    assert all(batch.claims for batch in found)
    later = _order(tmp_path, range(5, 5 + RECORDS), job_id=order.job_id, start=found[3].end)
    assert expected[4:] == await _all(later)


async def test_a_survey_that_fails_is_a_file_error(tmp_path: Path) -> None:
    """Before any batch, with its code."""
    with pytest.raises(FileError, match=r"1,000 record.*999 were outstanding") as raised:
        await _all(_order(tmp_path, range(RECORDS - 1)))

    assert FailureCode.RECORD_COUNT == raised.value.code


async def test_a_retry_whose_origins_are_gone_fails_as_one_whose_file_is(files: Path) -> None:
    """Nobody could say any more which record is which."""
    content = b"id\n1\n"
    (files / "file").write_bytes(content)
    (files / "origins").write_bytes(bytes(8))
    job = Job(
        id=UUID(int=1), storage_key="file", origins_key="origins", size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    store = LocalStore(files)
    assert files / "file" == await find_file(job, store)

    (files / "origins").unlink()
    with pytest.raises(FileError, match="retry") as raised:
        await find_file(job, store)

    assert FailureCode.FILE_MISSING == raised.value.code
