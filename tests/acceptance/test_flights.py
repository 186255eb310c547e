"""Real input: flights through the real API, counted against the standard library. `make acceptance` takes all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.endpoints import Services
from tests import flights
from tests.stack import Stack, create_schema, finished, running, submit

LIMIT = 12_000

pytestmark = pytest.mark.skipif(
    not flights.ARCHIVE.exists(), reason="flights.csv.zip is not beside the project (see tests/flights.py)"
)


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """One Sluice for all formats."""
    async with running(services, tmp_path_factory.mktemp("flights")) as stack:
        yield stack


@pytest.mark.parametrize("extension", [".csv", ".json", ".ndjson", ".xml"])
async def test_real_flights_are_counted_as_the_standard_library_counts_them(
    stack: Stack, tmp_path: Path, extension: str
) -> None:
    """Accepted, rejected and every (field, code) agree, in every format."""
    accepted, rejected, errors = flights.expected(LIMIT)
    path = flights.write(tmp_path / f"flights{extension}", LIMIT)

    async with await stack.partner() as client:
        schema_id = await create_schema(
            client, fields=flights.FIELDS, recordPath=flights.RECORD_PATHS[extension]
        )
        job = await finished(client, await submit(client, schema_id, path))

    assert ("COMPLETED", str(accepted), str(rejected)) == (
        job["status"], job["progress"]["recordsAccepted"], job["progress"]["recordsRejected"]
    )  # fmt: skip
    assert errors == {(row["field"], row["code"]): int(row["count"]) for row in job["errorSummary"]}
