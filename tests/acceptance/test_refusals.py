"""Uploads that are refused early: the client, which is still sending, reads why."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from sluice.errors import ApiError
from tests import samples
from tests.stack import Stack, create_schema, running, submit

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A Sluice that takes files of one megabyte at most."""
    async with running(services, tmp_path_factory.mktemp("stack"), max_upload_bytes=str(MEGABYTE)) as stack:
        yield stack


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of 100 MB that takes no room."""
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate(100 * MEGABYTE)
    return path


async def test_a_file_over_the_limit_is_refused_in_words(stack: Stack, big: Path) -> None:
    """413 arrives, five times of five, and nothing is left in the store."""
    async with await stack.partner() as client:
        schema_id = await create_schema(client, fields=samples.FIELDS)
        for _ in range(5):
            with pytest.raises(ApiError, match="PAYLOAD_TOO_LARGE: A file may have at most 1,048,576 bytes"):
                await submit(client, schema_id, big)

    assert [] == list((stack.folder / "files").glob("*"))


async def test_a_big_file_with_a_wrong_key_is_refused_in_words(stack: Stack, big: Path) -> None:
    """401 arrives, five times of five."""
    async with ApiClient(stack.url, "slc_0_0") as client:
        for _ in range(5):
            with pytest.raises(ApiError, match="UNAUTHENTICATED"):
                await submit(client, "UmVjb3JkU2NoZW1hOjA=", big)
