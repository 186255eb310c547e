"""The checker behind every test that breaks something: what a job left must be exact."""

import csv
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.stack import Stack

_BAD = [("email", "INVALID_EMAIL"), ("currency", "NOT_IN_ENUM")]
"""What is wrong with each bad record of the samples."""


async def assert_as_in_file(stack: Stack, job_id: UUID, path: Path) -> None:
    """The job is exact, and its tables hold what the standard library finds in the sample CSV file `path`.

    Of a job that is not COMPLETED the decided beginning of the file is compared.
    """
    await assert_exact(stack, job_id)
    [job] = await stack.query("SELECT status, next_index FROM job WHERE id = $1", job_id)
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
    wrong = [row["index"] for row in loaded if json.loads(row["data"]) != records[row["index"]]]
    assert [] == wrong[:10]
    assert {row["index"] for row in loaded} == {index for index in records if index < decided}
    assert {row["record_index"]: row["problems"] for row in found} == {
        index: problems for index, problems in errors.items() if index < decided
    }


def _parsed(path: Path) -> tuple[dict[int, dict[str, Any]], dict[int, list[str]]]:
    """What ought to be loaded, and the problems of the rest, by record index."""
    records, errors = {}, {}
    with path.open(encoding="utf-8", newline="") as file:
        for index, row in enumerate(csv.DictReader(file)):
            if "@" in row["email"]:
                records[index] = {
                    **row,
                    "id": int(row["id"]),
                    "amount": float(row["amount"]),
                    "day": None if row["day"] == "NA" else row["day"],
                }
            else:
                errors[index] = [f"{field} {code}" for field, code in _BAD]
    return records, errors


async def assert_exact(stack: Stack, job_id: UUID) -> None:
    """Each index 0..n-1 is one record or at least one error, never both; the counters equal the tables."""
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

    assert records["rows"] == records["indexes"] == job["records_accepted"]
    assert errors["indexes"] == job["records_rejected"]
    assert records["indexes"] + errors["indexes"] == union["indexes"] == union["last"] == job["next_index"]
    assert errors["rows"] == await _summed_errors(stack, job_id)


async def _summed_errors(stack: Stack, job_id: UUID) -> int:
    [summed] = await stack.query(
        "SELECT coalesce(sum(n::bigint), 0) AS n FROM job, jsonb_each(error_counts) AS f(field, codes),"
        " jsonb_each_text(codes) AS c(code, n) WHERE id = $1",
        job_id,
    )
    return int(summed["n"])
