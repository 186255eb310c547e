"""Every random choice of a fault test comes from a seed, which is in the test's id (tests/seeds.py): its files' format, too."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.check import assert_left_whole
from tests.faults import buggy
from tests.seeds import seeds
from tests.stack import Stack, running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A fresh seed, or several, for each test."""
    if "seed" in metafunc.fixturenames:
        own = seeds(metafunc.function.__name__)
        metafunc.parametrize("seed", own, ids=[f"seed-{seed}" for seed in own])


@pytest.fixture(scope="session", autouse=True)
def bug() -> None:
    """Puts the bug that FAULT_SUITE_BUG names into this process, too."""
    buggy.put_in()


@pytest.fixture(autouse=True)
def chance(seed: int) -> random.Random:
    """Where a test takes its random choices from."""
    return random.Random(seed)


@pytest.fixture
async def stack(services: Services, tmp_path: Path, chance: random.Random) -> AsyncIterator[Stack]:
    """An API without workers, with many small batches and leases of two seconds; each test starts the workers it wants."""
    async with running(services, tmp_path, workers=0, program=buggy.PROGRAM, batch_records="500") as stack:
        stack.extension = chance.choice(samples.EXTENSIONS)
        yield stack
        await assert_left_whole(stack)


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of a partner of its own."""
    async with await stack.partner() as client:
        yield client
