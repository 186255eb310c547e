"""What became of a file's records: the accepted ones, and the errors of the rejected ones."""

from typing import Any, Self
from uuid import UUID

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON
from tortoise import connections

import models
from graph.connections import MAX_FIRST_RECORDS, Connection, Fetched, Keyset, Read, Start, whole_number
from graph.context import MAX_DATA_MIB, Info
from graph.error_paths import ErrorPaths
from graph.scalars import BigInt, loaded_json
from graph.types import given
from tasks.pipeline.record import RecordErrorCode

_MAX_PAGE_MIB = 4
"""A longer page would have to be held several times over: by the driver, as an answer, and on its way."""

_RECORDS = Keyset("records", whole_number, max_first=MAX_FIRST_RECORDS)
_FAMILY = Keyset("familyRecords", whole_number, max_first=MAX_FIRST_RECORDS)
_ERRORS = Keyset("errors", whole_number, whole_number, max_first=MAX_FIRST_RECORDS)


@strawberry.type(description="An accepted record.")
class Record:
    """An accepted record."""

    index: BigInt = strawberry.field(
        description="Its position in the file, from 0, counting every record read, rejected ones too."
    )
    origin_index: BigInt = strawberry.field(
        description="Its position in the file of the first job, the one without a parent. Of such a job: the same as `index`."
    )
    data: JSON = strawberry.field(
        description=(
            "Every field of the schema, null where the file has no value. A page of records ends before its data would be "
            f"longer than {_MAX_PAGE_MIB} MiB, though never before its first record: `hasNextPage` is true then, and "
            f"`endCursor` leads to the rest. All the data in the answer to one operation may have {MAX_DATA_MIB} MiB."
        )
    )


@strawberry.type(
    description=(
        "One reason why a record was rejected. `recordIndex` counts from 0, `line` from 1 and `byteOffset` from 0, each in the "
        "file as it was submitted."
    )
)
class RecordError:
    """One reason why a record was rejected."""

    paths: strawberry.Private[ErrorPaths]
    source: strawberry.Private[str | None]
    record_index: BigInt = strawberry.field(
        description="The record's position in the file, from 0: the header of a CSV file is no record."
    )
    origin_index: BigInt | None = strawberry.field(
        description="The record's position in the file of the first job, the one without a parent; null where a record of a"
        " retry names none that is outstanding."
    )
    line: BigInt | None = strawberry.field(
        description=(
            "The line on which the record begins, from 1: the header of a CSV file is on line 1. Null where the format has no "
            "lines."
        )
    )
    byte_offset: BigInt = strawberry.field(
        description="Where the record's first byte is in the file, from 0: a byte order mark counts."
    )
    field: str | None = strawberry.field(
        description="The schema's name for the field; null when the whole record is at fault."
    )
    code: RecordErrorCode = strawberry.field(description="What is wrong, for programs.")
    message: str = strawberry.field(description="What was expected, for people.")
    raw_value: str | None = strawberry.field(
        description="What stood in the file, cut at 1,024 characters; null when nothing did."
    )

    @strawberry.field(
        description=(
            "Where the value is in the file, or would be if it were there. CSV and TSV: the column's header (its number where "
            "there is no header), null for a record as a whole. JSON: a JSON Pointer (RFC 6901) from the document's root, "
            "`/data/orders/5/customer/email`. NDJSON: a JSON Pointer in the line's own document, empty for the record itself. XML: "
            "an XPath 1.0, whatever the namespaces are. Array elements count from 0 in a pointer and from 1 in an XPath."
        )
    )
    async def path(self, info: Info) -> str | None:
        """Derived from the schema; not stored."""
        return await self.paths.path(info, self.record_index, self.field, self.source)


@strawberry.type(description="How often one error occurred in a job.")
class ErrorSummary:
    """How often one error occurred."""

    field: str | None = strawberry.field(description="The field; null when whole records were at fault.")
    code: RecordErrorCode = strawberry.field(description="What was wrong.")
    count: BigInt = strawberry.field(description="How many times.")

    @classmethod
    def all_of(cls, counts: dict[str, dict[str, int]]) -> list[Self]:
        """From a job's `error_counts`: the most frequent first, then by field and code."""
        flat = [(-n, field, code) for field, codes in counts.items() for code, n in codes.items()]
        return [
            cls(field=field or None, code=RecordErrorCode(code), count=BigInt(-n))
            for n, field, code in sorted(flat)
        ]


@strawberry.input(description="Which errors to list; what is left out does not matter.")
class RecordErrorFilter:
    """Which errors to list."""

    field: str | None = strawberry.field(
        default=UNSET, description="Only errors of this field of the schema."
    )
    code: RecordErrorCode | None = strawberry.field(default=UNSET, description="Only errors with this code.")

    def count(self, counts: dict[str, dict[str, int]]) -> int:
        """How many errors pass. Exact: the counts move in the transaction that loads the errors."""
        return sum(
            n
            for field, codes in counts.items()
            for code, n in codes.items()
            if given(self.field) in (None, field or None) and given(self.code) in (None, code)
        )


_PAGE = """
SELECT place, "index", origin_index, CASE WHEN beyond = 0 THEN data END AS data, up_to FROM (
  SELECT place, "index", origin_index, data, up_to,
    count(CASE WHEN up_to > greatest($4, size) THEN 1 END) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) AS beyond
  FROM (
    SELECT place, "index", origin_index, data, octet_length(data) AS size,
      sum(octet_length(data)) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) AS up_to
    FROM ({page}) AS page
  ) AS measured
) AS counted
WHERE beyond <= 1 ORDER BY place
"""
"""Records that have $4 bytes at most, or the first one alone; then, if there is one, the next without its data.

The count can only grow, so PostgreSQL reads no further than that one; a sum would not tell it so.
"""

_OWN_PAGE = _PAGE.format(
    page="""
    SELECT "index" AS place, "index", coalesce(origin_index, "index") AS origin_index, data::text AS data
      FROM record WHERE job_id = $1 AND "index" > $2 ORDER BY "index" LIMIT $3
"""
)

_FAMILY_PAGE = _PAGE.format(
    page="""
    SELECT place, found."index", place AS origin_index, data FROM (
      (SELECT "index" AS place, job_id, "index" FROM record
        WHERE job_id = $1 AND $5::uuid[] IS NULL AND "index" > $2 ORDER BY "index" LIMIT $3)
      UNION ALL
      (SELECT origin_index, job_id, "index" FROM retried_record
        WHERE root_id = $1 AND origin_index > $2 AND ($5::uuid[] IS NULL OR job_id = ANY($5))
        ORDER BY origin_index LIMIT $3)
      ORDER BY place LIMIT $3
    ) AS found CROSS JOIN LATERAL (
      SELECT data::text AS data FROM record WHERE job_id = found.job_id AND record."index" = found."index" LIMIT 1
    ) AS loaded ORDER BY place
"""
)
"""Of the whole family $1, or of its retries $5 alone. Both halves are in the order of an index, whose place $2 begins at."""


async def record_page(job: models.Job, first: int | None, after: str | None) -> Connection[Record]:
    """A page of the job's accepted records, in file order."""

    async def count() -> int:
        return job.records_stored

    return _RECORDS.read_page(first, after, _reading(_OWN_PAGE, job.id), count)


async def family_page(job: models.Job, first: int | None, after: str | None) -> Connection[Record]:
    """A page of the accepted records of the job, of its retries, of their retries, and so on, in the order of the first file."""
    if job.root_id is None:
        family_id, only = job.id, None
    else:
        family_id, only = job.root_id, [job.id, *await job.descendants()]

    async def count() -> int:
        if only is None:
            return job.records_stored + int(job.records_retried)
        return await models.Job.count_stored(only)

    return _FAMILY.read_page(first, after, _reading(_FAMILY_PAGE, family_id, only), count)


def _reading(statement: str, job_id: UUID, *more: Any) -> Read[Record]:
    """Reads a page by `statement`, within what the operation may still have."""

    async def read(info: Info, start: Start, limit: int) -> Fetched[Record]:
        [behind] = start or (-1,)
        allowance = info.context.allowance(info.operation)
        async with allowance.left() as left:
            most = min(left, _MAX_PAGE_MIB * 1024 * 1024)
            rows = await _select(statement, job_id, behind, limit + 1, most, *more)
            given = [row for row in rows[:limit] if row["data"] is not None]
            size = given[-1]["up_to"] if given else 0
            allowance.spend(size)
        return Fetched([_found(row) for row in given], len(rows) > len(given), size, frozenset({"data"}))

    return read


def _found(row: dict[str, Any]) -> tuple[tuple[int], Record]:
    record = Record(index=row["index"], origin_index=row["origin_index"], data=loaded_json(row["data"]))
    return (row["place"],), record


async def error_page(
    job: models.Job, first: int | None, after: str | None, only: RecordErrorFilter
) -> Connection[RecordError]:
    """A page of the job's errors, in file order."""
    total = only.count(job.error_counts)
    paths = ErrorPaths(job)

    async def read(info: Info, start: Start, limit: int) -> Fetched[RecordError]:
        rows = await _errors(job, start or (-1, -1), limit + 1, only, paths) if total else []
        size = sum(len(error.message) + len(error.raw_value or "") for _, error in rows)
        info.context.allowance(info.operation).take(size)
        return Fetched(rows[:limit], len(rows) > limit, size, frozenset({"message", "rawValue"}))

    async def count() -> int:
        return total

    return _ERRORS.read_page(first, after, read, count)


async def _errors(
    job: models.Job, behind: tuple[Any, ...], limit: int, only: RecordErrorFilter, paths: ErrorPaths
) -> list[tuple[tuple[int, int], RecordError]]:
    rows = await _select(
        "SELECT record_index, CASE WHEN $7 THEN record_index ELSE origin_index END AS origin_index, seq, line, byte_offset,"
        " field, code, message, raw_value, source"
        " FROM record_error"
        " WHERE job_id = $1 AND (record_index, seq) > ($2, $3)"
        " AND ($5::text IS NULL OR field = $5) AND ($6::text IS NULL OR code = $6)"
        " ORDER BY record_index, seq LIMIT $4",
        job.id, *behind, limit, given(only.field), given(only.code), job.root_id is None,
    )  # fmt: skip
    found = []
    for row in rows:
        key = (row["record_index"], row.pop("seq"))
        found.append((key, RecordError(paths=paths, **{**row, "code": RecordErrorCode(row["code"])})))
    return found


async def _select(query: str, *values: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await connections.get("default").execute_query_dict(query, list(values))
    return rows
