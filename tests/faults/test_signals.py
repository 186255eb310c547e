"""Signals to a worker, of the kinds that impatient people and supervisors send: it goes, at once if need be, and its job goes on."""

import asyncio
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from sluice.client import ApiClient
from tasks.lease import GRACE_SECONDS
from tasks.worker import STOP_SECONDS
from tests.faults.jobs import Case, events, submitted, until
from tests.faults.proxy import standing_before
from tests.stack import Stack, interrupt

BATCH = 500
_SLACK_SECONDS = 2.0
"""Of a machine with other things to do."""


async def _stuck(case: Case, chance: random.Random) -> tuple[subprocess.Popen[bytes], int]:
    """A worker in the middle of the job, whose reader is silent for longer than a worker that leaves waits; and how far it got."""
    batches = chance.randint(1, 15)
    worker = case.stack.start_worker(faults=f"reader_batch=pause:10@{batches + 1}")
    return worker, await case.beyond(batches * BATCH - 1)


async def _assert_resumed(case: Case, reached: int) -> None:
    """As after a kill: nothing was handed back, and another went on when the lease had run out, from the last batch."""
    case.stack.start_worker()
    await case.whole()

    assert [] == events(case.stack, "job handed back")
    assert [0, reached] == [event["index"] for event in events(case.stack, "job claimed")]
    assert 2 == (await case.row())["attempt"]
    assert "Traceback" not in case.stack.log


def _is_pending(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Whether a signal has been sent to the process and not been taken yet: a second one would be lost in it."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [mask] = [line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd")]
    return bool(int(mask, 16) & 1 << (number - 1))


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_asked_twice_is_gone_at_once(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random, second: signal.Signals
) -> None:
    """It does not even wait for the batch that is under way."""
    case = await submitted(stack, client, tmp_path)
    worker, reached = await _stuck(case, chance)

    async def is_taken() -> bool:
        return not _is_pending(worker, signal.SIGTERM)

    worker.send_signal(signal.SIGTERM)
    await until(is_taken)
    worker.send_signal(second)
    code = await asyncio.to_thread(worker.wait, GRACE_SECONDS)

    assert -signal.SIGKILL == code
    await _assert_resumed(case, reached)


async def test_a_storm_of_ctrl_c_ends_a_worker(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """To all that a terminal would send it to, its readers too, until it is gone: that is at once, and without a traceback."""
    case = await submitted(stack, client, tmp_path)
    worker, reached = await _stuck(case, chance)

    async def is_gone() -> bool:
        os.killpg(worker.pid, signal.SIGINT)
        return worker.poll() is not None

    await until(is_gone, GRACE_SECONDS)

    assert -signal.SIGKILL == worker.returncode
    await _assert_resumed(case, reached)


async def test_a_worker_whose_database_hangs_leaves_in_time(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """It cannot hand back its job, and waits no longer than STOP_SECONDS for it: exit code 0."""
    case = await submitted(stack, client, tmp_path)
    async with standing_before(stack.services.database_url) as proxy:
        worker = stack.start_worker(
            database_url=proxy.url(stack.services.database_url),
            faults=f"after_commit=pause:0.5@{chance.randint(1, 15)}",
        )
        await case.beyond(0)
        proxy.silence()
        code, seconds = await asyncio.to_thread(interrupt, worker)
        proxy.heal()

    assert 0 == code
    assert STOP_SECONDS <= seconds < STOP_SECONDS + _SLACK_SECONDS
    assert 1 == len(events(stack, "worker stopped without waiting any longer"))
    stack.start_worker()
    await case.whole()
