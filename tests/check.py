"""The checker behind every test that breaks something: what a job left must be exact.

The invariants of the fault matrix: I1 no index twice, I2 a record or errors and never both, I3 every index up to the last,
I4 counters equal the tables, I5 contents equal the standard library's reading, I6 the job that was answered with is there,
I7 nothing is committed after its end, I8 progress never goes back and ends in the row's state (`tests.stack.follow`), I9 no
partial file and no open descriptor is left, memory is bounded, I10 tokens never go back.
"""

import asyncio
import csv
import io
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import asyncpg
import psutil

from tests.discards import assert_discarded
from tests.families import assert_families
from tests.history import assert_history
from tests.stack import Stack, kill

MAX_PROCESS_BYTES = 400_000_000
"""Resident memory of any process of ours, whatever is done to it."""
_TIDY_SECONDS = 5.0

_BAD = [("email", "INVALID_EMAIL"), ("currency", "NOT_IN_ENUM")]
"""What is wrong with each bad record of the samples."""


async def assert_as_in_file(stack: Stack, job_id: UUID, path: Path) -> None:
    """The job is exact, and its tables hold what the standard library finds in the sample file `path`.

    Of a job that is not COMPLETED the decided beginning of the file is compared, of one that is discarded what is left,
    and of a dry run the errors alone.
    """
    await assert_exact(stack, job_id)
    await assert_tidy(stack)
    [job] = await stack.query(
        "SELECT status, dry_run, job.next_index, coalesce(discard.next_index, 0) AS discarded"
        " FROM job LEFT JOIN discard ON discard.job_id = job.id WHERE id = $1",
        job_id,
    )
    records, errors = _parsed(path)
    if job["status"] == "COMPLETED":
        assert job["next_index"] == len(records) + len(errors)
    loaded = await stack.query(
        'SELECT "index", data::text FROM record WHERE job_id = $1 ORDER BY "index"', job_id
    )
    found = await stack.query(
        "SELECT record_index, array_agg(field || ' ' || code ORDER BY seq) AS problems"
        " FROM record_error WHERE job_id = $1 GROUP BY 1 ORDER BY 1", job_id
    )  # fmt: skip
    decided = job["next_index"]
    # Numbers as they are spelled: every digit counts.
    found_data = {row["index"]: json.loads(row["data"], parse_float=str) for row in loaded}
    wrong = [index for index, data in found_data.items() if data != records[index]]
    assert [] == wrong[:10]
    left = range(decided, decided) if job["dry_run"] else range(job["discarded"], decided)
    assert {row["index"] for row in loaded} == {index for index in records if index in left}
    assert {row["record_index"]: row["problems"] for row in found} == {
        index: problems for index, problems in errors.items() if index < decided
    }


def _parsed(path: Path) -> tuple[dict[int, dict[str, Any]], dict[int, list[str]]]:
    """What ought to be loaded, and the problems of the rest, by record index."""
    records, errors = {}, {}
    for index, row in enumerate(_rows(path)):
        if "@" in row["email"]:
            records[index] = {**row, "id": int(row["id"]), "day": None if row["day"] == "NA" else row["day"]}
        else:
            errors[index] = [f"{field} {code}" for field, code in _BAD]
    return records, errors


def _rows(path: Path) -> list[dict[str, str]]:
    """What the standard library finds in a file."""
    text = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".json":
            return list(json.loads(text))
        case ".ndjson":
            return [json.loads(line) for line in text.splitlines()]
        case ".xml":
            return [
                {child.tag: child.text or "" for child in order} for order in ElementTree.fromstring(text)
            ]
        case _:
            return list(csv.DictReader(io.StringIO(text), delimiter="\t" if path.suffix == ".tsv" else ","))


async def assert_exact(stack: Stack, job_id: UUID) -> None:
    """Each index 0..n-1 is one record or at least one error, never both; the counters equal the tables, and always did."""
    connection = await asyncpg.connect(stack.services.database_url)
    try:
        await assert_history(connection, job_id)
        await assert_discarded(connection, job_id)
    finally:
        await connection.close()
    [job] = await stack.query("SELECT * FROM job WHERE id = $1", job_id)
    [records] = await stack.query(
        'SELECT count(*) AS rows, count(DISTINCT "index") AS indexes FROM record WHERE job_id = $1', job_id
    )
    [errors] = await stack.query(
        "SELECT count(*) AS rows, count(DISTINCT record_index) AS indexes FROM record_error WHERE job_id = $1",
        job_id,
    )
    [union] = await stack.query(
        'SELECT count(*) AS indexes, coalesce(max(i), -1) + 1 AS last FROM (SELECT "index" AS i FROM record'
        " WHERE job_id = $1 UNION SELECT record_index FROM record_error WHERE job_id = $1) AS decided",
        job_id,
    )

    gone = job["records_accepted"] if job["dry_run"] else job["records_discarded"]
    assert records["rows"] == records["indexes"] == job["records_accepted"] - gone
    assert errors["indexes"] == job["records_rejected"]
    assert records["indexes"] + errors["indexes"] == union["indexes"] == job["next_index"] - gone
    assert union["last"] <= job["next_index"] if gone else union["last"] == job["next_index"]
    assert errors["rows"] == await _summed_errors(stack, job_id)


async def _summed_errors(stack: Stack, job_id: UUID) -> int:
    [summed] = await stack.query(
        "SELECT coalesce(sum(n::bigint), 0) AS n FROM job, jsonb_each(error_counts) AS f(field, codes),"
        " jsonb_each_text(codes) AS c(code, n) WHERE id = $1",
        job_id,
    )
    return int(summed["n"])


async def assert_left_whole(stack: Stack) -> None:
    """What a test leaves behind, whatever it was about: every job exact as far as it went, and nothing else."""
    for worker in stack.processes[1:]:
        kill(worker)
    for row in await stack.query("SELECT id FROM job"):
        await assert_exact(stack, row["id"])
    await assert_families(stack.query)
    await assert_tidy(stack)


async def assert_tidy(stack: Stack) -> None:
    """Once nothing is uploaded: no partial file, no descriptor of a stored file in an API, no process that has grown big."""
    deadline = time.monotonic() + _TIDY_SECONDS
    while (left := _left_behind(stack)) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert [] == left


def _left_behind(stack: Stack) -> list[str]:
    folder = stack.folder / "files"
    found = [str(part) for part in folder.glob("*.part")]
    for process in stack.processes:
        for ours in _with_children(process.pid):
            try:
                if (size := ours.memory_info().rss) > MAX_PROCESS_BYTES:
                    found.append(f"{ours.name()} has {size:,} bytes")
                if "api" in process.args:  # type: ignore[operator]  # always a list here
                    found += [file.path for file in ours.open_files() if file.path.startswith(str(folder))]
            except psutil.NoSuchProcess:
                continue
    return found


def _with_children(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
