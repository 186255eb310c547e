"""The suite proves itself: each known bug of `tests.faults.buggy` turns it red."""

import asyncio
import os
import re
import subprocess
import sys

import pytest

from sluice.endpoints import Services
from tests.faults import buggy
from tests.stack import ROOT

_FOUND_BY = {
    "commit_on_a_missed_fence": "test_points.py::test_after_the_answer_of_cancel_job_no_batch_commits",
    "no_token_check": "test_points.py::test_a_sleeper_that_wakes_before_its_heir_has_begun_writes_nothing",
    "checkpoint_in_a_second_transaction": "test_points.py::test_a_worker_killed_at_any_point_loses_and_doubles_nothing",
    "every_claim_is_ours": "test_retries.py::test_two_workers_with_overlapping_retries_load_each_record_once",
    "no_token_check_in_a_discard": "test_discards.py::test_a_sleeper_that_wakes_before_its_heir_has_begun_deletes_nothing",
    "chunk_counted_in_a_second_transaction": "test_discards.py::test_a_worker_killed_at_any_point_leaves_nothing_behind_in_the_end",
    "answer_before_the_commit": "test_answers.py::test_a_job_that_was_answered_with_survives_the_api_and_the_database",
    "snapshot_before_subscribe": "test_subscribers.py::test_no_timing_of_subscribe_against_finish_loses_the_end",
}
"""The test that must fail. It passes without the bug: it is part of this very suite."""


def test_every_known_bug_has_a_test_that_finds_it() -> None:
    """None is forgotten."""
    assert set(_FOUND_BY) == set(buggy.BUGS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", _FOUND_BY)
async def test_a_known_bug_turns_the_suite_red(services: Services, bug: str) -> None:
    """Run with the bug in all its processes, the suite fails, and of an assertion about what is left, or of an end that never comes."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", f"tests/faults/{_FOUND_BY[bug]}"]

    run = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT, env=os.environ | services.environment | {"FAULT_SUITE_BUG": bug}, capture_output=True, text=True,
    )  # fmt: skip

    assert 1 == run.returncode, run.stdout + run.stderr
    assert "1 failed" in run.stdout
    # A slow machine proves nothing, except where the bug is that something never comes.
    reasons = "assert|AssertionError" + ("|TimeoutError" if bug == "snapshot_before_subscribe" else "")
    assert re.search(rf"^E +({reasons})", run.stdout, re.MULTILINE), run.stdout
