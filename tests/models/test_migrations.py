"""Migrations: what they make is what the models say, whoever runs them, however many at once."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations import api

import migrations
from settings import tortoise_config
from sluice.endpoints import Services
from sluice.migrate import migrate

ROOT = Path(migrations.__file__).parent.parent


@pytest.fixture
async def empty_database(services: Services) -> AsyncIterator[str]:
    """The URL of a database without tables."""
    name = f"empty_{uuid4().hex}"
    server = await asyncpg.connect(services.database_url)
    await server.execute(f"CREATE DATABASE {name}")
    yield services.database_url.rpartition("/")[0] + f"/{name}"
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()


async def _tables(database_url: str) -> set[str]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows}


def test_models_and_migrations_agree() -> None:
    """Asking for a migration finds nothing to write."""
    before = sorted((ROOT / "migrations").glob("*.py"))

    asked = subprocess.run(
        [sys.executable, "-m", "tortoise.cli.cli", "makemigrations"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    written = set((ROOT / "migrations").glob("*.py")) - set(before)
    for file in written:
        file.unlink()
    assert ("No changes detected", set()) == (asked.stdout.strip(), written), asked.stderr


async def test_two_migrations_at_once_make_the_tables_once(empty_database: str) -> None:
    """Four replicas that start together leave one set of tables, and each migration is applied by one of them."""
    applied = await asyncio.gather(
        *(asyncio.to_thread(asyncio.run, migrate(empty_database)) for _ in range(4))
    )

    assert {"partner", "record_schema", "job", "record", "record_error"} < await _tables(empty_database)
    names = [name for names in applied for name in names]
    assert len(names) == len(set(names)) > 0


async def test_the_keys_of_the_two_big_tables_refuse_doubles(services: Services) -> None:
    """(job_id, index) and (job_id, record_index, seq) are the primary keys, and the only indexes."""
    connection = await asyncpg.connect(services.database_url)
    rows = await connection.fetch(
        "SELECT indexdef FROM pg_indexes WHERE tablename IN ('record', 'record_error') ORDER BY tablename"
    )
    await connection.close()

    columns = [row["indexdef"].rpartition("(")[2].rstrip(")") for row in rows]
    assert ["job_id, index", "job_id, record_index, seq"] == columns


_JOB = """
    INSERT INTO job (id, partner_id, record_schema_id, status, filename, format, size_bytes, sha256, storage_key, attempt,
        crashes, next_index, next_offset, next_line, bytes_read, records_accepted, records_rejected, error_counts, created_at)
    VALUES (gen_random_uuid(), $1, $2, 'COMPLETED', 'a.csv', 'CSV', 1, '', '', 0, 0, 0, 0, 1, 0, 0, 0, '{}', now())
"""


async def test_a_database_with_jobs_is_brought_to_the_newest_state(empty_database: str) -> None:
    """The rows get the defaults, and an API of the version before, which does not know the columns, can go on."""
    async with TortoiseContext():
        await api.migrate(config=tortoise_config(empty_database), target="models.0002_fair_claims")
    connection = await asyncpg.connect(empty_database)
    ids = uuid4(), uuid4()
    await connection.execute(
        "INSERT INTO partner (id, name, key_prefix, key_hash, created_at) VALUES ($1, 'a', 'p', 'h', now())",
        ids[0],
    )
    await connection.execute(
        "INSERT INTO record_schema (id, partner_id, name, version, definition, created_at) VALUES ($2, $1, 'a', 1, '{}', now())",
        *ids,
    )
    await connection.execute(_JOB, *ids)

    await migrate(empty_database)
    await connection.execute(_JOB, *ids)

    rows = await connection.fetch(
        "SELECT dry_run, on_failure, records_retried, retries_version, records_discarded FROM job"
    )
    await connection.close()
    assert [(False, "KEEP", 0, 0, 0)] * 2 == [tuple(row) for row in rows]
