"""One PostgreSQL and one Redis for the whole session, started and stopped here.

They must be up before anything of ours is imported, since settings are read once: hence the hooks, not a fixture.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice import embedded
from sluice.endpoints import Services
from tests import seeds

_SESSION = pytest.StashKey[contextlib.ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Starts the servers and migrates the database; each process that runs tests has servers of its own."""
    seeds.begin()
    # A shell's background job ignores Ctrl-C, and so would every command that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # this one only hands out tests to the others
    stack = config.stash[_SESSION] = contextlib.ExitStack()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-tests-")))
    services = stack.enter_context(embedded.running(folder))
    os.environ |= services.environment | {"SLUICE_DATA_DIR": str(folder)}
    from sluice.migrate import migrate  # reads the settings that were made just now

    asyncio.run(migrate(services.database_url))
    config.pluginmanager.import_plugin("tests.faults.own_redis")  # for its fixtures


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops what was started."""
    if stack := config.stash.get(_SESSION, None):
        stack.close()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Everything of ours runs on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def services() -> Services:
    """The URLs of the session's migrated PostgreSQL and its Redis."""
    return Services.of(os.environ)


@pytest.fixture
async def database(services: Services) -> AsyncIterator[None]:
    """Tortoise connected to empty tables."""
    from tortoise import Tortoise, connections

    from settings import tortoise_config

    await Tortoise.init(config=tortoise_config(services.database_url))
    await connections.get("default").execute_script(
        "TRUNCATE discard, retried_record, record_error, record, job, record_schema, partner"
    )
    yield
    await Tortoise.close_connections()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder for submitted files."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder
