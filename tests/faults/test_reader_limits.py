"""A reader child that burns CPU or eats memory is ended by the kernel: it takes down its own job, and nothing else.

`python -m tests.faults.test_reader_limits COMMAND` is `sluice COMMAND`, but that its reader children are greedy from a
record on; those that burn CPU may use a second or two of it. The children run this module, too, before they read.
"""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sluice.client import ApiClient
from tasks import ingest, reader
from tasks.pipeline.record import Batch
from tests.faults.jobs import events, submitted
from tests.stack import Stack

GREEDY_FROM = 1_000
CPU_SECONDS = 1
_BLOCK_BYTES = 16 * 1024 * 1024


@pytest.mark.parametrize(("greed", "exitcode"), [("burn", -signal.SIGXCPU), ("eat", 1)])
async def test_a_greedy_reader_ends_its_own_job_only(
    stack: Stack, client: ApiClient, tmp_path: Path, greed: str, exitcode: int
) -> None:
    """Three times in a row: READER_CRASHED with the record range; the worker lives, and does the next job."""
    stack.program = __name__
    stack.environment["GREED"] = greed
    case = await submitted(stack, client, tmp_path)

    worker = stack.start_worker()
    job = await case.whole("FAILED")
    following = await submitted(stack, client, tmp_path, GREEDY_FROM)
    await following.whole()

    assert "READER_CRASHED" == job["failure"]["code"]
    assert str(GREEDY_FROM) == job["failure"]["recordIndex"]
    assert f"records {GREEDY_FROM} to {GREEDY_FROM + 499}" in job["failure"]["message"]
    assert [exitcode] * 3 == [event["exitcode"] for event in events(stack, "reader crashed")]
    assert ("MemoryError" in stack.log) is (greed == "eat")
    assert (1, 1) == ((await case.row())["attempt"], (await following.row())["attempt"])
    assert worker.poll() is None


def _burn() -> None:
    while time.process_time() < 10 * CPU_SECONDS:
        pass


def _eat() -> None:
    eaten: list[bytes] = []
    while len(eaten) * _BLOCK_BYTES < 2 * reader.MAX_ADDRESS_SPACE:
        eaten.append(
            bytes(_BLOCK_BYTES)
        )  # never written to: the limit is on addresses, the machine need not suffer


def _be_greedy() -> None:
    """Puts the greed that GREED names into this process."""
    greed = {"burn": _burn, "eat": _eat}[os.environ["GREED"]]
    batches = vars(reader)["batches"]

    def until_greedy(*order: Any) -> Iterator[Batch]:
        for batch in batches(*order):
            if batch.first_index >= GREEDY_FROM:
                greed()
            yield batch

    vars(reader)["batches"] = until_greedy


def _allow_little() -> None:
    """The children that this worker asks get CPU_SECONDS."""
    vars(ingest)["Order"] = partial(reader.Order, cpu_seconds=CPU_SECONDS)


if __name__ == "__mp_main__":
    _be_greedy()
elif __name__ == "__main__":
    from sluice.cli import main

    if os.environ["GREED"] == "burn":
        _allow_little()
    main()
