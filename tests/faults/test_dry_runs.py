"""A dry run decides as the commit will, whatever the file and whoever dies meanwhile, and stores no record."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tortoise import Tortoise

from models import RecordSchema
from settings import tortoise_config
from sluice.client import ApiClient
from sluice.errors import Unreachable
from tasks.pipeline.definition import define
from tasks.pipeline.errors import DefinitionError
from tests.faults.jobs import Case, struck, submitted, until, uuid_of
from tests.fuzz.cases import case_of
from tests.graph.api import id_of
from tests.stack import Stack, finished, kill, submit

COMMIT = """
mutation Commit($input: CommitJobInput!) {
  commitJob(input: $input) { job { id dryRun dryRunJob { id } } userErrors { code message field } }
}
"""
CASES = 40
_FINAL_SECONDS = 100.0


async def _committed(client: ApiClient, job_id: str) -> str:
    payload = (await client.execute(COMMIT, {"input": {"jobId": job_id}}))["commitJob"]
    assert [] == payload["userErrors"]
    assert (False, {"id": job_id}) == (payload["job"]["dryRun"], payload["job"]["dryRunJob"])
    return str(payload["job"]["id"])


@dataclass(frozen=True)
class _Verdict:
    """All that a job says about its file."""

    job: dict[str, Any]
    errors: list[dict[str, Any]]
    records: list[tuple[int, str]]

    @classmethod
    async def of(cls, stack: Stack, job_id: str) -> "_Verdict":
        id = uuid_of(job_id)
        [job] = await stack.query(
            "SELECT status, next_index, next_offset, next_line, bytes_read, records_accepted, records_rejected, error_counts,"
            " failure_code, failure_message, failure_record_index, failure_line FROM job WHERE id = $1", id
        )  # fmt: skip
        errors = await stack.query(
            "SELECT record_index, seq, line, byte_offset, byte_length, field, code, message, raw_value, source, origin_index"
            " FROM record_error WHERE job_id = $1 ORDER BY record_index, seq", id
        )  # fmt: skip
        records = await stack.query(
            'SELECT "index", data::text FROM record WHERE job_id = $1 ORDER BY "index"', id
        )
        return cls(dict(job), [dict(row) for row in errors], [(row["index"], row["data"]) for row in records])


async def _all_final(stack: Stack) -> bool:
    return not await stack.query("SELECT 1 FROM job WHERE finished_at IS NULL")


@pytest.fixture
async def partner_id(stack: Stack, client: ApiClient) -> UUID:
    """Of the client's partner."""
    [row] = await stack.query("SELECT id FROM partner")
    return UUID(str(row["id"]))


async def _schema(partner_id: UUID, definition: dict[str, Any]) -> str | None:
    """The id of a saved schema; None when it makes no sense."""
    try:
        defined = define(definition)
    except DefinitionError:
        return None
    return id_of(await RecordSchema.save_version(partner_id, "random", defined.model_dump(mode="json")))


@pytest.mark.timeout(240)
async def test_dry_run_commit_and_submission_give_one_verdict(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random, partner_id: UUID
) -> None:
    """Of random files and schemas, damaged and whole, in every format: through the API, the queue and the real loading."""
    await Tortoise.init(config=tortoise_config(stack.services.database_url))
    jobs: dict[int, tuple[str, str]] = {}
    while len(jobs) < CASES:
        case = case_of(seed := chance.getrandbits(32))
        schema_id = await _schema(partner_id, case.definition)
        if schema_id is None:
            continue
        path = tmp_path / f"{seed}.bin"
        path.write_bytes(case.data)
        dry, plain = [
            await submit(client, schema_id, path, format=case.format.value, dryRun=is_dry)
            for is_dry in (True, False)
        ]
        jobs[seed] = (dry, plain)
    await Tortoise.close_connections()
    for _ in range(2):
        stack.start_worker(batch_records=str(chance.choice((3, 20, 500))))

    await until(lambda: _all_final(stack), _FINAL_SECONDS)
    committed = {seed: await _committed(client, dry) for seed, (dry, _) in jobs.items()}
    await until(lambda: _all_final(stack), _FINAL_SECONDS)

    seen: set[tuple[str, bool]] = set()
    for seed, (dry, plain) in jobs.items():
        verdict, loaded = await _Verdict.of(stack, dry), await _Verdict.of(stack, committed[seed])
        assert verdict.job == loaded.job, f"case_of({seed})"
        assert verdict.errors == loaded.errors, f"case_of({seed})"
        assert loaded == await _Verdict.of(stack, plain), f"case_of({seed})"
        assert [] == verdict.records
        assert loaded.job["records_accepted"] == len(loaded.records)
        assert "INTERNAL" != verdict.job["failure_code"], f"case_of({seed})"
        seen.add((verdict.job["status"], bool(loaded.records and loaded.errors)))
    assert {("COMPLETED", True), ("FAILED", False)} <= seen


async def test_a_dry_run_and_its_commit_survive_their_workers(
    stack: Stack, client: ApiClient, tmp_path: Path, chance: random.Random
) -> None:
    """kill -9 in the middle of each: one and the same verdict, and the records once."""
    case = await submitted(stack, client, tmp_path, dryRun=True)
    stack.start_worker(faults=f"after_fence=kill9@{chance.randint(2, 15)}")
    await struck(stack)
    worker = stack.start_worker()
    dry = await case.whole()
    assert ("9800", "0") == (dry["progress"]["recordsAccepted"], dry["records"]["totalCount"])
    await asyncio.to_thread(kill, worker)

    committed = Case(stack, client, await _committed(client, case.job_id), case.path)
    stack.start_worker(faults=f"after_copy=kill9@{chance.randint(2, 15)}")
    await struck(stack, 2)
    stack.start_worker()
    loaded = await committed.whole()

    assert "9800" == loaded["records"]["totalCount"]
    for name in ("progress", "failure", "errorSummary", "errors", "sha256", "filename", "format"):
        assert dry[name] == loaded[name]


async def test_a_file_that_is_damaged_is_committed_as_far_as_it_was_read(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """A FAILED dry run: the commit loads what comes before the damage, and fails at the same place."""
    stack.extension = ".json"
    case = await submitted(stack, client, tmp_path, 3_000)
    [schema] = await stack.query("SELECT record_schema_id AS id FROM job")
    cut = tmp_path / "cut.json"
    cut.write_bytes(case.path.read_bytes()[:-200])
    stack.start_worker()
    await case.whole()
    schema_id = id_of(RecordSchema(id=schema["id"]))
    dry = await submit(client, schema_id, cut, dryRun=True)
    assert "FAILED" == (await finished(client, dry))["status"]

    committed = Case(stack, client, await _committed(client, dry), case.path)
    job = await committed.whole("FAILED")

    verdict, loaded = await _Verdict.of(stack, dry), await _Verdict.of(stack, committed.job_id)
    assert (verdict.job, verdict.errors) == (loaded.job, loaded.errors)
    assert int(job["records"]["totalCount"]) == len(loaded.records) > 2_000


async def test_an_api_that_dies_behind_the_insert_of_a_commit_has_made_the_one_job(
    stack: Stack, client: ApiClient, tmp_path: Path
) -> None:
    """Its answer is lost, the job is not: whoever commits again gets that one, and a sweep has found it meanwhile."""
    case = await submitted(stack, client, tmp_path, 1_000, dryRun=True)
    stack.start_worker()
    await case.whole()
    kill(stack.processes[0])
    stack.start("api", faults="after_insert=kill9")
    await _eventually_fails(client, case)
    await struck(stack)

    [row] = await stack.query("SELECT id FROM job WHERE NOT dry_run")
    stack.start("api")
    committed = Case(stack, client, await _again(client, case), case.path)

    assert row["id"] == committed.uuid
    await committed.whole()


async def _eventually_fails(client: ApiClient, case: Case) -> None:
    async def is_struck() -> bool:
        try:
            await _committed(client, case.job_id)
        except Unreachable:
            return '"fault strikes"' in case.stack.log
        return True

    await until(is_struck)


async def _again(client: ApiClient, case: Case) -> str:
    async with asyncio.timeout(30):
        while True:
            try:
                return await _committed(client, case.job_id)
            except Unreachable:
                await asyncio.sleep(0.05)


async def test_ten_commits_at_once_make_one_job(stack: Stack, client: ApiClient, tmp_path: Path) -> None:
    """They all get the same."""
    case = await submitted(stack, client, tmp_path, 1_000, dryRun=True)
    stack.start_worker()
    await case.whole()

    ids = await asyncio.gather(*(_committed(client, case.job_id) for _ in range(10)))

    assert 1 == len(set(ids)) == len(await stack.query("SELECT id FROM job WHERE NOT dry_run"))
    await Case(stack, client, ids[0], case.path).whole()
