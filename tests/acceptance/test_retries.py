"""Fix and retry, over a real API and real workers: what was rejected comes back, is fixed, and is loaded once."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.acceptance.retrying import (
    LENIENT,
    ask_retry,
    assert_whole,
    csv,
    family,
    rejected,
    retry,
    submitted,
)  # fmt: skip
from tests.stack import CANCEL, SUBMIT, Stack, create_schema, finished, running, submit

COUNT = 60
BAD = {3, 17, 18, 41, 59}


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Two workers and small batches, so that retries do run at the same time."""
    async with running(services, tmp_path_factory.mktemp("stack"), workers=2, batch_records="10") as stack:
        yield stack


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of a partner of its own."""
    async with await stack.partner() as client:
        yield client


def _fixed(text: str) -> str:
    return re.sub("nobody", "somebody@example.com", text)


async def test_without_a_file_the_records_go_through_another_version_of_the_schema(
    client: ApiClient, tmp_path: Path
) -> None:
    """Under the job's own they are rejected again, and outstanding still."""
    _, job_id = await submitted(client, tmp_path, COUNT, BAD)
    before = await family(client, job_id)
    again = await retry(client, job_id)
    between = await family(client, job_id)
    lenient = await create_schema(client, fields=LENIENT)

    retried = await retry(client, job_id, schemaId=lenient)

    assert ("5", "5", "people.rejected.csv") == (
        before["outstanding"],
        between["outstanding"],
        again["filename"],
    )
    assert "5" == again["progress"]["recordsRejected"]
    assert ("COMPLETED", "5") == (retried["status"], retried["progress"]["recordsAccepted"])
    after = await family(client, job_id)
    assert_whole(after, COUNT)
    assert [retried["id"], again["id"]] == [node["id"] for node in after["retries"]["nodes"]]
    assert ["0", "0"] == [node["outstanding"] for node in after["retries"]["nodes"]]


async def test_the_fixed_file_is_taken_in_its_order(client: ApiClient, tmp_path: Path) -> None:
    """The k-th record is the k-th outstanding one, and each says which it is."""
    _, job_id = await submitted(client, tmp_path, COUNT, BAD)

    retried = await retry(client, job_id, _fixed(await rejected(client, job_id)))

    own = (await family(client, retried["id"]))["own"]["nodes"]
    assert [(str(k), str(n)) for k, n in enumerate(sorted(BAD))] == [
        (node["index"], node["originIndex"]) for node in own
    ]
    assert_whole(await family(client, job_id), COUNT)


async def test_records_that_say_which_they_are_come_in_any_order_and_a_few_at_a_time(
    client: ApiClient, tmp_path: Path
) -> None:
    """`sluice:index` as rejectedFile wrote it; what was left out stays outstanding."""
    _, job_id = await submitted(client, tmp_path, COUNT, BAD)
    head, *rows = _fixed(await rejected(client, job_id, indexed=True)).splitlines()

    await retry(client, job_id, "\n".join([head, *reversed(rows[2:])]))
    between = await family(client, job_id)
    await retry(client, job_id, "\n".join([head, *rows[:2]]))

    assert head == "sluice:index,id,email"
    assert ("2", str(COUNT - 2)) == (between["outstanding"], between["records"]["totalCount"])
    assert_whole(await family(client, job_id), COUNT)


async def test_a_retry_is_retried_until_nothing_is_outstanding(client: ApiClient, tmp_path: Path) -> None:
    """Half of them are still wrong in the first retry; its own rejected file has the rest."""
    _, job_id = await submitted(client, tmp_path, COUNT, BAD)
    text = await rejected(client, job_id)

    first = await retry(client, job_id, text.replace("nobody", "a@example.com", 3))
    rest = await rejected(client, first["id"])
    second = await retry(client, first["id"], _fixed(rest))

    assert "id,email\n41,nobody\n59,nobody\n" == rest
    assert "COMPLETED" == second["status"]
    assert_whole(await family(client, job_id), COUNT)
    branch = await family(client, first["id"])
    assert ("0", str(len(BAD))) == (branch["outstanding"], branch["records"]["totalCount"])
    assert sorted(BAD) == [node["data"]["id"] for node in branch["records"]["nodes"]]
    assert [("0", "41"), ("1", "59")] == [
        (node["index"], node["originIndex"]) for node in (await family(client, second["id"]))["own"]["nodes"]
    ]
    assert ["41", "59"] == [node["originIndex"] for node in branch["errors"]["nodes"]]


async def test_indexes_of_another_job_in_the_first_file_mislead_nobody(
    client: ApiClient, tmp_path: Path
) -> None:
    """The rejected file of one job, sent as a new one by mistake: tried again as they stand, the records are its own."""
    path = tmp_path / "people.csv"
    path.write_text("sluice:index,id\n7,a\n2,1\n0,c\n9,d\n", encoding="utf-8")
    job_id = await submit(
        client, await create_schema(client, fields=[{"name": "id", "type": "INTEGER"}]), path
    )
    await finished(client, job_id)
    text = await create_schema(client, fields=[{"name": "id", "type": "STRING"}])

    await retry(client, job_id, schemaId=text)

    whole = await family(client, job_id)
    assert "0" == whole["outstanding"]
    assert [("0", "a"), ("1", 1), ("2", "c"), ("3", "d")] == [
        (node["originIndex"], node["data"]["id"]) for node in whole["records"]["nodes"]
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("n.csv", "sluice:index,id\n7,a\n2,1\n0,c\n9,d\n"),
        (
            "n.ndjson",
            "".join(
                f'{{"sluice:index": {k}, "id": "{id}"}}\n' for k, id in ((7, "a"), (2, 1), (0, "c"), (9, "d"))
            ),
        ),
        (
            "n.xml",
            '<os xmlns:sluice="urn:sluice"><o sluice:index="7"><id>a</id></o><o sluice:index="2"><id>1</id></o>'
            '<o sluice:index="0"><id>c</id></o><o sluice:index="9"><id>d</id></o></os>',
        ),
    ],
)
async def test_a_file_that_brings_such_indexes_back_is_taken_by_its_places(
    client: ApiClient, tmp_path: Path, name: str, content: str
) -> None:
    """What rejectedFile gives has them, too: mended and sent back, each record is the one in whose place it stands."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    schema_id = await create_schema(client, fields=[{"name": "id", "type": "INTEGER"}])
    job_id = await submit(client, schema_id, tmp_path / name)
    await finished(client, job_id)
    mended = await rejected(client, job_id)
    for letter, number in (("a", "10"), ("c", "30"), ("d", "40")):
        mended = re.sub(rf"\b{letter}\b", number, mended)

    await retry(client, job_id, mended, filename=name)

    whole = await family(client, job_id)
    assert "0" == whole["outstanding"]
    assert [("0", 10), ("1", 1), ("2", 30), ("3", 40)] == [
        (node["originIndex"], node["data"]["id"]) for node in whole["records"]["nodes"]
    ]


async def test_whoever_retries_at_the_same_time_each_record_is_loaded_once(
    client: ApiClient, tmp_path: Path
) -> None:
    """Six retries of the same records by several clients, on two workers: one of them loads each."""
    bad = set(range(0, 200, 2))
    _, job_id = await submitted(client, tmp_path, 200, bad)
    fixed = _fixed(await rejected(client, job_id))
    lenient = await create_schema(client, fields=LENIENT)

    retries = await asyncio.gather(
        *(retry(client, job_id, fixed) for _ in range(3)),
        *(retry(client, job_id, schemaId=lenient) for _ in range(3)),
        return_exceptions=True,
    )

    done = [outcome for outcome in retries if isinstance(outcome, dict)]
    assert all(isinstance(outcome, dict | AssertionError) for outcome in retries), retries
    # Fixed records that come when fewer are outstanding could be anybody's: none of them is loaded.
    assert {"RECORD_COUNT"} >= {job["failure"]["code"] for job in done if job["status"] != "COMPLETED"}
    assert len(bad) == sum(int(job["progress"]["recordsAccepted"]) for job in done)
    late = [error for job in done for error in job["errors"]["nodes"]]
    assert {"ALREADY_ACCEPTED"} >= {error["code"] for error in late}
    assert_whole(await family(client, job_id), 200)


async def test_an_idempotency_key_answers_with_the_same_retry(client: ApiClient, tmp_path: Path) -> None:
    """Also when nothing is outstanding any more; for something else it is a conflict."""
    schema_id, job_id = await submitted(client, tmp_path, COUNT, BAD)
    lenient = await create_schema(client, fields=LENIENT)
    fixed = _fixed(await rejected(client, job_id))

    first = await retry(client, job_id, fixed, idempotencyKey="a")
    again = await ask_retry(client, job_id, fixed, idempotencyKey="a")
    other_file = await ask_retry(client, job_id, fixed + " ", idempotencyKey="a")
    other_schema = await ask_retry(client, job_id, fixed, idempotencyKey="a", schemaId=lenient)
    without = await ask_retry(client, job_id, idempotencyKey="a", schemaId=lenient)
    other_parent = await ask_retry(client, first["id"], fixed, idempotencyKey="a")
    (tmp_path / "fixed.csv").write_text(fixed)
    with (tmp_path / "fixed.csv").open("rb") as content:
        given = {"schemaId": schema_id, "idempotencyKey": "a"}
        no_retry = (await client.upload(SUBMIT, given, "fixed.csv", content))["submitFile"]

    assert first["id"] == again["job"]["id"]
    for conflict in (other_file, other_schema, without, other_parent, no_retry):
        assert ["IDEMPOTENCY_CONFLICT"] == [error["code"] for error in conflict["userErrors"]]


async def test_a_job_that_has_nothing_to_retry_says_why(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Nothing outstanding, a dry run, a job that is not finished: INVALID_STATE, with what to do."""
    schema_id, clean = await submitted(client, tmp_path, 3, set())
    dry_run = await submit(client, schema_id, tmp_path / "people.csv", dryRun=True)
    await finished(client, dry_run)
    big = tmp_path / "big.csv"
    big.write_text(csv(400_000, set()))
    running_job = await submit(client, schema_id, big)

    messages = []
    for job_id in (clean, dry_run, running_job):
        for content in (None, "id,email\n1,a@example.com\n"):
            payload = await ask_retry(client, job_id, content)
            assert payload["job"] is None
            [error] = payload["userErrors"]
            assert ("INVALID_STATE", ["input", "jobId"]) == (error["code"], error["field"])
            messages.append(error["message"])
    await client.execute(CANCEL, {"input": {"jobId": running_job}})

    assert "Nothing is outstanding" in messages[0]
    assert "commitJob" in messages[2]
    assert "Retry it once it is finished" in messages[4]
    assert [] == await stack.query("SELECT id FROM job WHERE parent_id IS NOT NULL AND storage_key IS NULL")


async def test_a_retry_goes_through_versions_of_its_own_schema_alone(
    client: ApiClient, tmp_path: Path
) -> None:
    """Another name is refused before the file is taken; so is a format that the rejected records do not have."""
    _, job_id = await submitted(client, tmp_path, COUNT, BAD)
    other = await create_schema(client, name="people", fields=LENIENT)

    payload = await ask_retry(client, job_id, "id,email\n", schemaId=other)
    no_format = await ask_retry(client, job_id, format="JSON")

    assert [("INVALID", ["input", "schemaId"])] == [(e["code"], e["field"]) for e in payload["userErrors"]]
    assert [("INVALID", ["input", "format"])] == [(e["code"], e["field"]) for e in no_format["userErrors"]]


async def test_a_file_with_too_few_records_loads_none(client: ApiClient, tmp_path: Path) -> None:
    """Positions would be guesses."""
    _, job_id = await submitted(client, tmp_path, COUNT, BAD)

    retried = await retry(client, job_id, "id,email\n3,a@example.com\n")

    assert ("FAILED", "RECORD_COUNT") == (retried["status"], retried["failure"]["code"])
    assert "5" == (await family(client, job_id))["outstanding"]


async def test_other_formats_come_back_and_are_loaded(client: ApiClient, tmp_path: Path) -> None:
    """JSON with a wrapper, NDJSON and XML, each fixed in its own format."""
    schema_id = await create_schema(client, fields=LENIENT[:1])
    files = {
        "a.json": ('[{"id": 1}, {"id": "x"}, {"id": 3}]', '"x"'),
        "a.ndjson": ('{"id": 1}\n{"id": "x"}\n{"id": 3}\n', '"x"'),
        "a.xml": ("<all><r><id>1</id></r><r><id>x</id></r><r><id>3</id></r></all>", "x<"),
    }
    for name, (content, mistake) in files.items():
        given = schema_id
        if name == "a.xml":
            given = await create_schema(client, fields=LENIENT[:1], recordPath="r")
        (tmp_path / name).write_text(content)
        job_id = await submit(client, given, tmp_path / name)
        assert "1" == (await finished(client, job_id))["progress"]["recordsRejected"], name

        fixed = (await rejected(client, job_id)).replace(mistake, "2" + mistake.strip('"x'))
        await retry(client, job_id, fixed, filename=name)

        loaded = (await family(client, job_id))["records"]["nodes"]
        assert [1, 2, 3] == [node["data"]["id"] for node in loaded], name
