"""Seeds for the fault suite: every random choice of a test comes from one, and its id is in the test's name.

SLUICE_FAULT_SEEDS=5 runs each case with five seeds; SLUICE_FAULT_SEED=123 repeats the case that failed with that one.
"""

import os
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.faults import buggy
from tests.stack import Stack, running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A fresh seed, or several, for each test that asks for `chance`."""
    if "seed" in metafunc.fixturenames:
        given = os.environ.get("SLUICE_FAULT_SEED")
        count = int(os.environ.get("SLUICE_FAULT_SEEDS", "1"))
        seeds = [int(given)] if given else [secrets.randbits(32) for _ in range(count)]
        metafunc.parametrize("seed", seeds, ids=[f"seed-{seed}" for seed in seeds])


@pytest.fixture(scope="session", autouse=True)
def bug() -> None:
    """Puts the bug that FAULT_SUITE_BUG names into this process, too."""
    buggy.put_in()


@pytest.fixture
def chance(seed: int) -> random.Random:
    """Where a test takes its random choices from."""
    return random.Random(seed)


@pytest.fixture
async def stack(services: Services, tmp_path: Path) -> AsyncIterator[Stack]:
    """An API without workers, with many small batches and leases of two seconds; each test starts the workers it wants."""
    async with running(services, tmp_path, workers=0, program=buggy.PROGRAM, batch_records="500") as stack:
        yield stack


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of a partner of its own."""
    async with await stack.partner() as client:
        yield client
