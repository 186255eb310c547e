"""One real API process for all tests of this folder, without workers, on a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tortoise import Tortoise

from models import Job, RecordSchema
from settings import tortoise_config
from sluice.endpoints import Services
from tests.factories import make_job
from tests.graph.api import MAX_UPLOAD_BYTES, Owner
from tests.graph.finished import CONTENT, finished_job
from tests.graph.rows import make_schema
from tests.stack import Stack, running


@pytest.fixture(scope="session")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The API, which takes files of up to MAX_UPLOAD_BYTES."""
    folder = tmp_path_factory.mktemp("api")
    async with running(services, folder, workers=0, max_upload_bytes=str(MAX_UPLOAD_BYTES)) as stack:
        yield stack


@pytest.fixture
async def tables(stack: Stack) -> AsyncIterator[None]:
    """Tortoise connected to the database of that API."""
    await Tortoise.init(config=tortoise_config(stack.services.database_url))
    yield
    await Tortoise.close_connections()


@pytest.fixture
def store(stack: Stack) -> Path:
    """The folder of submitted files."""
    return stack.folder / "files"


@pytest.fixture
async def app_client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of that API, without a key."""
    async with httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
async def partner(tables: None) -> Owner:
    """A partner and its key."""
    return await Owner.create("Acme")


@pytest.fixture
async def other_partner(tables: None) -> Owner:
    """Somebody else."""
    return await Owner.create("Umbrella")


@pytest.fixture
async def schema(partner: Owner) -> RecordSchema:
    """A record schema of `partner`."""
    return await make_schema(partner=partner.row)


@pytest.fixture
async def job(partner: Owner, schema: RecordSchema) -> Job:
    """A PENDING job of `partner`."""
    return await make_job(partner=partner.row, schema=schema)


@pytest.fixture
async def rejecting(partner: Owner, store: Path) -> Job:
    """A job with three rejected records of five."""
    return await finished_job(partner, store, CONTENT)
