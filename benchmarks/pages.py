"""Whether the last page of a job of three million records is as quick as its first."""

import statistics
import time
from pathlib import Path

import asyncpg

from benchmarks import data
from benchmarks.figures import Figures, Sample
from graph import types_record
from graph.connections import Keyset
from sluice.client import ApiClient
from tests.faults.jobs import uuid_of
from tests.stack import Stack, create_schema, submit

PAGE = 100
_RECORDS = """query ($id: ID!, $after: String) {
  job(id: $id) { records(first: 100, after: $after) { totalCount nodes { index data } pageInfo { hasNextPage endCursor } } } }"""
_ERRORS = """query ($id: ID!, $after: String) {
  job(id: $id) { errors(first: 100, after: $after) { totalCount nodes { recordIndex line code message rawValue } pageInfo { hasNextPage endCursor } } } }"""
_STATE = (
    "query ($id: ID!) { job(id: $id) { progress { percent recordsRead } errorSummary { field code count } } }"
)


async def measure(
    stack: Stack, client: ApiClient, folder: Path, records: int, rounds: int, figures: Figures
) -> None:
    """First and last pages, alternating, and the state of the job. No worker may run."""
    id = await _big_job(stack, client, folder, records)
    for name, query, keyset, behind in (
        ("records", _RECORDS, types_record._RECORDS, (records - PAGE - 1,)),
        ("errors", _ERRORS, types_record._ERRORS, (2 * records - PAGE - 1, 0)),
    ):
        firsts, lasts = [], []
        cursor = await _cursor(client, query, id, keyset, behind)
        for _ in range(rounds):
            firsts.append(await _timed(client, query, {"id": id}))
            lasts.append(await _timed(client, query, {"id": id, "after": cursor}))
        what = f"last page of {records:,} {name}, against the first"
        figures.add(Sample(what, "the first page", lasts[1:], firsts[1:], wanted=1 / 1.5))
    times = [await _timed(client, _STATE, {"id": id}) for _ in range(rounds)]
    figures.note(
        f"progress and errorSummary of {records:,} errors",
        f"{statistics.median(times) * 1e3:.1f} ms",
        "no scan",
    )


async def _timed(client: ApiClient, query: str, variables: dict[str, object]) -> float:
    began = time.perf_counter()
    await client.execute(query, variables)
    return time.perf_counter() - began


async def _cursor(client: ApiClient, query: str, id: str, keyset: Keyset, behind: tuple[int, ...]) -> str:
    """The cursor behind which the last page begins; that page must be full, and the last."""
    cursor = keyset._cursor(behind)
    [page] = (await client.execute(query, {"id": id, "after": cursor}))["job"].values()
    assert (PAGE, False) == (len(page["nodes"]), page["pageInfo"]["hasNextPage"])
    return cursor


async def _big_job(stack: Stack, client: ApiClient, folder: Path, records: int) -> str:
    """A job of a small file, to which so many records and as many errors are added in the tables."""
    schema_id = await create_schema(client, fields=data.FIELDS)
    path = folder / "small.csv"
    path.write_text("id\n1\n")
    job_id = await submit(client, schema_id, path)
    connection = await asyncpg.connect(stack.services.database_url)
    try:
        await connection.execute(f"""
            INSERT INTO record (job_id, "index", data)
            SELECT '{uuid_of(job_id)}', n, jsonb_build_object('id', n, 'email', 'user' || n || '@example.com', 'note', 'plain')
              FROM generate_series(0, {records - 1}) AS n;
            INSERT INTO record_error (job_id, record_index, seq, line, byte_offset, field, code, message, raw_value)
            SELECT '{uuid_of(job_id)}', n, 0, n + 2, n * 80, 'email', 'INVALID_EMAIL', 'Expected an e-mail address.', 'nobody'
              FROM generate_series({records}, {2 * records - 1}) AS n;
            UPDATE job SET status = 'COMPLETED', records_accepted = {records}, records_rejected = {records},
                   next_index = {2 * records}, error_counts = '{{"email": {{"INVALID_EMAIL": {records}}}}}'
             WHERE id = '{uuid_of(job_id)}';
        """)
        await connection.execute("VACUUM ANALYZE record, record_error")
    finally:
        await connection.close()
    return job_id
