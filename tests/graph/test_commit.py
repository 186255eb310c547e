"""dryRun and onFailure on submitFile, and commitJob."""

import asyncio
from typing import Any

import httpx
import pytest

from models import Job, JobStatus, OnFailure, RecordSchema
from tests.factories import make_job
from tests.graph.api import Owner, data, execute, id_of, submission, submit
from tests.graph.rows import finish, load, make_schema

COMMIT = """mutation ($id: ID!) { commitJob(input: {jobId: $id}) { userErrors { code message field }
  job { id status dryRun onFailure filename format sizeBytes sha256 recordSchema { id } dryRunJob { id commit { id } } commit { id } } } }"""
_JOB = "query ($id: ID!) { job(id: $id) { dryRun onFailure commit { id } dryRunJob { id } discard { status } records { totalCount } } }"


async def _commit(client: httpx.AsyncClient, owner: Owner, job: Job) -> dict[str, Any]:
    payload: dict[str, Any] = (await data(client, owner, COMMIT, id=id_of(job)))["commitJob"]
    return payload


@pytest.mark.parametrize(
    ("given", "dry_run", "on_failure"),
    [
        ({}, False, "KEEP"),
        ({"dryRun": None, "onFailure": None}, False, "KEEP"),
        ({"dryRun": False, "onFailure": "KEEP"}, False, "KEEP"),
        ({"dryRun": True}, True, "KEEP"),
        ({"onFailure": "DISCARD"}, False, "DISCARD"),
        ({"dryRun": True, "onFailure": "DISCARD"}, True, "DISCARD"),
    ],
)
async def test_submit_file_makes_the_job_as_it_is_told(
    app_client: httpx.AsyncClient,
    partner: Owner,
    schema: RecordSchema,
    given: dict[str, Any],
    dry_run: bool,
    on_failure: str,
) -> None:
    """What is left out, or null, is the default."""
    response = await submit(app_client, partner, submission(id_of(schema), **given))

    assert [] == response.json()["data"]["submitFile"]["userErrors"]
    job = await Job.get(partner_id=partner.id)
    assert (dry_run, on_failure) == (job.dry_run, job.on_failure)
    shown = (await data(app_client, partner, _JOB, id=id_of(job)))["job"]
    assert (dry_run, on_failure, None, None) == (
        shown["dryRun"], shown["onFailure"], shown["commit"], shown["dryRunJob"]
    )  # fmt: skip


async def test_a_value_that_is_none_is_refused(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """Before a job is made."""
    wrong: list[dict[str, Any]] = [{"dryRun": "yes"}, {"onFailure": "MAYBE"}]
    for given in wrong:
        response = await submit(app_client, partner, submission(id_of(schema), **given))
        assert "BAD_USER_INPUT" == response.json()["errors"][0]["extensions"]["code"]

    assert 0 == await Job.filter(partner_id=partner.id).count()


@pytest.mark.parametrize("other", [{"dryRun": True}, {"onFailure": "DISCARD"}])
@pytest.mark.parametrize("is_first", [True, False])
async def test_an_idempotency_key_is_for_one_way_of_submitting(
    app_client: httpx.AsyncClient,
    partner: Owner,
    schema: RecordSchema,
    other: dict[str, Any],
    is_first: bool,
) -> None:
    """The same file as a dry run is something else; the same once more is the same job."""
    one, two = (other, {}) if is_first else ({}, other)

    answers = [
        (await submit(app_client, partner, submission(id_of(schema), idempotencyKey="k", **given))).json()
        for given in (one, two, one)
    ]

    first, second, third = [answer["data"]["submitFile"] for answer in answers]
    assert first == third
    assert [] == first["userErrors"]
    assert second["job"] is None
    assert [("IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"])] == [
        (error["code"], error["field"]) for error in second["userErrors"]
    ]


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
async def test_commit_job_loads_the_very_same_file(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, status: str
) -> None:
    """Under the same version of the schema, though there is a newer one; of a FAILED one, too."""
    dry = await make_job(
        partner=partner.row, schema=schema, dry_run=True, on_failure=OnFailure.DISCARD, filename="a.json", format="JSON",
        sha256="7" * 64, size_bytes=12, idempotency_key="of the dry run",
    )  # fmt: skip
    await finish(dry, status=status)
    await make_schema(partner=partner.row)

    payload = await _commit(app_client, partner, dry)

    row = await Job.get(dry_run_job_id=dry.id)
    assert [] == payload["userErrors"]
    assert {
        "id": id_of(row), "status": "PENDING", "dryRun": False, "onFailure": "DISCARD", "filename": "a.json", "format": "JSON",
        "sizeBytes": "12", "sha256": "7" * 64, "recordSchema": {"id": id_of(schema)},
        "dryRunJob": {"id": id_of(dry), "commit": {"id": id_of(row)}}, "commit": None,
    } == payload["job"]  # fmt: skip
    assert (dry.storage_key, partner.id, None) == (row.storage_key, row.partner_id, row.idempotency_key)
    shown = (await data(app_client, partner, _JOB, id=id_of(dry)))["job"]
    assert (True, {"id": id_of(row)}, None) == (shown["dryRun"], shown["commit"], shown["dryRunJob"])


async def test_committing_again_answers_with_the_same_job(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """Ten at once, and once more when that job has ended."""
    dry = await make_job(partner=partner.row, schema=schema, dry_run=True)
    await finish(dry)

    payloads = await asyncio.gather(*(_commit(app_client, partner, dry) for _ in range(10)))
    [row] = await Job.filter(dry_run_job_id=dry.id)
    await finish(row)
    late = await _commit(app_client, partner, dry)

    assert [[]] * 11 == [payload["userErrors"] for payload in [*payloads, late]]
    assert {id_of(row)} == {payload["job"]["id"] for payload in [*payloads, late]}
    assert "COMPLETED" == late["job"]["status"]


@pytest.mark.parametrize(
    ("dry_run", "status", "says"),
    [
        (True, "PENDING", "still PENDING"),
        (True, "PROCESSING", "still PROCESSING"),
        (True, "CANCELLED", "cancelled"),
        (False, "COMPLETED", "no dry run"),
        (False, "PENDING", "no dry run"),
    ],
)
async def test_what_is_no_finished_dry_run_cannot_be_committed(
    app_client: httpx.AsyncClient,
    partner: Owner,
    schema: RecordSchema,
    dry_run: bool,
    status: str,
    says: str,
) -> None:
    """INVALID_STATE, and no job."""
    job = await make_job(partner=partner.row, schema=schema, dry_run=dry_run, status=JobStatus(status))

    payload = await _commit(app_client, partner, job)

    [error] = payload["userErrors"]
    assert ("INVALID_STATE", ["input", "jobId"]) == (error["code"], error["field"])
    assert says in error["message"]
    assert payload["job"] is None
    assert 1 == await Job.filter(partner_id=partner.id).count()


async def test_a_commit_cannot_be_committed(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """It has loaded its records."""
    dry = await make_job(partner=partner.row, schema=schema, dry_run=True)
    await finish(dry)
    await _commit(app_client, partner, dry)
    row = await Job.get(dry_run_job_id=dry.id)
    await finish(row)

    [error] = (await _commit(app_client, partner, row))["userErrors"]

    assert "INVALID_STATE" == error["code"]


async def test_a_dry_run_counts_no_records(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """Its verdicts are told, and its list of records is empty."""
    dry = await make_job(partner=partner.row, schema=schema, dry_run=True)
    await finish(dry, records_accepted=7, records_rejected=1)
    query = "query ($id: ID!) { job(id: $id) { progress { recordsAccepted } records { totalCount nodes { index } } } }"

    job = (await data(app_client, partner, query, id=id_of(dry)))["job"]

    assert {"progress": {"recordsAccepted": "7"}, "records": {"totalCount": "0", "nodes": []}} == job


async def test_commits_and_dry_runs_of_a_page_are_its_own(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """Each job of a list shows its own commit, or none."""
    dry_runs = [await make_job(partner=partner.row, schema=schema, dry_run=True) for _ in range(3)]
    for dry in dry_runs[:2]:
        await finish(dry)
        await _commit(app_client, partner, dry)
    await load(dry_runs[2], [], [(0, "id", "REQUIRED")])

    answer = await execute(
        app_client, partner, "{ jobs(first: 10) { nodes { id dryRun commit { id } dryRunJob { id } } } }"
    )

    jobs = {job["id"]: job for job in answer["data"]["jobs"]["nodes"]}
    commits = {row.dry_run_job_id: id_of(row) for row in await Job.filter(dry_run_job_id__isnull=False)}
    assert 5 == len(jobs)
    for dry in dry_runs:
        commit = commits.get(dry.id)
        shown = jobs[id_of(dry)]
        assert ({"id": commit} if commit else None, None) == (shown["commit"], shown["dryRunJob"])
        if commit:
            assert (None, {"id": id_of(dry)}) == (jobs[commit]["commit"], jobs[commit]["dryRunJob"])
