"""Clocks that are wrong or jump: only the database's counts for leases, and exactness hangs on none."""

from datetime import datetime
from pathlib import Path

import pytest

from sluice.client import ApiClient
from tests.faults.jobs import Case, struck, submitted, until
from tests.stack import Stack

RECORDS = 15_000
_LIBRARY = "libfaketime.so.1"
_PLACES = ("/usr/lib", "/usr/local/lib", "/opt")


@pytest.fixture(scope="module")
def libfaketime() -> Path:
    """The library that puts another clock before a program."""
    found = (file for place in _PLACES for file in Path(place).glob(f"**/faketime/{_LIBRARY}"))
    library = next(found, None)
    if library is None:
        pytest.skip("needs libfaketime: no package of Python's brings it, `apt-get install faketime` does")
    return library


@pytest.mark.parametrize("wrong", ["+1h", "-1h", "+400d"])
async def test_a_workers_wrong_clock_changes_nothing(
    stack: Stack, client: ApiClient, tmp_path: Path, libfaketime: Path, wrong: str
) -> None:
    """Its clock is wrong, and jumps back to the truth halfway: its lease is neither too long nor too short for anybody else."""
    offset = tmp_path / "clock"
    offset.write_text(wrong)
    right = dict(stack.environment)
    stack.environment |= {
        "LD_PRELOAD": str(libfaketime),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    stack.start_worker(faults="after_commit=pause:3@10")
    stack.environment.clear()
    stack.environment |= right
    case = await submitted(stack, client, tmp_path, RECORDS)
    await case.beyond(0)
    offset.write_text("+0")
    await case.whole()

    row = await case.row()
    assert (1, 0) == (row["attempt"], row["crashes"])
    assert abs((row["finished_at"] - row["created_at"]).total_seconds()) < 60


async def _set_clock(stack: Stack, seconds: float) -> None:
    """The clock that every statement of new sessions sees is wrong by so much; the API and workers get new sessions."""
    name = stack.services.database_url.rpartition("/")[2]
    await stack.query("CREATE SCHEMA IF NOT EXISTS wrong")
    await stack.query(
        "CREATE OR REPLACE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
        f" AS 'SELECT pg_catalog.clock_timestamp() + interval ''{seconds} s'''"
    )
    # A name in pg_catalog comes first, unless the path says otherwise.
    await stack.query(f"ALTER DATABASE {name} SET search_path = wrong, pg_catalog, public")
    await stack.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_database_whose_clock_jumps_forward_takes_a_job_away_too_early(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """An hour: the lease of a worker that lives is over, another claims the job, the first is fenced; exact all the same."""
    first = stack.start_worker(faults="after_commit=pause:3@3")
    case = await submitted(stack, client, tmp_path, RECORDS)
    await struck(stack)  # it does not renew its lease now

    await _set_clock(stack, 3_600)
    stack.start_worker()
    await until(lambda: _is_attempt(case, 2))
    await case.whole()

    assert first.poll() is None
    assert 2 == (await case.row())["attempt"]


async def test_a_database_whose_clock_jumps_back_keeps_the_job_with_its_worker(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """An hour: the lease lasts longer than it should, its worker goes on, and the next heartbeat sets it right."""
    stack.start_worker(faults="after_commit=pause:1@3")
    stack.start_worker(faults="after_commit=pause:1@3")
    case = await submitted(stack, client, tmp_path, RECORDS)
    await struck(stack)
    before = (await case.row())["lease_until"]

    await _set_clock(stack, -3_600)
    await until(lambda: _is_renewed_before(case, before))
    await case.whole()

    row = await case.row()
    assert (1, 0) == (row["attempt"], row["crashes"])


async def _is_attempt(case: Case, attempt: int) -> bool:
    return bool((await case.row())["attempt"] == attempt)


async def _is_renewed_before(case: Case, before: datetime) -> bool:
    """Whether the lease ends earlier than it did: by the clock that has jumped back. Or the job is over by now."""
    until = (await case.row())["lease_until"]
    return until is None or bool(until < before)
