"""A database that is away for longer than the lease: nobody crashed, so no crash is counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from sluice.client import ApiClient
from tests import samples
from tests.check import assert_as_in_file
from tests.faults.jobs import uuid_of
from tests.stack import Stack, create_schema, finished, submit

LEASES_AWAY = 3
LEASE_SECONDS = 2.0


@asynccontextmanager
async def _closed(stack: Stack) -> AsyncIterator[None]:
    """The stack's database refuses everybody, and has ended every session."""
    server, _, name = stack.services.database_url.rpartition("/")
    operator = await asyncpg.connect(f"{server}/postgres")
    try:
        await operator.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await operator.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        await operator.close()


@pytest.mark.parametrize("point", ["before_copy", "before_finish"])
async def test_a_database_away_for_longer_than_the_lease_costs_no_attempt(
    stack: Stack, client: ApiClient, tmp_path: Path, point: str
) -> None:
    """The worker waits with its job, wherever it stands, and goes on under the same attempt."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "orders.csv", 5_000)
    stack.start_worker(faults=f"{point}=pause:1")
    job_id = await submit(client, schema_id, path)
    async with asyncio.timeout(30):
        while "fault strikes" not in stack.log:
            await asyncio.sleep(0.02)

    async with _closed(stack):
        await asyncio.sleep(LEASES_AWAY * LEASE_SECONDS)
    job = await finished(client, job_id)

    assert "COMPLETED" == job["status"]
    id = uuid_of(job_id)
    [row] = await stack.query("SELECT attempt, crashes FROM job WHERE id = $1", id)
    assert (1, 0) == tuple(row)
    await assert_as_in_file(stack, id, path)
