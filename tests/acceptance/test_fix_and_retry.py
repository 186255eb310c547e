"""From a file with mistakes to nothing outstanding: real API, real workers, every format, nothing loaded twice."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.stack import Stack, create_schema, follow, running, submit

RECORDS = 1_000
BAD = [index for index in range(RECORDS) if samples.is_bad(index)]
MENDED = {"nobody": "mended@example.com", "DM": "USD"}

RETRY = """
mutation Retry($input: RetryJobInput!) {
  retryJob(input: $input) { job { id } userErrors { code message field } }
}
"""
FAMILY = """
query Family($id: ID!, $after: String) {
  job(id: $id) {
    status outstanding failure { code message } errorSummary { field code count }
    progress { recordsRead recordsAccepted recordsRejected }
    records(first: 1000, after: $after, includeRetries: true) {
      totalCount pageInfo { hasNextPage endCursor } nodes { originIndex data }
    }
  }
}
"""


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Two workers, so that retries run at the same time; batches are small, so that there are many."""
    folder = tmp_path_factory.mktemp("stack")
    async with running(services, folder, workers=2, batch_records="3") as stack:
        yield stack


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of a partner of its own."""
    async with await stack.partner() as client:
        yield client


async def _submitted(client: ApiClient, path: Path, schema_id: str | None = None) -> str:
    schema_id = schema_id or await create_schema(client, fields=samples.FIELDS)
    job_id = await submit(client, schema_id, path)
    await follow(client, job_id)
    return job_id


async def _retried(
    client: ApiClient, job_id: str, content: bytes | None = None, name: str = "", **more: Any
) -> str:
    given = {"jobId": job_id, **more}
    if content is None:
        payload = (await client.execute(RETRY, {"input": given}))["retryJob"]
    else:
        payload = (await client.upload(RETRY, given, name, io.BytesIO(content)))["retryJob"]
    assert [] == payload["userErrors"]
    retry_id = str(payload["job"]["id"])
    await follow(client, retry_id)
    return retry_id


async def _family(client: ApiClient, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = (await client.execute(FAMILY, {"id": job_id}))["job"]
    return job


def _counts(job: dict[str, Any]) -> tuple[str, str, str]:
    return job["status"], job["progress"]["recordsAccepted"], job["progress"]["recordsRejected"]


def _mended(indexes: Sequence[int], extension: str, folder: Path) -> bytes:
    """Good records in the place of those."""
    rows = [
        {name: MENDED.get(value, value) for name, value in samples.row(index).items()} for index in indexes
    ]
    return samples.write_rows(folder / f"mended{extension}", rows).read_bytes()


def _assert_whole(job: dict[str, Any]) -> None:
    """Every record of the first file is there once, in its order; the mended ones among them."""
    nodes = job["records"]["nodes"]
    assert ("0", str(RECORDS)) == (job["outstanding"], job["records"]["totalCount"])
    assert [str(index) for index in range(RECORDS)] == [node["originIndex"] for node in nodes]
    assert [
        samples.expected(index) | ({"email": "mended@example.com", "currency": "USD"} if index in BAD else {})
        for index in range(RECORDS)
    ] == [node["data"] for node in nodes]


@pytest.mark.parametrize("extension", samples.EXTENSIONS)
async def test_what_was_rejected_is_mended_and_loaded(
    client: ApiClient, tmp_path: Path, extension: str
) -> None:
    """As many records as are outstanding, in their order, in the format of the file; the family is then whole."""
    job_id = await _submitted(client, samples.write(tmp_path / f"o{extension}", RECORDS))
    assert str(len(BAD)) == (await _family(client, job_id))["outstanding"]

    retry_id = await _retried(client, job_id, _mended(BAD, extension, tmp_path), f"m{extension}")

    assert ("COMPLETED", str(len(BAD)), "0") == _counts(await _family(client, retry_id))
    _assert_whole(await _family(client, job_id))


@pytest.mark.parametrize("extension", samples.EXTENSIONS)
async def test_what_stays_as_it_is_is_rejected_for_the_same_reasons(
    client: ApiClient, tmp_path: Path, extension: str
) -> None:
    """Without a file, under the same schema: the same errors; under a version that allows it, all are loaded."""
    job_id = await _submitted(client, samples.write(tmp_path / f"o{extension}", RECORDS))
    before = await _family(client, job_id)

    retry_id = await _retried(client, job_id)

    again = await _family(client, retry_id)
    assert ("COMPLETED", "0", str(len(BAD))) == _counts(again)
    assert before["errorSummary"] == again["errorSummary"]
    assert str(len(BAD)) == again["outstanding"] == (await _family(client, job_id))["outstanding"]

    lax = [
        {**field, "type": "STRING", "enum": None} if field["name"] in ("email", "currency") else field
        for field in samples.FIELDS
    ]
    newer = await create_schema(client, fields=lax)
    last_id = await _retried(client, retry_id, schemaId=newer)

    assert ("COMPLETED", str(len(BAD)), "0") == _counts(await _family(client, last_id))
    root = await _family(client, job_id)
    assert ("0", str(RECORDS)) == (root["outstanding"], root["records"]["totalCount"])
    assert [samples.row(index)["email"] for index in range(RECORDS)] == [
        node["data"]["email"] for node in root["records"]["nodes"]
    ]


async def test_each_record_may_say_which_it_is(client: ApiClient, tmp_path: Path) -> None:
    """Some of them, in any order; what names no outstanding record is rejected; what is left is retried later."""
    job_id = await _submitted(client, samples.write(tmp_path / "o.csv", RECORDS))
    header, *lines = _mended(BAD, ".csv", tmp_path).decode().splitlines(keepends=True)
    indexed = [f"{index},{line}" for index, line in zip(BAD, lines, strict=True)]
    wrong = f"{BAD[0] + 1},{lines[0]}"
    content = "".join([f"sluice:index,{header}", *reversed(indexed[1:6]), wrong])

    retry_id = await _retried(client, job_id, content.encode(), "some.csv")

    some = await _family(client, retry_id)
    assert ("COMPLETED", "5", "1") == _counts(some)
    assert [("UNKNOWN_INDEX", "1")] == [(found["code"], found["count"]) for found in some["errorSummary"]]
    assert str(len(BAD) - 5) == (await _family(client, job_id))["outstanding"]

    rest = [BAD[0], *BAD[6:]]
    await _retried(client, job_id, _mended(rest, ".csv", tmp_path), "rest.csv")

    _assert_whole(await _family(client, job_id))


async def test_a_file_of_the_wrong_length_loads_nothing(client: ApiClient, tmp_path: Path) -> None:
    """One record too few would put every other in the wrong place."""
    job_id = await _submitted(client, samples.write(tmp_path / "o.csv", RECORDS))

    retry_id = await _retried(client, job_id, _mended(BAD[1:], ".csv", tmp_path), "m.csv")

    failed = await _family(client, retry_id)
    assert ("FAILED", "0", "0") == _counts(failed)
    assert "RECORD_COUNT" == failed["failure"]["code"]
    assert str(len(BAD) - 1) in failed["failure"]["message"]
    assert str(len(BAD)) in failed["failure"]["message"]
    assert str(len(BAD)) == (await _family(client, job_id))["outstanding"]


async def test_an_origin_is_loaded_once_whatever_is_retried_at_the_same_time(
    client: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """Six retries of the same records at once: each record is one retry's, and ALREADY_ACCEPTED in those that met it."""
    job_id = await _submitted(client, samples.write(tmp_path / "o.csv", RECORDS))
    content = _mended(BAD, ".csv", tmp_path)

    retries = await asyncio.gather(
        *(_retried(client, job_id, content, f"{k}.csv") for k in range(6)), return_exceptions=True
    )

    # Who came when nothing was outstanding any more was told so at once; in between the number had changed.
    done = [await _family(client, retry) for retry in retries if isinstance(retry, str)]
    assert len(BAD) == sum(int(job["progress"]["recordsAccepted"]) for job in done)
    assert {"ALREADY_ACCEPTED"} >= {found["code"] for job in done for found in job["errorSummary"]}
    assert {"RECORD_COUNT"} >= {job["failure"]["code"] for job in done if job["failure"]}
    _assert_whole(await _family(client, job_id))


async def test_the_retry_of_a_retry_takes_up_what_that_has_left(client: ApiClient, tmp_path: Path) -> None:
    """Half is mended, then the other half: each step is smaller, and the last leaves nothing."""
    job_id = await _submitted(client, samples.write(tmp_path / "o.json", RECORDS))
    half = len(BAD) // 2
    good = _mended(BAD[:half], ".json", tmp_path).decode().rstrip().removesuffix("]")
    bad = (samples.write(tmp_path / "all.json", RECORDS)).read_text()
    first = f"{good},{_bad_elements(bad, BAD[half:])}]"

    first_id = await _retried(client, job_id, first.encode(), "first.json")
    assert ("COMPLETED", str(half), str(len(BAD) - half)) == _counts(await _family(client, first_id))
    assert str(len(BAD) - half) == (await _family(client, first_id))["outstanding"]
    second_id = await _retried(client, first_id, _mended(BAD[half:], ".json", tmp_path), "second.json")

    assert ("COMPLETED", str(len(BAD) - half), "0") == _counts(await _family(client, second_id))
    assert "0" == (await _family(client, first_id))["outstanding"]
    _assert_whole(await _family(client, job_id))


def _bad_elements(document: str, indexes: Sequence[int]) -> str:
    return ",".join(
        json.dumps(element) for k, element in enumerate(json.loads(document)) if k in set(indexes)
    )
