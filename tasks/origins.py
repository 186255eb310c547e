"""Which rejected records of a job are outstanding, and the file of them that a retry is made with.

A record is outstanding as long as no retry has loaded it. Its *origin* is its index in the family's first job. The
origins file holds little-endian 64-bit numbers: the k-th is the origin of the k-th outstanding record, in the order of the
parent's own file. It never changes, so that each attempt at the retry finds the same.
"""

import sys
from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise import connections

from models import Job
from tasks import keyset
from tasks.pipeline.origins import BY_PLACE
from tasks.storage.draft import Draft
from tasks.storage.local import StoredFile

PAGE_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class Outstanding:
    """One record that is outstanding, and where it lies in the file of its job."""

    origin: int
    offset: int
    length: int | None
    """Up to where the next record begins. None: loaded by a version of Sluice that did not note it."""


Pages = AsyncIterator[list[Outstanding]]


async def outstanding(job: Job) -> Pages:
    """The outstanding records of `job` in the order of its file, a page at a time; no page is empty.

    No transaction and no connection is held between two pages: each is as true as the moment in which it is read.
    """
    behind, is_root = -1, job.root_id is None
    while rows := await keyset.page(_PAGE, job.id, is_root, job.root_id or job.id, behind, PAGE_RECORDS):
        behind = rows[-1]["record_index"]
        if page := [
            Outstanding(row["origin"], row["byte_offset"], row["byte_length"])
            for row in rows
            if row["is_outstanding"]
        ]:
            yield page


async def noted(pages: Pages, draft: Draft) -> Pages:
    """The same pages; what has been taken of them is in the draft of an origins file."""
    async for page in pages:
        await draft.write(_packed([record.origin for record in page]))
        yield page


async def snapshot(parent: Job, draft: Draft, *, by_place: bool) -> StoredFile:
    """Makes the draft the origins file of a retry of `parent`, durable. `by_place`: see `BY_PLACE`."""
    async for _ in noted(outstanding(parent), draft):
        pass
    if by_place:
        await draft.write(BY_PLACE)
    return await draft.commit()


async def count_outstanding(retries: Sequence[UUID]) -> list[int]:
    """How many of the records that each of these retries has rejected are outstanding.

    Of a job without a parent its row says it: `Job.records_rejected` less `Job.records_retried`.
    """
    rows = await connections.get("default").execute_query_dict(_COUNT, [list(retries)])
    found = {row["id"]: int(row["outstanding"]) for row in rows}
    return [found.get(id, 0) for id in retries]


def _packed(origins: list[int]) -> bytes:
    numbers = array("q", origins)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


# Of a record's error rows the first says as much as all. Joined to what was found for one page, PostgreSQL looks into the
# index for each of its records.
_PAGE = """
SELECT page.record_index, page.byte_offset, page.byte_length, page.origin,
       page.origin IS NOT NULL AND retried_record.origin_index IS NULL AS is_outstanding
  FROM (
    SELECT DISTINCT ON (record_index) record_index, byte_offset, byte_length,
           CASE WHEN $2 THEN record_index ELSE origin_index END AS origin
      FROM record_error WHERE job_id = $1 AND record_index > $4 ORDER BY record_index, seq LIMIT $5
  ) AS page
  LEFT JOIN retried_record ON retried_record.root_id = $3 AND retried_record.origin_index = page.origin
 ORDER BY page.record_index
"""

_COUNT = """
SELECT job.id, count(DISTINCT record_error.record_index) AS outstanding
  FROM job JOIN record_error ON record_error.job_id = job.id AND record_error.origin_index IS NOT NULL
  LEFT JOIN retried_record
    ON retried_record.root_id = job.root_id AND retried_record.origin_index = record_error.origin_index
 WHERE job.id = ANY($1) AND retried_record.origin_index IS NULL
 GROUP BY job.id
"""
