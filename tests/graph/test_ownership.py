"""P8: a partner sees, guesses or cancels nothing of another partner's."""

import base64
from uuid import uuid4

import httpx
import pytest

from graph.ids import global_id
from models import Job, JobStatus, RecordSchema
from tests.factories import make_job
from tests.graph.api import Owner, data, id_of, submission, submit
from tests.graph.rows import load, make_schema
from tests.graph.sockets import subscribe
from tests.stack import Stack

_QUERIES = {
    "job": "query ($id: ID!) { found: job(id: $id) { id } }",
    "recordSchema": "query ($id: ID!) { found: recordSchema(id: $id) { id } }",
    "node": "query ($id: ID!) { found: node(id: $id) { id } }",
}


async def _theirs(other: Owner, mine: Owner) -> dict[str, str]:
    """Ids that must look as if they did not exist."""
    schema = await make_schema(partner=other.row)
    job = await make_job(partner=other.row, schema=schema)
    await load(job, ['{"id": 1}'], [(1, "id", "REQUIRED")])
    return {
        "their job": id_of(job),
        "their schema": id_of(schema),
        "their partner": id_of(other.row),
        "nobody's job": global_id("Job", uuid4()),
        "nobody's schema": global_id("RecordSchema", uuid4()),
        "their job as a schema": global_id("RecordSchema", job.id),
        "my partner as a job": global_id("Job", mine.id),
        "another type": global_id("Record", job.id),
        "no base64": "%%%",
        "bare uuid": str(job.id),
        "no uuid": base64.b64encode(b"Job:1").decode(),
        "no type": base64.b64encode(str(job.id).encode()).decode(),
        "uuid in capitals": base64.b64encode(f"Job:{job.id}".upper().encode()).decode(),
        "uuid in braces": base64.b64encode(f"Job:{{{job.id}}}".encode()).decode(),
        "bytes": base64.b64encode(b"Job:\xff\xfe").decode(),
        "NUL": "\0",
        "empty": "",
        "long": "A" * 10_000,
    }


@pytest.mark.parametrize("query", _QUERIES.values(), ids=_QUERIES)
async def test_a_query_for_what_is_not_ones_own_is_null(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, query: str
) -> None:
    """Foreign, unknown and senseless ids cannot be told apart."""
    for name, id in (await _theirs(other_partner, partner)).items():
        assert {"found": None} == await data(app_client, partner, query, id=id), name


async def test_node_gives_what_is_ones_own(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, job: Job
) -> None:
    """A partner, a schema and a job, each with its type."""
    query = "query ($id: ID!) { node(id: $id) { __typename id ... on Job { filename } } }"

    for row, typename in ((partner.row, "Partner"), (schema, "RecordSchema"), (job, "Job")):
        found = (await data(app_client, partner, query, id=id_of(row)))["node"]
        assert (typename, id_of(row)) == (found["__typename"], found["id"])


async def test_cancelling_what_is_not_ones_own_is_not_found(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner
) -> None:
    """And cancels nothing."""
    query = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { id } userErrors { code field } } }"

    for name, id in (await _theirs(other_partner, partner)).items():
        payload = (await data(app_client, partner, query, id=id))["cancelJob"]
        assert {"job": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "jobId"]}]} == payload, (
            name
        )

    assert 0 == await Job.filter(status=JobStatus.CANCELLED, partner_id=other_partner.id).count()


async def test_submitting_to_what_is_not_ones_own_is_not_found(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner
) -> None:
    """And makes no job."""
    for name, id in (await _theirs(other_partner, partner)).items():
        response = await submit(app_client, partner, submission(id))
        [error] = response.json()["data"]["submitFile"]["userErrors"]
        assert ("NOT_FOUND", ["input", "schemaId"]) == (error["code"], error["field"]), name

    assert 0 == await Job.filter(partner_id=partner.id).count()


async def test_watching_what_is_not_ones_own_is_not_found(
    stack: Stack, partner: Owner, other_partner: Owner
) -> None:
    """The subscription ends in an error with NOT_FOUND."""
    for name, id in (await _theirs(other_partner, partner)).items():
        [message] = await subscribe(stack, partner, id)
        assert ("error", "NOT_FOUND") == (message["type"], message["payload"][0]["extensions"]["code"]), name
