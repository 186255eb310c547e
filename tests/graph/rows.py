"""Rows that the API reads: what it saved itself, and what a worker would have loaded."""

from typing import Any

from tortoise import connections

from models import Job, Partner, RecordSchema
from tasks.pipeline.definition import define
from tests.factories import DEFINITION


async def make_schema(*, partner: Partner) -> RecordSchema:
    """The next version of a schema called `orders`, saved as the API saves it."""
    return await RecordSchema.save_version(partner.id, "orders", define(DEFINITION).model_dump(mode="json"))


async def load(job: Job, records: list[str], errors: list[tuple[int, str | None, str]]) -> None:
    """Records (as JSON text) at the indexes that have no error; errors as (index, field, code)."""
    database = connections.get("default")
    bad = {index for index, _, _ in errors}
    good = [index for index in range(len(records) + len(bad)) if index not in bad]
    for index, data in zip(good, records, strict=True):
        await database.execute_query(
            'INSERT INTO record (job_id, "index", data) VALUES ($1, $2, $3::jsonb)', [job.id, index, data]
        )
    counts: dict[str, dict[str, int]] = {}
    for seq, (index, field, code) in enumerate(errors):
        await database.execute_query(
            "INSERT INTO record_error (job_id, record_index, seq, line, byte_offset, field, code, message, raw_value)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [job.id, index, seq, index + 2, index * 10, field, code, "No.", "x"],
        )
        codes = counts.setdefault(field or "", {})
        codes[code] = codes.get(code, 0) + 1
    await Job.filter(id=job.id).update(
        records_accepted=len(records), records_rejected=len(bad), error_counts=counts
    )


async def finish(job: Job, **columns: Any) -> None:
    """COMPLETED, or what `columns` say."""
    await Job.filter(id=job.id).update(**({"status": "COMPLETED", "bytes_read": job.size_bytes} | columns))
