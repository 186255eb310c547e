"""One file's way through a real API and a real worker, in every format."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.stack import CANCEL, JOB, Stack, create_schema, finished, follow, running, submit

RECORDS = 3_000
BAD = sum(samples.is_bad(index) for index in range(RECORDS))


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """One Sluice for all tests of this file; batches are small, so that there are many."""
    async with running(services, tmp_path_factory.mktemp("stack"), batch_records="500") as stack:
        yield stack


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of a partner of its own."""
    async with await stack.partner() as client:
        yield client


@pytest.mark.parametrize("extension", ["csv", "tsv", "json", "ndjson", "xml"])
async def test_a_file_of_every_format_lands_whole(client: ApiClient, tmp_path: Path, extension: str) -> None:
    """3,000 records: the good ones are loaded as they were, the bad ones have an error for each failing field."""
    schema_id = await create_schema(client, fields=samples.FIELDS)

    job = await finished(
        client, await submit(client, schema_id, samples.write(tmp_path / f"o.{extension}", RECORDS))
    )

    assert ("COMPLETED", None) == (job["status"], job["failure"])
    assert {
        "percent": 100.0, "bytesRead": job["sizeBytes"], "bytesTotal": job["sizeBytes"],
        "recordsRead": str(RECORDS), "recordsAccepted": str(RECORDS - BAD), "recordsRejected": str(BAD),
    } == job["progress"]  # fmt: skip
    good = [index for index in range(RECORDS) if not samples.is_bad(index)]
    assert [
        {"index": str(index), "data": samples.expected(index)} for index in good[:1000]
    ] == job["records"]["nodes"]  # fmt: skip
    assert [
        {"field": "currency", "code": "NOT_IN_ENUM", "count": str(BAD)},
        {"field": "email", "code": "INVALID_EMAIL", "count": str(BAD)},
    ] == job["errorSummary"]
    first, second = job["errors"]["nodes"][:2]
    assert ("10", "email", "INVALID_EMAIL", "nobody") == _seen(first)
    assert ("10", "currency", "NOT_IN_ENUM", "DM") == _seen(second)


def _seen(error: dict[str, str]) -> tuple[str, str, str, str]:
    return error["recordIndex"], error["field"], error["code"], error["rawValue"]


async def test_errors_say_where_the_record_begins(client: ApiClient, tmp_path: Path) -> None:
    """Line and byte offset of every error lead to its record in the file that was sent."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "o.csv", 300)

    job = await finished(client, await submit(client, schema_id, path))

    content, lines = path.read_bytes(), path.read_bytes().splitlines()
    for error in job["errors"]["nodes"]:
        index = error["recordIndex"].encode()
        assert content[int(error["byteOffset"]) :].startswith(index + b",")
        assert lines[int(error["line"]) - 1].startswith(index + b",")


async def test_progress_never_goes_back_and_ends_once(client: ApiClient, tmp_path: Path) -> None:
    """A subscriber sees counts that only grow, one final state at the end, and then the end of the stream."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "o.csv", 60_000)

    events = await follow(client, await submit(client, schema_id, path))

    assert len(events) > 2
    counts = [int(event["bytesRead"]) for event in events]
    assert counts == sorted(counts)
    assert [event["status"] for event in events].count("COMPLETED") == 1
    assert ("COMPLETED", "60000") == (events[-1]["status"], events[-1]["recordsRead"])
    assert all(
        int(event["recordsRead"]) == int(event["recordsAccepted"]) + int(event["recordsRejected"])
        for event in events
    )


async def test_a_wake_up_starts_a_job_before_any_sweep_would(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Ten jobs in a row, each claimed within 0.5 s: sweeps, which come every 1 to 2 s, could not do that."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(tmp_path / "o.csv", 10)

    for _ in range(10):
        await finished(client, await submit(client, schema_id, path))

    waits = await stack.query(
        "SELECT started_at - created_at AS wait FROM job ORDER BY created_at DESC LIMIT 10"
    )
    assert max(row["wait"].total_seconds() for row in waits) < 0.5


async def test_a_finished_job_sends_one_event(client: ApiClient, tmp_path: Path) -> None:
    """Whoever comes late gets the final state, at once and alone."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    job_id = await submit(client, schema_id, samples.write(tmp_path / "o.csv", 10))
    await finished(client, job_id)

    assert ["COMPLETED"] == [event["status"] for event in await follow(client, job_id)]


async def test_no_batch_commits_after_cancel_has_answered(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Cancelled in the middle, a job keeps what it had at that moment and never loads more."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    job_id = await submit(client, schema_id, samples.write(tmp_path / "o.csv", 150_000))
    async for event in client.subscribe(
        "subscription P($id: ID!) { jobProgress(jobId: $id) { status recordsRead } }", {"id": job_id}
    ):
        if int(event["jobProgress"]["recordsRead"]) > 0:
            break

    cancelled = (await client.execute(CANCEL, {"input": {"jobId": job_id}}))["cancelJob"]
    before = await stack.query("SELECT count(*) FROM record")
    events = await follow(client, job_id)
    await asyncio.sleep(1)  # a batch that passed the fence would have committed by now
    after = await stack.query("SELECT count(*) FROM record")

    assert ("CANCELLED", []) == (cancelled["job"]["status"], cancelled["userErrors"])
    assert ["CANCELLED"] == [event["status"] for event in events]
    assert before == after
    again = (await client.execute(CANCEL, {"input": {"jobId": job_id}}))["cancelJob"]
    assert ["INVALID_STATE"] == [error["code"] for error in again["userErrors"]]
    assert "CANCELLED" == again["job"]["status"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        pytest.param("o.csv", b"", "FILE_EMPTY", id="empty"),
        pytest.param("o.csv", b"id,email\n1,a@b.example\n", "HEADER_MISSING", id="header missing"),
        pytest.param("o.csv", b"id,id,email,amount,currency,day\n", "DUPLICATE_HEADER", id="duplicate header"),
        pytest.param("o.json", b'[{"id": 1}', "TRUNCATED", id="truncated JSON"),
        pytest.param("o.json", b'{"id": 1}', "WRONG_STRUCTURE", id="no array"),
        pytest.param("o.json", b'{"x\\u0000y": [], "z": []}', "WRONG_STRUCTURE", id="a NUL in a name"),
        pytest.param("o.json", b'[{"id": NaN}]', "MALFORMED", id="NaN"),
        pytest.param("o.json", b"[" * 100_000, "TOO_DEEP", id="100 KB of ["),
        pytest.param("o.json", b'[{"id": "\xff"}]', "ENCODING", id="invalid UTF-8 in JSON"),
        pytest.param("o.xml", b"<a><b><id>1</id></b>", "TRUNCATED", id="truncated XML"),
        pytest.param("o.xml", b'<!DOCTYPE a [<!ENTITY x "y">]><a/>', "DTD_FORBIDDEN", id="DOCTYPE"),
        pytest.param("o.xml", b'[{"id": 1}]', "MALFORMED", id="JSON sent as XML"),
    ],
)  # fmt: skip
async def test_a_bad_file_fails_its_own_job_only(
    client: ApiClient, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    """The job is FAILED with the code and a message, and the same worker does the next job."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = tmp_path / name
    path.write_bytes(content)

    bad = await finished(client, await submit(client, schema_id, path))
    good = await finished(client, await submit(client, schema_id, samples.write(tmp_path / "good.csv", 10)))

    assert ("FAILED", code) == (bad["status"], bad["failure"]["code"])
    assert bad["failure"]["message"].endswith(".")
    assert "COMPLETED" == good["status"]


@pytest.mark.parametrize(
    ("name", "content", "index", "code"),
    [
        pytest.param(
            "o.csv", b"id,email,currency\n1,a@b.example,EUR\n2,a@b.example\n", 1, "COLUMN_COUNT", id="ragged"
        ),
        pytest.param("o.csv", b"id,email,currency\n1\0,a@b.example,EUR\n", 0, "INVALID_CHARACTER", id="NUL"),
        pytest.param(
            "o.csv", b"id,email,currency\n1,a@b.example,\xff\n", 0, "INVALID_CHARACTER", id="invalid UTF-8"
        ),
        pytest.param("o.json", b'[{"id": ' + b"9" * 4301 + b"}]", 0, "OUT_OF_RANGE", id="4,301 digits"),
        pytest.param("o.json", b'[{"amount": 1e400}]', 0, "OUT_OF_RANGE", id="1e400"),
        pytest.param("o.ndjson", b'{"id": 1\n{"id": 2}\n', 0, "MALFORMED_RECORD", id="bad line"),
    ],
)
async def test_a_bad_record_is_an_error_row(
    client: ApiClient, tmp_path: Path, name: str, content: bytes, index: int, code: str
) -> None:
    """The job completes, and the record's errors name the code and its place."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = tmp_path / name
    path.write_bytes(content)

    job = await finished(client, await submit(client, schema_id, path))

    assert "COMPLETED" == job["status"]
    assert code in {error["code"] for error in job["errors"]["nodes"] if error["recordIndex"] == str(index)}


async def test_header_only_is_completed_with_no_records(client: ApiClient, tmp_path: Path) -> None:
    """A file without records is no mistake."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = tmp_path / "o.csv"
    path.write_bytes(b"id,email,amount,currency,day\n")

    job = await finished(client, await submit(client, schema_id, path))

    assert ("COMPLETED", "0", 100.0) == (
        job["status"],
        job["progress"]["recordsRead"],
        job["progress"]["percent"],
    )


async def test_another_partner_sees_nothing(stack: Stack, client: ApiClient, tmp_path: Path) -> None:
    """Somebody else's job looks exactly like one that does not exist."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    job_id = await submit(client, schema_id, samples.write(tmp_path / "o.csv", 10))
    async with await stack.partner("Other") as stranger:
        seen = await stranger.execute(JOB, {"id": job_id})
        cancelled = (await stranger.execute(CANCEL, {"input": {"jobId": job_id}}))["cancelJob"]

    assert seen["job"] is None
    assert (None, ["NOT_FOUND"]) == (cancelled["job"], [error["code"] for error in cancelled["userErrors"]])


async def test_an_api_that_is_asked_to_stop_ends_its_subscriptions_and_exits_0(stack: Stack) -> None:
    """SIGTERM ends the process with 0, within seconds, though somebody is still listening."""
    # The last test of this file: it takes the API away.
    from tests.stack import interrupt

    api = stack.processes[0]

    code, seconds = await asyncio.to_thread(interrupt, api)

    assert code == 0
    assert seconds < 6
