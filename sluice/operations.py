"""What a partner's program asks of the API: save a schema, submit a file, watch it, see what became of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from sluice.client import ApiClient, in_words
from sluice.errors import ApiError, Unreachable

_CREATE_SCHEMA = """
mutation CreateSchema($input: CreateRecordSchemaInput!) {
  createRecordSchema(input: $input) {
    recordSchema { id }
    userErrors { code message field }
  }
}
"""

_SUBMIT = """
mutation Submit($input: SubmitFileInput!) {
  submitFile(input: $input) {
    job { id }
    userErrors { code message field }
  }
}
"""

_PROGRESS = """
subscription Progress($jobId: ID!) {
  jobProgress(jobId: $jobId) {
    status percent bytesTotal bytesRead recordsRead recordsAccepted recordsRejected recordsPerSecond etaSeconds
  }
}
"""

_RESULT = """
query Result($id: ID!, $errors: Int!) {
  job(id: $id) {
    id filename status sizeBytes startedAt finishedAt
    progress { recordsRead recordsAccepted recordsRejected }
    failure { code message recordIndex line }
    errorSummary { field code count }
    errors(first: $errors) { nodes { recordIndex line field code message rawValue } }
  }
}
"""

_PATIENCE_SECONDS = 30.0
_RETRY_SECONDS = 0.5


async def create_schema(client: ApiClient, definition: dict[str, Any]) -> str:
    """Saves a schema of the shape of CreateRecordSchemaInput; its id. Raises ApiError."""
    data = await client.execute(_CREATE_SCHEMA, {"input": definition})
    return _id(data["createRecordSchema"], "recordSchema")


async def submit_file(
    client: ApiClient, schema_id: str, content: BinaryIO, file_format: str | None = None
) -> str:
    """Uploads an open file as it is read, under its name; the job's id. Raises ApiError."""
    given: dict[str, Any] = {"schemaId": schema_id}
    if file_format:
        given["format"] = file_format.upper()
    data = await client.upload(_SUBMIT, given, Path(content.name).name, content)
    return _id(data["submitFile"], "job")


def _id(payload: dict[str, Any], name: str) -> str:
    if payload["userErrors"]:
        raise ApiError(in_words(payload["userErrors"]))
    return cast("str", payload[name]["id"])


async def progress(client: ApiClient, job_id: str) -> AsyncIterator[dict[str, Any]]:
    """Each state of a job up to its final one, through lost connections: a subscription begins with the state now.

    Raises ApiError, and Unreachable when nobody answers for half a minute.
    """
    lost_at: float | None = None
    while True:
        try:
            async for event in client.subscribe(_PROGRESS, {"jobId": job_id}):
                lost_at = None
                yield event["jobProgress"]
        except Unreachable:
            lost_at = lost_at or time.monotonic()
            if time.monotonic() - lost_at > _PATIENCE_SECONDS:
                raise
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


async def result(client: ApiClient, job_id: str, errors: int) -> dict[str, Any]:
    """How a job stands, with its first `errors` errors. Raises ApiError."""
    data = await client.execute(_RESULT, {"id": job_id, "errors": errors})
    if data["job"] is None:
        raise ApiError(f"NOT_FOUND: there is no job {job_id} for this key")
    return cast("dict[str, Any]", data["job"])
