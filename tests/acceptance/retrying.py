"""Submitting rejected records again, as a partner does it."""

import io
from pathlib import Path
from typing import Any

import httpx

from sluice.client import ApiClient
from tests.stack import create_schema, finished, submit

FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "INTEGER"},
    {"name": "email", "type": "EMAIL"},
]
LENIENT: list[dict[str, Any]] = [{"name": "id", "type": "INTEGER"}, {"name": "email", "type": "STRING"}]

RETRY = """
mutation Retry($input: RetryJobInput!) {
  retryJob(input: $input) { job { id filename format parent { id } } userErrors { code message field } }
}
"""
FAMILY = """
query Family($id: ID!, $after: String, $indexed: Boolean = false) {
  job(id: $id) {
    outstanding
    parent { id }
    retries(first: 100) { totalCount nodes { id outstanding } }
    rejectedFile(withIndex: $indexed) { url filename }
    errors(first: 1000) { nodes { recordIndex originIndex code } }
    own: records(first: 1000) { totalCount nodes { index originIndex } }
    records(first: 7, after: $after, includeRetries: true) {
      totalCount nodes { index originIndex data } pageInfo { hasNextPage endCursor }
    }
  }
}
"""


def csv(count: int, bad: set[int]) -> str:
    """`count` rows, those of `bad` without a proper address."""
    rows = (f"{n},{'nobody' if n in bad else f'{n}@example.com'}\n" for n in range(count))
    return "id,email\n" + "".join(rows)


async def submitted(client: ApiClient, folder: Path, count: int, bad: set[int]) -> tuple[str, str]:
    """The ids of the schema and of a job that is finished."""
    schema_id = await create_schema(client, fields=FIELDS)
    path = folder / "people.csv"
    path.write_text(csv(count, bad))
    job_id = await submit(client, schema_id, path)
    assert (await finished(client, job_id))["status"] == "COMPLETED"
    return schema_id, job_id


async def ask_retry(
    client: ApiClient, job_id: str, content: str | None = None, filename: str = "fixed.csv", **more: Any
) -> dict[str, Any]:
    """The payload of retryJob: with the file, or as plain JSON without one."""
    given = {"jobId": job_id, **more}
    if content is None:
        answer = await client.execute(RETRY, {"input": given})
    else:
        answer = await client.upload(RETRY, given, filename, io.BytesIO(content.encode()))
    payload: dict[str, Any] = answer["retryJob"]
    return payload


async def retry(client: ApiClient, job_id: str, content: str | None = None, **more: Any) -> dict[str, Any]:
    """The retry, once it is finished."""
    payload = await ask_retry(client, job_id, content, **more)
    assert [] == payload["userErrors"]
    assert job_id == payload["job"]["parent"]["id"]
    return await finished(client, payload["job"]["id"])


async def family(client: ApiClient, job_id: str, **more: Any) -> dict[str, Any]:
    """The job with the records of the family, all pages of them."""
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        job: dict[str, Any] = (await client.execute(FAMILY, {"id": job_id, "after": after, **more}))["job"]
        nodes += job["records"]["nodes"]
        if not job["records"]["pageInfo"]["hasNextPage"]:
            job["records"]["nodes"] = nodes
            return job
        after = job["records"]["pageInfo"]["endCursor"]


async def rejected(client: ApiClient, job_id: str, *, indexed: bool = False) -> str:
    """The rejected records, fetched by their link without a key."""
    link = (await family(client, job_id, indexed=indexed))["rejectedFile"]["url"]
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(link)
    assert 200 == answer.status_code
    return answer.text


def assert_whole(job: dict[str, Any], count: int) -> None:
    """The records of the family are the whole file, in its order, each of them once."""
    assert [str(n) for n in range(count)] == [node["originIndex"] for node in job["records"]["nodes"]]
    assert list(range(count)) == [node["data"]["id"] for node in job["records"]["nodes"]]
    assert (str(count), "0", None) == (
        job["records"]["totalCount"], job["outstanding"], job["rejectedFile"],
    )  # fmt: skip
