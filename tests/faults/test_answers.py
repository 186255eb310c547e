"""P1: what submitFile has answered with is there, whatever crashes at that moment."""

import asyncio
import hashlib
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from sluice.client import ApiClient
from tests.faults.jobs import submitted, until
from tests.stack import Stack, kill


@pytest.mark.parametrize("also", ["nothing", "database"])
async def test_a_job_that_was_answered_with_survives_the_api_and_the_database(
    stack: Stack, client: ApiClient, tmp_path: Path, also: str
) -> None:
    """kill -9 of the API right behind its answer, and of a backend, which makes PostgreSQL recover from its log."""
    await stack.query("CHECKPOINT")  # what other tests have written need not be recovered in this one
    case = await submitted(stack, client, tmp_path)
    await asyncio.to_thread(kill, stack.processes[0])
    if also == "database":
        await _crash_database(stack)
    stack.processes[0] = stack.start("api")
    stack.processes.pop()
    await until(lambda: _answers(stack), 90)

    assert [] != await stack.query("SELECT 1 FROM job WHERE id = $1", case.uuid)
    stored = stack.folder / "files" / (await case.row())["storage_key"]
    assert hashlib.sha256(case.path.read_bytes()).digest() == hashlib.sha256(stored.read_bytes()).digest()
    stack.start_worker()
    await case.whole()


async def _crash_database(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.services.database_url)
    os.kill(await connection.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
    connection.terminate()


async def _answers(stack: Stack) -> bool:
    try:
        return bool(await stack.query("SELECT 1"))
    except (OSError, asyncpg.PostgresError):
        return False  # it is starting
