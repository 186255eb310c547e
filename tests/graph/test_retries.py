"""retryJob, Job.retries, Job.outstanding and the records of a family; the tests load what a worker would."""

import asyncio
import hashlib
import json
import struct
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tortoise import connections

from models import Job, JobStatus, OnFailure, RecordSchema, RetriedRecord
from tasks.pipeline.definition import define
from tests.factories import DEFINITION, make_job, make_schema
from tests.graph.api import MAP, Owner, closed, data, id_of, part, submit

_CONTENT = b"id,email,amount\n0,a@example.com,1\nx,b@example.com,2\n2,nobody,3\n3,c@example.com,4\n4,d@example.com,-1\n"
_LINES = _CONTENT.splitlines(keepends=True)
_BAD = [1, 2, 4]
_RETRY = """mutation ($input: RetryJobInput!) { retryJob(input: $input) { userErrors { code message field }
  job { id status filename format sizeBytes onFailure parent { id } recordSchema { id } } } }"""


@pytest.fixture
async def rejected(partner: Owner, schema: RecordSchema, store: Path) -> Job:
    """COMPLETED: of five records the second, third and fifth are rejected."""
    return await _rejected(partner, schema, store)


async def _rejected(owner: Owner, schema: RecordSchema, store: Path, **columns: Any) -> Job:
    key = uuid4().hex
    store.mkdir(exist_ok=True)
    (store / key).write_bytes(_CONTENT)
    job = await make_job(
        partner=owner.row, schema=schema, storage_key=key, size_bytes=len(_CONTENT),
        sha256=hashlib.sha256(_CONTENT).hexdigest(),
        **{
            "status": JobStatus.COMPLETED, "records_accepted": 2, "records_rejected": 3, "next_index": 5,
            "error_counts": {"id": {"INVALID_INTEGER": 1}, "email": {"INVALID_EMAIL": 1}, "amount": {"TOO_SMALL": 1}},
        } | columns,
    )  # fmt: skip
    await _reject(job, {index: index for index in _BAD})
    await _accept(job, {0: None, 3: None})
    return job


async def _reject(job: Job, origins: dict[int, int | None]) -> None:
    for index, origin in origins.items():
        line = min(index + 1, len(_LINES) - 1)
        await connections.get("default").execute_query(
            "INSERT INTO record_error (job_id, record_index, seq, line, byte_offset, byte_length, field, code, message,"
            " raw_value, origin_index) VALUES ($1, $2, 0, $3, $4, $5, 'id', 'INVALID_INTEGER', 'No.', 'x', $6)",
            [
                job.id,
                index,
                line + 1,
                len(b"".join(_LINES[:line])),
                len(_LINES[line]),
                origin if job.root_id else None,
            ],
        )


async def _accept(job: Job, origins: dict[int, int | None]) -> None:
    """Index -> origin of records that the job has loaded, as a worker does it."""
    for index, origin in origins.items():
        await connections.get("default").execute_query(
            'INSERT INTO record (job_id, "index", data, origin_index) VALUES ($1, $2, $3::jsonb, $4)',
            [job.id, index, json.dumps({"of": job.id.hex, "index": index}), origin],
        )
        if job.root_id and origin is not None:
            await RetriedRecord.create(root_id=job.root_id, origin_index=origin, job_id=job.id, index=index)
            root = await Job.get(id=job.root_id)
            await Job.filter(id=root.id).update(records_retried=root.records_retried + 1)


async def _retry_of(job: Job, accepted: dict[int, int | None], rejected: dict[int, int | None]) -> Job:
    """A finished retry of `job`: index -> origin of what it has loaded, and of what it has not."""
    made = await Job.create(
        partner_id=job.partner_id, record_schema_id=job.record_schema_id, status=JobStatus.COMPLETED,
        filename="mended.csv", format="CSV", size_bytes=len(_CONTENT), sha256="0" * 64, storage_key=job.storage_key,
        parent_id=job.id, root_id=job.root_id or job.id, records_accepted=len(accepted), records_rejected=len(rejected),
        error_counts={"id": {"INVALID_INTEGER": len(rejected)}},
    )  # fmt: skip
    await _accept(made, accepted)
    await _reject(made, rejected)
    return made


async def _retry(client: httpx.AsyncClient, owner: Owner, job: Job | str, **more: Any) -> dict[str, Any]:
    id = job if isinstance(job, str) else id_of(job)
    payload: dict[str, Any] = (await data(client, owner, _RETRY, input={"jobId": id, **more}))["retryJob"]
    return payload


async def _retry_with(
    client: httpx.AsyncClient,
    owner: Owner,
    job: Job,
    content: bytes,
    filename: str = "mended.csv",
    **more: Any,
) -> dict[str, Any]:
    operations = {"query": _RETRY, "variables": {"input": {"jobId": id_of(job), "file": None, **more}}}
    parts = [
        part("operations", json.dumps(operations)),
        part("map", MAP),
        part("0", content, filename=filename),
    ]
    answer = (await submit(client, owner, closed(parts))).json()
    assert "errors" not in answer, answer
    payload: dict[str, Any] = answer["data"]["retryJob"]
    return payload


def _origins(store: Path, job: Job) -> list[int]:
    assert job.origins_key
    content = (store / job.origins_key).read_bytes()
    return list(struct.unpack(f"<{len(content) // 8}q", content))


async def test_a_retry_without_a_file_has_the_rejected_records_as_they_were_sent(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job, store: Path
) -> None:
    """The header and the three lines, byte for byte, and their indexes."""
    payload = await _retry(app_client, partner, rejected)

    made = await Job.get(parent_id=rejected.id)
    assert [] == payload["userErrors"]
    assert {
        "id": id_of(made), "status": "PENDING", "filename": "orders.rejected.csv", "format": "CSV",
        "sizeBytes": str(made.size_bytes), "onFailure": "KEEP", "parent": {"id": id_of(rejected)},
        "recordSchema": payload["job"]["recordSchema"],
    } == payload["job"]  # fmt: skip
    content = (store / made.storage_key).read_bytes()
    assert _LINES[0] + _LINES[2] + _LINES[3] + _LINES[5] == content
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (made.sha256, made.size_bytes)
    assert (rejected.id, rejected.id) == (made.parent_id, made.root_id)
    assert [*_BAD, -1] == _origins(store, made)


async def test_a_retry_with_a_file_has_that_file_and_what_is_outstanding(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path
) -> None:
    """What a retry has loaded since is not asked for again; `onFailure` is the parent's."""
    job = await _rejected(partner, schema, store, on_failure=OnFailure.DISCARD)
    await _retry_of(job, {0: 2}, {})

    payload = await _retry_with(app_client, partner, job, b"id,email\n1,a@example.com\n4,b@example.com\n")

    made = await Job.get(parent_id=job.id, filename="mended.csv", status=JobStatus.PENDING)
    assert (id_of(made), "DISCARD") == (payload["job"]["id"], payload["job"]["onFailure"])
    assert b"id,email\n1,a@example.com\n4,b@example.com\n" == (store / made.storage_key).read_bytes()
    assert [1, 4] == _origins(store, made)


async def test_a_retry_of_a_retry_goes_back_to_the_first_file(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job, store: Path
) -> None:
    """Origins are indexes of the first file, in the order of the retry's own; who names none has no part in it."""
    first = await _retry_of(rejected, {1: 2}, {0: 4, 2: 1, 3: None})

    await _retry(app_client, partner, first)

    made = await Job.get(parent_id=first.id)
    assert rejected.id == made.root_id
    assert [4, 1, -1] == _origins(store, made)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"status": "PENDING"}, "still PENDING"),
        ({"status": "PROCESSING"}, "still PROCESSING"),
        ({"dry_run": True}, "commitJob"),
        ({"records_rejected": 0}, "outstanding"),
    ],
)
async def test_what_cannot_be_retried_is_told_before_the_file(
    app_client: httpx.AsyncClient,
    partner: Owner,
    rejected: Job,
    store: Path,
    columns: dict[str, Any],
    says: str,
) -> None:
    """INVALID_STATE, no job, and nothing new in the storage."""
    await Job.filter(id=rejected.id).update(**columns)
    before = set(store.iterdir())

    for payload in (
        await _retry(app_client, partner, rejected),
        await _retry_with(app_client, partner, rejected, b"id\n1\n"),
    ):
        [error] = payload["userErrors"]
        assert ("INVALID_STATE", ["input", "jobId"]) == (error["code"], error["field"])
        assert says in error["message"]

    assert not await Job.exists(parent_id=rejected.id)
    assert before == set(store.iterdir())


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
async def test_a_job_that_did_not_reach_its_end_can_be_retried(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path, status: str
) -> None:
    """As far as it came."""
    job = await _rejected(partner, schema, store, status=status)

    assert [] == (await _retry(app_client, partner, job))["userErrors"]


async def test_another_version_of_the_schema_may_be_taken_and_no_other_schema(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, rejected: Job
) -> None:
    """By name; another partner's looks as if it did not exist."""
    newer = await make_schema(partner=partner.row)
    other = await RecordSchema.save_version(
        partner.id, "invoices", define(DEFINITION).model_dump(mode="json")
    )
    theirs = await make_schema(partner=other_partner.row)

    taken = await _retry(app_client, partner, rejected, schemaId=id_of(newer))
    wrong = await _retry(app_client, partner, rejected, schemaId=id_of(other))
    foreign = await _retry(app_client, partner, rejected, schemaId=id_of(theirs))

    assert id_of(newer) == taken["job"]["recordSchema"]["id"]
    assert [("INVALID", ["input", "schemaId"])] == [(e["code"], e["field"]) for e in wrong["userErrors"]]
    assert "'orders'" in wrong["userErrors"][0]["message"]
    assert [("NOT_FOUND", ["input", "schemaId"])] == [(e["code"], e["field"]) for e in foreign["userErrors"]]


async def test_the_same_idempotency_key_answers_with_the_same_retry(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job, store: Path
) -> None:
    """Even if less is outstanding by now, or ten ask at once; for another job, or another file, it is a conflict."""
    payloads = await asyncio.gather(
        *(_retry(app_client, partner, rejected, idempotencyKey="k") for _ in range(10))
    )
    made = await Job.get(parent_id=rejected.id)
    files = set(store.iterdir())
    await _accept(made, {0: 1})
    payloads.append(await _retry(app_client, partner, rejected, idempotencyKey="k"))
    assert {id_of(made)} == {payload["job"]["id"] for payload in payloads}
    assert files == set(store.iterdir())

    one = await _retry_with(app_client, partner, rejected, b"id\n1\n", idempotencyKey="f")
    same = await _retry_with(app_client, partner, rejected, b"id\n1\n", idempotencyKey="f")
    other = await _retry_with(app_client, partner, rejected, b"id\n2\n", idempotencyKey="f")
    assert one["job"]["id"] == same["job"]["id"]
    assert ["IDEMPOTENCY_CONFLICT"] == [error["code"] for error in other["userErrors"]]
    assert 2 == await Job.filter(parent_id=rejected.id).count()
    assert len(files) + 2 == len(list(store.iterdir()))


async def test_a_retry_that_has_left_nothing_outstanding_still_answers_to_its_key(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job, store: Path
) -> None:
    """Who lost the answer asks again, and may do so after the retry has loaded everything."""
    made = await _retry(app_client, partner, rejected, idempotencyKey="k")
    sent = await _retry_with(app_client, partner, rejected, b"id\n1\n", idempotencyKey="f")
    files = set(store.iterdir())
    row = await Job.get(parent_id=rejected.id, idempotency_key="k")
    await _accept(row, dict(enumerate(_BAD)))

    same = await _retry(app_client, partner, rejected, idempotencyKey="k")
    same_file = await _retry_with(app_client, partner, rejected, b"id\n1\n", idempotencyKey="f")
    other_file = await _retry_with(app_client, partner, rejected, b"id\n2\n", idempotencyKey="f")
    other_key = await _retry(app_client, partner, rejected, idempotencyKey="other")

    assert made == same
    assert sent == same_file
    assert ["IDEMPOTENCY_CONFLICT"] == [error["code"] for error in other_file["userErrors"]]
    assert ["INVALID_STATE"] == [error["code"] for error in other_key["userErrors"]]
    assert files == set(store.iterdir())


async def test_the_format_is_the_files_or_else_the_jobs(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job
) -> None:
    """What is mended may come back in another format."""
    formats = [
        (await _retry_with(app_client, partner, rejected, b"[]", name, **more))["job"]["format"]
        for name, more in [("m.json", {}), ("mended", {}), ("m.csv", {"format": "NDJSON"})]
    ]

    assert ["JSON", "CSV", "NDJSON"] == formats


async def test_retries_that_are_the_same_share_their_file(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job, store: Path
) -> None:
    """Who asks again and again leaves a list of origins each time, and no other copy; a copy that is gone is made anew."""
    for _ in range(3):
        await _retry(app_client, partner, rejected)
    made = await Job.filter(parent_id=rejected.id)
    [key] = {job.storage_key for job in made}
    assert {rejected.storage_key, key, *(job.origins_key for job in made)} >= _since(store, rejected)
    assert _LINES[0] + _LINES[2] + _LINES[3] + _LINES[5] == (store / key).read_bytes()

    (store / key).unlink()
    await _retry(app_client, partner, rejected)

    last = await Job.filter(parent_id=rejected.id).order_by("-id").first()
    assert last
    assert key != last.storage_key
    assert (store / last.storage_key).stat().st_size == last.size_bytes


def _since(store: Path, parent: Job) -> set[str]:
    """The files that are there since the parent's was."""
    since = (store / parent.storage_key).stat().st_mtime_ns
    return {path.name for path in store.iterdir() if path.stat().st_mtime_ns >= since}


async def test_a_stored_file_that_is_gone_is_told(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job, store: Path
) -> None:
    """There is nothing left to cut the records out of; a file of their own still does."""
    (store / rejected.storage_key).unlink()

    [error] = (await _retry(app_client, partner, rejected))["userErrors"]

    assert ("INVALID_STATE", ["input", "jobId"]) == (error["code"], error["field"])
    assert "submit" in error["message"].lower()
    assert [] == (await _retry_with(app_client, partner, rejected, b"id\n1\n"))["userErrors"]


async def test_a_job_of_a_version_that_did_not_note_lengths_is_retried_with_a_file(
    app_client: httpx.AsyncClient, partner: Owner, rejected: Job, store: Path
) -> None:
    """Its records cannot be cut out, and it is said what can be done; which they are is known."""
    await connections.get("default").execute_query(
        "UPDATE record_error SET byte_length = NULL WHERE job_id = $1", [rejected.id]
    )

    [error] = (await _retry(app_client, partner, rejected))["userErrors"]
    sent = await _retry_with(app_client, partner, rejected, b"id\n1\n2\n3\n")

    assert "a file of their own" in error["message"]
    assert [] == sent["userErrors"]
    assert _BAD == _origins(store, await Job.get(parent_id=rejected.id))


_FAMILY = """query ($id: ID!, $first: Int, $after: String) { job(id: $id) {
  outstanding parent { id } retries { totalCount nodes { id outstanding } }
  errors { nodes { recordIndex originIndex } }
  records(first: $first, after: $after, includeRetries: true) { totalCount pageInfo { hasNextPage endCursor }
    nodes { index originIndex } } } }"""


async def test_a_family_is_read_as_one(app_client: httpx.AsyncClient, partner: Owner, rejected: Job) -> None:
    """Outstanding is what nobody has loaded; records stand in the order of the first file, on any page."""
    first = await _retry_of(rejected, {1: 2}, {0: 4, 2: 1})
    await _retry_of(first, {0: 1}, {1: 4})

    async def read(job: Job, **page: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await data(app_client, partner, _FAMILY, id=id_of(job), **page))["job"]
        return found

    root = await read(rejected)
    assert ("1", None) == (root["outstanding"], root["parent"])
    assert {"totalCount": "1", "nodes": [{"id": id_of(first), "outstanding": "1"}]} == root["retries"]
    assert [("0", "0"), ("0", "1"), ("1", "2"), ("3", "3")] == _places(root)
    assert [("1", "1"), ("2", "2"), ("4", "4")] == _errors(root)

    middle = await read(first)
    assert ("1", {"id": id_of(rejected)}) == (middle["outstanding"], middle["parent"])
    assert ("2", [("0", "1"), ("1", "2")]) == (middle["records"]["totalCount"], _places(middle))
    assert [("0", "4"), ("2", "1")] == _errors(middle)

    page, walked, after = await read(rejected, first=1), [], None
    while page["records"]["pageInfo"]["hasNextPage"]:
        walked += _places(page)
        after = page["records"]["pageInfo"]["endCursor"]
        page = await read(rejected, first=1, after=after)
    assert _places(root) == walked + _places(page)
    assert "4" == page["records"]["totalCount"]


def _places(job: dict[str, Any]) -> list[tuple[str, str]]:
    return [(node["index"], node["originIndex"]) for node in job["records"]["nodes"]]


def _errors(job: dict[str, Any]) -> list[tuple[str, str]]:
    return [(node["recordIndex"], node["originIndex"]) for node in job["errors"]["nodes"]]
