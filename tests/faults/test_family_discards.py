"""Two retries of one family are discarded at once while a third loads what they let go, and workers die on the way."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tortoise import Tortoise

from graph.ids import global_id
from models import Discard, Job, JobStatus, RetriedRecord
from settings import tortoise_config
from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.discards import assert_discarded
from tests.factories import make_job, make_partner
from tests.faults.discarding import DISCARD
from tests.faults.families import RECORDS, rejected_family
from tests.faults.jobs import events, struck, until
from tests.stack import Stack, kill, running

ORIGINS = 8_000
BATCH = 200


@pytest.fixture
async def workless(services: Services, tmp_path: Path) -> AsyncIterator[Stack]:
    """An API without workers; the test makes rows of its own, which the checker of loaded jobs would not know."""
    async with running(services, tmp_path, workers=0, batch_records=str(BATCH)) as stack:
        await Tortoise.init(config=tortoise_config(stack.services.database_url))
        yield stack
        await Tortoise.close_connections()


async def _retry_of(root: Job, stack: Stack, *, remainder: int) -> Job:
    """One that has loaded every second rejected record."""
    ended: dict[str, Any] = {"status": JobStatus.COMPLETED, "records_accepted": ORIGINS // 2}
    job = await make_job(
        partner=await root.partner,
        schema=await root.record_schema,
        parent_id=root.id,
        root_id=root.id,
        **ended,
    )
    await stack.query(
        'INSERT INTO record (job_id, "index", data, origin_index)'
        " SELECT $1, i, '{}', 2 * i + $3 FROM generate_series(0, $2 - 1) AS i",
        job.id, ORIGINS // 2, remainder,
    )  # fmt: skip
    await stack.query(
        'INSERT INTO retried_record (root_id, origin_index, job_id, "index")'
        ' SELECT $1, origin_index, job_id, "index" FROM record WHERE job_id = $2',
        root.id, job.id,
    )  # fmt: skip
    return job


class _FreshRetry:
    """Takes origins in ascending batches, as a retry's loading does, until it has all."""

    def __init__(self, root_id: UUID, job_id: UUID, connection: asyncpg.Connection) -> None:
        self._root_id, self._job_id, self._connection = root_id, job_id, connection
        self.taken = 0

    async def take_all(self) -> None:
        while self.taken < ORIGINS:
            for first in range(0, ORIGINS, BATCH):
                async with self._connection.transaction():
                    await self._take(range(first, first + BATCH))

    async def _take(self, origins: range) -> None:
        got = await RetriedRecord.claim(
            self._connection, self._root_id, self._job_id, {origin: origin for origin in origins}
        )
        if got:
            await self._connection.execute(
                'INSERT INTO record (job_id, "index", data, origin_index)'
                " SELECT $1, origin, '{}', origin FROM unnest($2::bigint[]) AS origin",
                self._job_id, list(got),
            )  # fmt: skip
            await Job.count_retried(self._connection, self._root_id, len(got))
            self.taken += len(got)


async def test_a_family_that_is_discarded_and_retried_at_once_counts_right(
    workless: Stack, chance: random.Random
) -> None:
    """Nobody deadlocks, whatever dies; every origin that was let go is the fresh retry's in the end, and counted once."""
    stack = workless
    root = await make_job(partner=await make_partner(), status=JobStatus.COMPLETED, records_rejected=ORIGINS)
    await stack.query(
        "INSERT INTO record_error (job_id, record_index, seq, byte_offset, code, message)"
        " SELECT $1, i, 0, i, 'REQUIRED', 'needed' FROM generate_series(0, $2 - 1) AS i",
        root.id, ORIGINS,
    )  # fmt: skip
    retries = [await _retry_of(root, stack, remainder=remainder) for remainder in (0, 1)]
    await Job.filter(id=root.id).update(records_retried=ORIGINS, retries_version=2)
    fresh = await make_job(
        partner=await root.partner, schema=await root.record_schema, parent_id=root.id, root_id=root.id,
        status=JobStatus.COMPLETED,
    )  # fmt: skip
    for job in retries:
        assert await Discard.request(job.id, job.partner_id)
    connection = await asyncpg.connect(stack.services.database_url)
    taker = _FreshRetry(root.id, fresh.id, connection)
    taking = asyncio.create_task(taker.take_all())

    for point in ("discard_counted", "discard_deleted"):
        stack.start_worker(faults=f"{point}=kill9@{chance.randint(2, 15)}")
    await struck(stack, 2)
    for _ in range(2):
        stack.start_worker()
    await until(_all_done, 60)
    async with asyncio.timeout(30):
        await taking

    row = await Job.get(id=root.id)
    [held] = await stack.query("SELECT count(*) AS n, count(*) FILTER (WHERE job_id = $1) AS fresh FROM retried_record", fresh.id)  # fmt: skip
    assert (ORIGINS, ORIGINS, ORIGINS) == (held["n"], held["fresh"], row.records_retried)
    for job in retries:
        await assert_discarded(connection, job.id)
        assert ORIGINS // 2 == (await Job.get(id=job.id)).records_discarded
    await connection.close()
    assert "Deadlock" not in stack.log
    assert len(events(stack, "discard claimed")) >= 4


async def _all_done() -> bool:
    return not await Discard.filter(finished_at__isnull=True).exists()


async def test_what_a_discarded_retry_had_loaded_the_next_one_loads(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """A second retry runs into the discard, and gets what is free by then; a third gets the rest. The worker dies in between."""
    family = await rejected_family(stack, client, tmp_path)
    first = await family.retry(range(RECORDS), named=False)
    worker = stack.start_worker()
    await family.whole(first)
    await asyncio.to_thread(kill, worker)
    variables = {"input": {"jobId": global_id("Job", first)}}
    assert [] == (await client.execute(DISCARD, variables))["discardRecords"]["userErrors"]
    second = await family.retry(chance.sample(range(RECORDS), RECORDS), named=True)

    point = chance.choice(["discard_deleted", "discard_counted", "discard_committed"])
    stack.start_worker(faults=f"{point}=kill9@{chance.randint(1, 7)}")
    await struck(stack)
    stack.start_worker()
    await family.whole(second)
    await until(lambda: _is_discarded(stack, first))
    taken = await family.loaded()
    rest = sorted(set(range(RECORDS)) - set(taken))
    assert rest == (await family.rejected(second)).get("ALREADY_ACCEPTED", [])
    if rest:
        await family.whole(await family.retry(rest, named=False))

    assert list(range(RECORDS)) == await family.loaded()
    assert RECORDS == (await family.row(family.root_id))["records_retried"]
    assert (RECORDS, RECORDS) == (
        (await family.row(first))["records_accepted"], (await family.row(first))["records_discarded"]
    )  # fmt: skip


async def _is_discarded(stack: Stack, job_id: UUID) -> bool:
    return bool(
        await stack.query("SELECT 1 FROM discard WHERE job_id = $1 AND finished_at IS NOT NULL", job_id)
    )
