"""How fast a stored file becomes rows, against raw COPY of the same rows into a same empty table."""

import asyncio
import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import data
from benchmarks.figures import Figures, Sample
from sluice.client import ApiClient
from tasks.load import _pieces
from tests.check import assert_exact
from tests.faults.jobs import uuid_of
from tests.stack import Stack, create_schema, submit

COLUMNS = ("job_id", "index", "data")
WANTED = {"csv": 0.85, "ndjson": 0.85, "json": 0.75, "xml": 0.5}


@dataclass(frozen=True)
class Load:
    """One file, and what it must become."""

    path: Path
    records: int
    bad: int
    record_path: str | None


async def measure(
    stack: Stack,
    client: ApiClient,
    folder: Path,
    format: str,
    records: int,
    bad_share: float,
    rounds: int,
    figures: Figures,
) -> None:
    """Our rate and raw COPY's, alternating; the row of the table is their ratio."""
    path, bad = await asyncio.to_thread(data.write, folder, format, records, bad_share)
    file = Load(path, records, bad, data.RECORD_PATHS.get(format))
    ours, raw = [], []
    await run_job(stack, client, file)  # everybody awake
    await empty(stack)
    for _ in range(rounds):
        seconds, job_id = await run_job(stack, client, file)
        ours.append(seconds)
        raw.append(await copy_again(stack, job_id))
    path.unlink()
    what = f"load {format.upper()}, {records:,} records, {bad_share:.0%} bad"
    wanted = WANTED[format] if bad_share == 0.02 else None
    figures.add(Sample(what, "raw COPY of the accepted rows", ours, raw, records=records, wanted=wanted))


async def run_job(stack: Stack, client: ApiClient, load: Load) -> tuple[float, str]:
    """Seconds from the stored file (its job's row) to COMPLETED, by the database's clock; and the job's id, found exact."""
    options: dict[str, Any] = {"recordPath": load.record_path} if load.record_path else {}
    schema_id = await create_schema(client, fields=data.FIELDS, **options)
    job_id = await submit(client, schema_id, load.path)
    job = await completed(stack, job_id)
    assert (load.records - load.bad, load.bad) == (job["records_accepted"], job["records_rejected"])
    await assert_exact(stack, uuid_of(job_id))
    return (job["finished_at"] - job["created_at"]).total_seconds(), job_id


async def completed(stack: Stack, job_id: str) -> asyncpg.Record:
    """The job's row, once it is COMPLETED. It is asked of the database: watching must cost little of what is measured."""
    connection = await asyncpg.connect(stack.services.database_url)
    try:
        while True:
            job = await connection.fetchrow("SELECT * FROM job WHERE id = $1", uuid_of(job_id))
            assert job
            if job["finished_at"]:
                assert job["status"] == "COMPLETED", job
                return job
            await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def copy_again(stack: Stack, job_id: str) -> float:
    """Seconds that COPY takes for the same rows, over one connection, in one transaction, into a table like `record`."""
    uuid = uuid_of(job_id)
    connection = await asyncpg.connect(stack.services.database_url)
    try:
        rows = io.BytesIO()
        await connection.copy_from_query(
            'SELECT job_id, "index", data FROM record WHERE job_id = $1 ORDER BY "index"',
            uuid, output=rows, format="text",
        )  # fmt: skip
        await empty(stack)
        await connection.execute("DROP TABLE IF EXISTS raw; CREATE TABLE raw (LIKE record INCLUDING ALL)")
        pieces = _pieces(rows.getvalue())  # sent as we send ours
        began = time.perf_counter()
        await connection.copy_to_table("raw", source=pieces, columns=COLUMNS, format="text")
        seconds = time.perf_counter() - began
        await connection.execute("DROP TABLE raw; CHECKPOINT")
        return seconds
    finally:
        await connection.close()


async def empty(stack: Stack) -> None:
    """The tables as each side finds them."""
    await stack.query("TRUNCATE record, record_error")
    await stack.query("CHECKPOINT")
