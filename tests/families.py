"""What the tables say of a family of jobs: whether each record of the first job was loaded once at most, and counted."""

from collections.abc import Awaitable, Callable
from typing import Any

Query = Callable[..., Awaitable[Any]]
"""(statement, values …) -> rows."""

_LOADED_TWICE = """
    SELECT coalesce(job.root_id, job.id) AS root, coalesce(record.origin_index, record."index") AS origin, count(*)
      FROM record JOIN job ON job.id = record.job_id GROUP BY 1, 2 HAVING count(*) > 1
"""
_CLAIMED_OR_LOADED_ALONE = """
    WITH claimed AS (SELECT root_id, origin_index, job_id, "index" FROM retried_record),
         loaded AS (SELECT job.root_id, record.origin_index, record.job_id, record."index"
                      FROM record JOIN job ON job.id = record.job_id WHERE job.root_id IS NOT NULL)
    (TABLE claimed EXCEPT TABLE loaded) UNION ALL (TABLE loaded EXCEPT TABLE claimed)
"""
_MISCOUNTED = """
    SELECT id, records_retried, retries_version, claimed.records
      FROM job, LATERAL (SELECT count(*) AS records FROM retried_record WHERE root_id = job.id) AS claimed
     WHERE records_retried <> claimed.records OR (records_retried > 0) AND retries_version = 0
"""
_NOT_REJECTED = """
    SELECT retried_record.* FROM retried_record WHERE NOT EXISTS (
        SELECT FROM record_error WHERE job_id = root_id AND record_index = retried_record.origin_index
    )
"""
_WITHOUT_ORIGIN = """
    SELECT record.job_id, record."index" FROM record JOIN job ON job.id = record.job_id
     WHERE (job.root_id IS NULL) <> (record.origin_index IS NULL)
"""


async def assert_families(query: Query) -> None:
    """Of every family: each origin is in `record` once at most, and was rejected once; `retried_record` is exactly what
    the retries hold; the first job counts it.

    Each is one statement, so one moment: a retry or a discard may be at work.
    """
    assert [] == list(await query(_LOADED_TWICE))
    assert [] == list(await query(_CLAIMED_OR_LOADED_ALONE))
    assert [] == list(await query(_MISCOUNTED))
    assert [] == list(await query(_NOT_REJECTED))
    assert [] == list(await query(_WITHOUT_ORIGIN))
