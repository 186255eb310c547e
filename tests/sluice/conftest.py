"""Real servers for the commands that are clients of one."""

from collections.abc import AsyncIterator

import pytest

from sluice.endpoints import Services
from tests.sluice.typed import Typed, typed_at
from tests.stack import Stack, running


@pytest.fixture(scope="session")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API and a worker that works in small steps."""
    folder = tmp_path_factory.mktemp("stack")
    async with running(services, folder, batch_records="500", progress_interval_seconds="0.1") as stack:
        yield stack


@pytest.fixture(scope="session")
async def idle_stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API without a worker: jobs wait until a test starts one."""
    async with running(services, tmp_path_factory.mktemp("idle"), workers=0) as stack:
        yield stack


@pytest.fixture
async def typed(stack: Stack) -> Typed:
    """A new partner who types commands, and has a schema."""
    return await typed_at(stack)


@pytest.fixture
async def waiting(idle_stack: Stack) -> AsyncIterator[Typed]:
    """The same where no worker is; those that the test starts end with it."""
    before = len(idle_stack.processes)
    yield await typed_at(idle_stack)
    for worker in idle_stack.processes[before:]:
        worker.kill()
        worker.wait()
    del idle_stack.processes[before:]
