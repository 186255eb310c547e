"""What a partner's program asks of the API: save a schema, submit a file, watch it, see what became of it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from sluice.client import ApiClient, in_words
from sluice.errors import ApiError, Unreachable

T = TypeVar("T")

_CREATE_SCHEMA = """
mutation CreateSchema($input: CreateRecordSchemaInput!) {
  createRecordSchema(input: $input) {
    recordSchema { id name version }
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

_RETRY = """
mutation Retry($input: RetryJobInput!) {
  retryJob(input: $input) {
    job { id }
    userErrors { code message field }
  }
}
"""

_COMMIT = """
mutation Commit($input: CommitJobInput!) {
  commitJob(input: $input) {
    job { id }
    userErrors { code message field }
  }
}
"""

_DISCARD = """
mutation Discard($input: DiscardRecordsInput!) {
  discardRecords(input: $input) {
    job { id filename }
    userErrors { code message field }
  }
}
"""

_CANCEL = """
mutation Cancel($input: CancelJobInput!) {
  cancelJob(input: $input) {
    job { id status progress { recordsAccepted recordsRejected } }
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

_DISCARD_PROGRESS = """
subscription Progress($jobId: ID!) {
  discardProgress(jobId: $jobId) {
    jobId status percent recordsTotal recordsDiscarded requestedAt startedAt finishedAt
  }
}
"""

_DOWNLOADS = """
query Downloads($id: ID!) {
  job(id: $id) {
    id status dryRun
    rejectedFile { url filename }
    errorReport { url filename }
  }
}
"""

_JOB_FIELDS = """
fragment Fields on Job {
  id filename format status sizeBytes sha256 createdAt startedAt finishedAt
  recordSchema { id name version }
  progress { percent bytesRead recordsRead recordsAccepted recordsRejected recordsPerSecond etaSeconds }
  failure { code message recordIndex line }
  errorSummary { field code count }
  dryRun onFailure outstanding
  parent { id } commit { id } dryRunJob { id }
  discard { status recordsTotal recordsDiscarded }
}
"""

_JOB = f"""
query Job($id: ID!) {{
  job(id: $id) {{ ...Fields }}
}}
{_JOB_FIELDS}
"""

_JOBS = f"""
query Jobs($first: Int!, $after: String, $filter: JobFilter) {{
  jobs(first: $first, after: $after, filter: $filter) {{
    nodes {{ ...Fields }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
{_JOB_FIELDS}
"""

_ERRORS = """
query Errors($id: ID!, $first: Int!, $after: String, $filter: RecordErrorFilter) {
  job(id: $id) {
    errors(first: $first, after: $after, filter: $filter) {
      nodes { recordIndex line byteOffset field code message rawValue }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

_JOBS_A_PAGE = 100
_ERRORS_A_PAGE = 1_000
FINAL = ("COMPLETED", "FAILED", "CANCELLED")
_PATIENCE_SECONDS = 90.0
"""A busy server may send a client away for a minute."""

Object = dict[str, Any]


async def create_schema(client: ApiClient, definition: Object) -> Object:
    """Saves a schema of the shape of CreateRecordSchemaInput: the RecordSchema. Raises ApiError."""
    data = await client.execute(_CREATE_SCHEMA, {"input": definition})
    return _made(data["createRecordSchema"], "recordSchema")


async def submit_file(
    client: ApiClient,
    schema_id: str,
    content: BinaryIO,
    file_format: str | None = None,
    *,
    dry_run: bool = False,
    on_failure: str | None = None,
) -> str:
    """Uploads an open file as it is read, under its name; the job's id. Raises ApiError."""
    given: Object = {"schemaId": schema_id, "dryRun": dry_run}
    given |= _given(format=_upper(file_format), onFailure=_upper(on_failure))
    data = await client.upload(_SUBMIT, given, Path(content.name).name, content)
    return cast("str", _made(data["submitFile"], "job")["id"])


async def retry(
    client: ApiClient,
    job_id: str,
    content: BinaryIO | None,
    *,
    schema_id: str | None = None,
    file_format: str | None = None,
    idempotency_key: str | None = None,
) -> str:
    """Tries rejected records again, as they were sent or as the open file has them; the new job's id. Raises ApiError."""
    given: Object = {"jobId": job_id}
    given |= _given(schemaId=schema_id, format=_upper(file_format), idempotencyKey=idempotency_key)
    if content is None:
        data = await client.execute(_RETRY, {"input": given})
    else:
        data = await client.upload(_RETRY, given, Path(content.name).name, content)
    return cast("str", _made(data["retryJob"], "job")["id"])


def _given(**inputs: str | None) -> Object:
    return {name: value for name, value in inputs.items() if value is not None}


def _upper(name: str | None) -> str | None:
    return name.upper() if name else None


async def commit(client: ApiClient, job_id: str) -> str:
    """Loads the file of a dry run; the new job's id. Raises ApiError."""
    data = await client.execute(_COMMIT, {"input": {"jobId": job_id}})
    return cast("str", _made(data["commitJob"], "job")["id"])


async def discard(client: ApiClient, job_id: str) -> Object:
    """Asks for the deletion of what a job has loaded: its id and its file's name. Raises ApiError."""
    data = await client.execute(_DISCARD, {"input": {"jobId": job_id}})
    return _made(data["discardRecords"], "job")


async def downloads(client: ApiClient, job_id: str) -> Object:
    """A job's status, and the links to its rejected records and to its errors. Raises ApiError."""
    return _found((await client.execute(_DOWNLOADS, {"id": job_id}))["job"], job_id)


async def cancel(client: ApiClient, job_id: str) -> Object:
    """Stops a job: the Job as it stands now. Raises ApiError."""
    data = await client.execute(_CANCEL, {"input": {"jobId": job_id}})
    return _made(data["cancelJob"], "job")


def _made(payload: Object, name: str) -> Object:
    if payload["userErrors"]:
        raise ApiError(in_words(payload["userErrors"]), payload["userErrors"])
    return cast("Object", payload[name])


async def progress(
    client: ApiClient, job_id: str, on_lost: Callable[[], None] = lambda: None
) -> AsyncIterator[Object]:
    """Each state of a job up to its final one, as `_states` gives them."""
    async with aclosing(_states(client, _PROGRESS, job_id, on_lost)) as states:
        async for state in states:
            yield state


async def discard_progress(
    client: ApiClient, job_id: str, on_lost: Callable[[], None] = lambda: None
) -> AsyncIterator[Object]:
    """Each state of a job's discard up to its final one, as `_states` gives them."""
    async with aclosing(_states(client, _DISCARD_PROGRESS, job_id, on_lost)) as states:
        async for state in states:
            yield state


async def _states(
    client: ApiClient, subscription: str, job_id: str, on_lost: Callable[[], None]
) -> AsyncGenerator[Object]:
    """Through lost connections: a subscription begins with the state now.

    Raises ApiError, and Unreachable when nobody answers for a minute and a half.
    """
    lost_at: float | None = None
    while True:
        # A server that is stopping may complete every subscription.
        lost = Unreachable(f"{client.url} ended the subscription before the end")
        try:
            async with aclosing(client.subscribe(subscription, {"jobId": job_id})) as events:
                async for event in events:
                    lost_at = None
                    [state] = event.values()
                    yield state
                    if state["status"] in FINAL:
                        return
        except Unreachable as error:
            lost = error
        lost_at = lost_at or time.monotonic()
        if time.monotonic() - lost_at > _PATIENCE_SECONDS:
            raise lost
        on_lost()
        await asyncio.sleep(lost.retry_seconds)


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer to what may be asked again, through lost connections. Raises ApiError; Unreachable only in the end."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await ask()
        except Unreachable as lost:
            if time.monotonic() + lost.retry_seconds > until:
                raise
            await asyncio.sleep(lost.retry_seconds)


async def job(client: ApiClient, job_id: str) -> Object:
    """How a job stands. Raises ApiError."""
    return _found((await client.execute(_JOB, {"id": job_id}))["job"], job_id)


async def jobs(client: ApiClient, first: int, status: str | None = None) -> list[Object]:
    """The `first` newest jobs. Raises ApiError."""
    found: list[Object] = []
    only = {"status": status} if status else {}
    after = None
    while len(found) < first:
        size = min(_JOBS_A_PAGE, first - len(found))
        page = (await client.execute(_JOBS, {"first": size, "after": after, "filter": only}))["jobs"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    return found


async def errors(client: ApiClient, job_id: str, only: Object) -> AsyncIterator[list[Object]]:
    """All errors of a job, page by page; `only`: a RecordErrorFilter. Raises ApiError."""
    page = await error_page(client, job_id, only)
    yield page["nodes"]
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        # Whoever has read thousands of errors shall not begin anew.
        page = await patiently(partial(error_page, client, job_id, only, after=after))
        yield page["nodes"]


async def error_page(
    client: ApiClient, job_id: str, only: Object, *, first: int = _ERRORS_A_PAGE, after: str | None = None
) -> Object:
    """One page of a job's errors: a RecordErrorConnection. Raises ApiError."""
    variables = {"id": job_id, "first": first, "after": after, "filter": only}
    job = _found((await client.execute(_ERRORS, variables))["job"], job_id)
    return cast("Object", job["errors"])


def _found(job: Object | None, job_id: str) -> Object:
    if job is None:
        raise ApiError(f"NOT_FOUND: there is no job {job_id} for this key")
    return job
