"""One Sluice for all clients of a test process, with one partner, one schema and one file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.endpoints import Services
from tests import samples
from tests.clients.scenario import RECORDS, Sluice
from tests.stack import create_schema, running

pytest.register_assert_rewrite("tests.clients.whole_way")


@pytest.fixture(scope="session")
async def sluice(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sluice]:
    """An API and one worker, whose batches are small so that there are many."""
    folder: Path = tmp_path_factory.mktemp("clients")
    async with running(services, folder, batch_records="500") as stack:
        async with await stack.partner() as partner:
            schema_id = await create_schema(partner, fields=samples.FIELDS)
            key = partner._headers["X-API-Key"]
        yield Sluice(stack, key, schema_id, samples.write(folder / "orders.csv", RECORDS))
