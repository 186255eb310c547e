"""The checker behind every test that breaks something: what a finished job left must be exact."""

from uuid import UUID

from tests.stack import Stack


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
