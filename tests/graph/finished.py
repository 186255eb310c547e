"""Finished jobs as a worker leaves them: a stored file, and the errors that its reading gave."""

import hashlib
import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from tortoise import connections

from models import Job, RecordSchema
from tasks.load import ERROR_COLUMNS
from tasks.pipeline.batches import batches
from tasks.pipeline.definition import define
from tasks.pipeline.record import ChunkSize, FileFormat, Position
from tests.factories import make_job
from tests.graph.api import Owner, data, id_of

REJECTED = "query ($id: ID!) { job(id: $id) { rejectedFile { url filename sizeBytes expiresAt } } }"
INDEXED = "query ($id: ID!) { job(id: $id) { rejectedFile(withIndex: true) { url filename sizeBytes } } }"
REPORT = "query ($id: ID!, $format: ErrorReportFormat) { job(id: $id) { errorReport(format: $format) { url filename sizeBytes } } }"

CONTENT = b'id,name\r\n1,a\r\nx,"b\r\nc"\r\n2,d\r\n\r\ny,=cmd\r\nz,e'
CUT = b'id,name\r\nx,"b\r\nc"\r\ny,=cmd\r\nz,e\r\n'


DEFINITION: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "INTEGER"},
        {"name": "name", "type": "STRING", "required": False},
    ]
}


async def finished_job(
    owner: Owner,
    store: Path,
    content: bytes,
    *,
    format: str = "CSV",
    definition: dict[str, Any] = DEFINITION,
    **columns: Any,
) -> Job:
    """COMPLETED, of this file; its records are counted and not loaded."""
    saved = define(definition).model_dump(mode="json")
    schema = await RecordSchema.save_version(owner.id, f"orders {uuid4()}", saved)
    job = await make_job(
        partner=owner.row, schema=schema, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest(),
        **{"format": format, "filename": f"orders.{format.lower()}"} | columns,
    )  # fmt: skip
    store.mkdir(exist_ok=True)
    (store / job.storage_key).write_bytes(content)
    accepted = rejected = 0
    counts: dict[str, dict[str, int]] = {}
    async with connections.get("default").acquire_connection() as connection:
        for batch in batches(
            io.BytesIO(content),
            len(content),
            FileFormat(format),
            define(definition),
            job.id,
            Position(),
            ChunkSize(),
        ):
            accepted, rejected = accepted + batch.accepted, rejected + batch.rejected
            for (field, code), count in batch.error_counts.items():
                codes = counts.setdefault(field or "", {})
                codes[code] = codes.get(code, 0) + count
            await _copy(connection, batch.errors)
    await Job.filter(id=job.id).update(
        status="COMPLETED",
        records_accepted=accepted,
        records_rejected=rejected,
        bytes_read=len(content),
        error_counts=counts,
    )
    return await Job.get(id=job.id)


async def link(client: httpx.AsyncClient, owner: Owner, job: Job, query: str = REJECTED, **more: Any) -> Any:
    """The download that the job offers."""
    [found] = (await data(client, owner, query, id=id_of(job), **more))["job"].values()
    return found


async def retried(root: Job, retry: Job, *origins: int) -> None:
    """These records of `root` have been loaded by `retry`, as tasks/load.py notes it."""
    database = connections.get("default")
    for index, origin in enumerate(origins):
        await database.execute_query(
            'INSERT INTO retried_record (root_id, origin_index, job_id, "index") VALUES ($1, $2, $3, $4)',
            [root.id, origin, retry.id, index],
        )
    await database.execute_query(
        "UPDATE job SET records_retried = records_retried + $2, retries_version = retries_version + 1 WHERE id = $1",
        [root.id, len(origins)],
    )


async def _copy(connection: asyncpg.Connection, rows: bytes) -> None:
    if rows:
        await connection.copy_to_table(
            "record_error", source=io.BytesIO(rows), columns=ERROR_COLUMNS, format="text"
        )
