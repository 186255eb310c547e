"""Whose job is claimed next, and at what cost: fair among partners, without ever looking through the table."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from tortoise import connections

from models import Job, JobStatus, Partner
from models import job as job_module
from models.job import SMALL_BYTES
from tests.factories import make_job, make_partner, make_schema

pytestmark = pytest.mark.usefixtures("database")

LEASE = 30.0


async def _partner_with_jobs(count: int, **columns: Any) -> Partner:
    partner = await make_partner()
    schema = await make_schema(partner=partner)
    for _ in range(count):
        await make_job(partner=partner, schema=schema, **columns)
    return partner


async def _claim(*, small_only: bool = False) -> Job:
    job = await Job.claim_next(LEASE, small_only=small_only)
    assert job is not None
    return job


async def _owners(count: int, **options: bool) -> list[UUID]:
    """Whose jobs the next claims get, none of which ends."""
    return [(await _claim(**options)).partner_id for _ in range(count)]


async def test_partners_take_turns_however_many_jobs_each_has_submitted_first() -> None:
    """Three partners with many, some and one job, submitted in this order: one each, then one each of those that have more."""
    many, some, one = [(await _partner_with_jobs(count)).id for count in (5, 2, 1)]

    assert [many, some, one, many, some, many, many, many] == await _owners(8)


async def test_who_has_fewer_jobs_running_comes_first() -> None:
    """A partner whose jobs are long waits for those whose jobs end at once, as long as they have some."""
    long, short = [await _partner_with_jobs(3) for _ in range(2)]
    await _claim()

    owners = []
    for _ in range(3):
        job = await _claim()
        owners.append(job.partner_id)
        await job.complete()

    assert [short.id] * 3 == owners
    assert [long.id] * 2 == await _owners(2)


async def test_who_was_served_longest_ago_comes_first_among_equals() -> None:
    """Jobs that end before the next claim leave all partners with none running: then it goes round and round."""
    ids = [(await _partner_with_jobs(3)).id for _ in range(3)]

    owners = []
    for _ in range(9):
        job = await _claim()
        owners.append(job.partner_id)
        await job.complete()

    assert ids * 3 == owners


async def test_a_partners_own_jobs_go_in_the_order_of_their_submission() -> None:
    """Oldest first, also when it was handed back."""
    partner = await _partner_with_jobs(0)
    schema = await make_schema(partner=partner)
    first, second = [await make_job(partner=partner, schema=schema) for _ in range(2)]
    await (await _claim()).hand_back()

    assert [first.id, second.id] == [(await _claim()).id, (await _claim()).id]


async def test_an_expired_lease_waits_for_its_partners_turn_and_is_not_running() -> None:
    """What a crashed worker left is claimed by the same rules: after another partner's waiting job if that was served longer ago."""
    crashed = await _partner_with_jobs(1)
    await Job.claim_next(0.0)
    waiting = await _partner_with_jobs(1)

    jobs = [await _claim(), await _claim()]

    assert [(waiting.id, 1, 0), (crashed.id, 2, 1)] == [
        (job.partner_id, job.attempt, job.crashes) for job in jobs
    ]
    assert await Job.claim_next(LEASE) is None


async def test_a_small_job_is_found_behind_big_ones() -> None:
    """The express lane passes over what is big, whosever it is, and never claims it."""
    partner = await _partner_with_jobs(3, size_bytes=SMALL_BYTES + 1)
    small = await make_job(partner=partner, size_bytes=SMALL_BYTES)

    assert small.id == (await _claim(small_only=True)).id
    assert await Job.claim_next(LEASE, small_only=True) is None
    assert await Job.claim_next(LEASE) is not None


async def test_a_claim_tells_what_the_row_says() -> None:
    """The job of a claim is the row after it, without another query."""
    await make_job(idempotency_key="k")

    job = await _claim()

    row = await Job.get(id=job.id)
    assert {name: getattr(row, name) for name in Job._meta.db_fields} == {
        name: getattr(job, name) for name in Job._meta.db_fields
    }
    assert (JobStatus.PROCESSING, {}) == (job.status, job.error_counts)


async def test_claims_at_once_get_every_job_once_and_none_is_left() -> None:
    """Forty claims at once for forty jobs of four partners: nobody goes away empty while a job waits."""
    for _ in range(4):
        await _partner_with_jobs(10)

    claimed = await asyncio.gather(*(Job.claim_next(LEASE) for _ in range(40)))

    assert 40 == len({job.id for job in claimed if job})


async def test_a_claim_does_not_wait_for_another_claim_of_the_same_partner() -> None:
    """While one is under way and holds the partner's row and a job's, the next gets the partner's next job at once."""
    await _partner_with_jobs(2)
    pool = connections.get("default")
    async with pool.acquire_connection() as connection, connection.transaction():
        [first] = await connection.fetch(job_module._CLAIM_ANY, LEASE, [])
        async with asyncio.timeout(5):
            second = await _claim()

    assert first["id"] != second.id


WAITING = 100_000
FINISHED = 200_000
HOGS = 50
"""Partners who share the waiting jobs; another one has submitted last."""


@pytest.fixture
async def crowd(database: None) -> AsyncIterator[Partner]:
    """So many waiting and finished jobs, and one small waiting job of the partner who came last, who is returned."""
    partners = [await make_partner() for _ in range(HOGS)]
    schema = await make_schema(partner=partners[0])
    pool = connections.get("default")
    portion = 25_000  # each far below the time that a statement may take
    for status in ["PENDING"] * (WAITING // portion) + ["COMPLETED"] * (FINISHED // portion):
        await pool.execute_query(
            "INSERT INTO job (id, partner_id, record_schema_id, status, filename, format, size_bytes, sha256, storage_key,"
            " attempt, crashes, next_index, next_offset, next_line, bytes_read, records_accepted, records_rejected,"
            " error_counts, created_at, dry_run, on_failure, records_retried, retries_version, records_discarded)"
            " SELECT gen_random_uuid(), ($1::uuid[])[n % $2 + 1], $3, $4, '', 'CSV', $5, '', '', 0, 0, 0, 0, 0, 0, 0, 0, '{}',"
            " clock_timestamp(), false, 'KEEP', 0, 0, 0 FROM generate_series(1, $6) n",
            [[partner.id for partner in partners], HOGS, schema.id, status, SMALL_BYTES + 1, portion],
        )
    await pool.execute_query("UPDATE partner SET served_at = clock_timestamp() - interval '1 day'")
    await pool.execute_script("ANALYZE job; ANALYZE partner")
    yield await _partner_with_jobs(1)
    await pool.execute_script(
        "TRUNCATE discard, retried_record, record_error, record, job, record_schema, partner"
    )


@pytest.mark.parametrize("claim", ["_CLAIM_ANY", "_CLAIM_SMALL"])
async def test_a_claim_among_many_jobs_reads_a_few_pages(crowd: Partner, claim: str) -> None:
    """100,000 jobs wait and more are finished: the plan goes by the partial indexes, and touches pages by the hundred at most."""
    pool = connections.get("default")
    async with pool.acquire_connection() as connection:
        explained = await connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {getattr(job_module, claim)}", LEASE, []
        )
    [plan] = json.loads(explained)
    nodes = list(_nodes(plan["Plan"]))

    assert [] == [node for node in nodes if node.get("Relation Name") == "job" and "Seq" in node["Node Type"]]
    used = {
        node["Index Name"] for node in nodes if node.get("Relation Name") == "job" and "Index Name" in node
    }
    open_index = "job_open" if claim == "_CLAIM_ANY" else "job_open_small"
    assert {open_index, "job_running", "job_pkey"} == used
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 600
    assert 1 == await Job.filter(status=JobStatus.PROCESSING, partner_id=crowd.id).count()


def _nodes(plan: dict[str, Any]) -> Any:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
