"""What is told of a discard: on the wire as it was, never back, and 100 % at the end only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from uuid6 import uuid7

from models import DiscardStatus, JobStatus
from sluice.endpoints import Services
from tasks.discard_progress import DiscardProgress
from tasks.progress import Progress, ProgressFeed, publish

_NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SEEN = DiscardProgress(
    uuid7(), DiscardStatus.PROCESSING, 1_000, 500, _NOW, _NOW + timedelta(seconds=1, microseconds=5), None, _NOW
)  # fmt: skip
_PENDING = replace(SEEN, status=DiscardStatus.PENDING, records_discarded=0, started_at=None)
_DONE = replace(SEEN, status=DiscardStatus.COMPLETED, records_discarded=1_000, finished_at=_NOW)


@pytest.mark.parametrize("state", [SEEN, _PENDING, _DONE])
def test_a_state_survives_the_wire(state: DiscardProgress) -> None:
    """With all its moments, or none."""
    assert state == DiscardProgress.from_bytes(state.to_bytes())


@pytest.mark.parametrize("message", [b"", b"{}", b"[]", b'{"status": "NOPE"}', b"null"])
def test_what_is_no_state_is_refused(message: bytes) -> None:
    """With one of the errors that the feed knows."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        DiscardProgress.from_bytes(message)


def test_a_discard_never_goes_back() -> None:
    """Each of these is newer than those before it, and than nothing; none is newer than itself."""
    states = [
        _PENDING,
        replace(SEEN, records_discarded=0),
        SEEN,
        replace(SEEN, records_discarded=1_000),
        _DONE,
    ]
    for at, state in enumerate(states):
        assert state.is_newer_than(None)
        assert [True] * at == [state.is_newer_than(before) for before in states[:at]]
        assert not any(state.is_newer_than(later) for later in states[at:])


@pytest.mark.parametrize(
    ("state", "percent"),
    [
        (_PENDING, 0.0),
        (SEEN, 50.0),
        (replace(SEEN, records_discarded=1_000), 99.9),
        (_DONE, 100.0),
        (replace(SEEN, records_total=0, records_discarded=0), 0.0),
        (replace(_DONE, records_total=0, records_discarded=0), 100.0),
    ],
)
def test_percent_is_100_at_the_end_only(state: DiscardProgress, percent: float) -> None:
    """By records, also when there are none."""
    assert (percent, percent == 100.0) == (state.percent, state.is_final)


async def test_a_jobs_progress_and_its_discards_do_not_mix(services: Services) -> None:
    """Each has channels of its own, under one job's id."""
    loading = Progress(SEEN.job_id, JobStatus.COMPLETED, 10, 10, 1_000, 0, None, None, _NOW)
    async with (
        Redis.from_url(services.redis_url) as redis,
        ProgressFeed(redis) as feed,
        feed.watch(Progress, SEEN.job_id) as of_job,
        feed.watch(DiscardProgress, SEEN.job_id) as of_discard,
    ):
        await publish(redis, loading)
        await publish(redis, SEEN)

        assert loading == await of_job.take(5)
        assert SEEN == await of_discard.take(5)
        assert await of_job.take(0.1) is None
        assert await of_discard.take(0.1) is None
