"""What a worker holds is what its lanes work on, no more and no less: what it holds it does not claim."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uuid6 import uuid7

from models import Job
from tasks import ingest
from tasks.ingest import Ingest


class _Announcer:
    def __init__(self, *_: Any) -> None: ...

    def announce(self) -> None: ...

    async def finish(self) -> None: ...


class _Faulty(_Announcer):
    def announce(self) -> None:
        raise RuntimeError("a bug of ours")


@asynccontextmanager
async def _held(*_: Any) -> AsyncIterator[None]:
    yield


def _lane(jobs: list[Any]) -> Any:
    return Ingest(None, None, asyncio.Event(), jobs)  # type: ignore[arg-type]


async def test_a_job_whose_first_message_fails_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else this worker would never claim it again."""
    monkeypatch.setattr(ingest, "Announcer", _Faulty)
    jobs: list[Any] = []

    with pytest.raises(RuntimeError):
        await _lane(jobs)._run(Job(id=uuid7(), partner_id=uuid7()))

    assert [] == jobs


async def test_a_job_that_two_lanes_have_is_held_until_both_have_left_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A claim that was on its way when a partition began may take what the other lane has; then that one leaves first."""
    monkeypatch.setattr(ingest, "Announcer", _Announcer)
    monkeypatch.setattr(ingest, "held", _held)
    leave = [asyncio.Event(), asyncio.Event()]
    jobs: list[Any] = []
    job = Job(id=uuid7(), partner_id=uuid7())
    lanes = [_lane(jobs), _lane(jobs)]
    for lane, left in zip(lanes, leave, strict=True):
        lane._read_and_finish = lambda *_, left=left: left.wait()
    first, second = [asyncio.create_task(lane._run(job)) for lane in lanes]
    await asyncio.sleep(0)

    leave[0].set()
    await first
    assert [job.id] == jobs

    leave[1].set()
    await second
    assert [] == jobs
