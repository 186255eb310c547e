"""A family of a fault test: a job that has rejected all of its records, and retries of them, made as the API makes them."""

import hashlib
import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from sluice.client import ApiClient
from tests import samples
from tests.check import assert_exact
from tests.families import assert_families
from tests.faults.jobs import until, uuid_of
from tests.stack import Stack, create_schema, finished, kill, submit

RECORDS = 4_000


@dataclass(frozen=True)
class Family:
    """The first job, of which every record is outstanding until a retry loads it."""

    stack: Stack
    root_id: UUID
    folder: Path

    async def retry(self, origins: Sequence[int], *, named: bool, bad: Sequence[int] = ()) -> UUID:
        """A retry of these records in this order, mended but for those in `bad`, waiting for a worker.

        `named`: each says which it is, and all records of the first job are given as outstanding, in their own order.
        """
        rows = [_mended(origin, bad=origin in bad) for origin in origins]
        if named:
            rows = [{"sluice:index": str(origin)} | row for origin, row in zip(origins, rows, strict=True)]
        path = samples.write_rows(self.folder / f"{uuid4()}{self.stack.extension}", rows)
        content = path.read_bytes()
        store, key, origins_key = self.stack.folder / "files", uuid4().hex, uuid4().hex
        (store / key).write_bytes(content)
        (store / origins_key).write_bytes(array("q", range(RECORDS) if named else origins).tobytes())
        changes = {
            "id": str(uuid4()), "parent_id": str(self.root_id), "root_id": str(self.root_id), "storage_key": key,
            "origins_key": origins_key, "sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content),
            "status": "PENDING", "attempt": 0, "next_index": 0, "next_offset": 0, "next_line": 1, "bytes_read": 0,
            "records_accepted": 0, "records_rejected": 0, "error_counts": {}, "started_at": None, "finished_at": None,
            "lease_until": None, "records_retried": 0, "retries_version": 0,
        }  # fmt: skip
        await self.stack.query(
            "INSERT INTO job SELECT (jsonb_populate_record(job, $2::jsonb)).* FROM job WHERE id = $1",
            self.root_id, json.dumps(changes),
        )  # fmt: skip
        return UUID(changes["id"])  # type: ignore[arg-type]

    async def row(self, job_id: UUID) -> asyncpg.Record:
        """A job as the database has it now."""
        [row] = await self.stack.query("SELECT * FROM job WHERE id = $1", job_id)
        return row

    async def whole(self, *retries: UUID, seconds: float = 60.0) -> None:
        """The retries once they are COMPLETED: exact, and each record is loaded under its origin."""
        for job_id in retries:
            await until(partial(self._is_final, job_id), seconds)
            row = await self.row(job_id)
            assert "COMPLETED" == row["status"], row
            await assert_exact(self.stack, job_id)
        await assert_exact(self.stack, self.root_id)
        await assert_families(self.stack.query)
        loaded = await self.stack.query(
            "SELECT origin_index, data ->> 'id' AS id FROM record WHERE job_id = ANY($1)", list(retries)
        )
        assert [] == [row for row in loaded if str(row["origin_index"]) != row["id"]]

    async def loaded(self) -> list[int]:
        """The origins that the retries have loaded."""
        rows = await self.stack.query("SELECT origin_index FROM retried_record ORDER BY 1")
        return [row["origin_index"] for row in rows]

    async def rejected(self, job_id: UUID) -> dict[str, list[int]]:
        """By code the origins of a retry's error rows."""
        rows = await self.stack.query(
            "SELECT code, array_agg(origin_index ORDER BY 1) AS origins FROM record_error WHERE job_id = $1 GROUP BY code",
            job_id,
        )
        return {row["code"]: sorted(row["origins"]) for row in rows}

    async def _is_final(self, job_id: UUID) -> bool:
        return (await self.row(job_id))["finished_at"] is not None


async def rejected_family(stack: Stack, client: ApiClient, folder: Path) -> Family:
    """Its first job, COMPLETED, with no record accepted; its worker is gone again."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    rows = [_mended(index, bad=True) for index in range(RECORDS)]
    job_id = await submit(client, schema_id, samples.write_rows(folder / f"root{stack.extension}", rows))
    worker = stack.start_worker()
    job = await finished(client, job_id)
    kill(worker)
    assert str(RECORDS) == job["progress"]["recordsRejected"]
    return Family(stack, uuid_of(job_id), folder)


def _mended(index: int, *, bad: bool) -> samples.Row:
    return samples.row(index) | {"email": "nobody" if bad else "a@b.example", "currency": "EUR"}
