"""Discards: the work of deleting what a finished job has loaded. Every change of its state is a named method here.

    PENDING ──claim──▶ PROCESSING ──finish──▶ COMPLETED

`attempt` is the fencing token, as a job's is. Whoever leaves a discard before its end hands it back, or lets its lease
run out, and the next goes on behind the last chunk.

All who change rows of a family of jobs lock them in one order, so that none waits for another in a circle: records,
`retried_record` by origin, the discard, the job, and the family's root last.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
from tortoise import connections, fields
from tortoise.models import Model

from models.job import DISCARD_COLUMNS, DISCARD_VALUES, FINAL, Job
from models.retried_record import RetriedRecord
from models.sessions import end_other_sessions, name_session


class DiscardStatus(StrEnum):
    """Where a discard stands."""

    PENDING = "PENDING"
    """Asked for, and no worker has begun. If everything dies here, a sweep finds it."""
    PROCESSING = "PROCESSING"
    """A worker has begun. If it dies, another goes on behind its last chunk."""
    COMPLETED = "COMPLETED"
    """Nothing that the job has loaded is left. Final."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one transaction deletes."""

    records: int
    origins: int
    """So many of them are outstanding again."""
    next_index: int
    """No record below it is left."""


class Discard(Model):
    """What a job has loaded is deleted, in chunks; there is one for a job at most."""

    job_id: UUID = fields.UUIDField(primary_key=True)
    """A foreign key, which the migration makes: Tortoise would forget it where it is the primary key, too."""
    attempt = fields.IntField(default=0)
    """The fencing token: it grows with every claim."""
    lease_until = fields.DatetimeField(null=True)
    next_index = fields.BigIntField(default=0)
    """No record below this index is left."""
    requested_at = fields.DatetimeField(auto_now_add=True)
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "discard"
        table_description = ""  # else every edit of the docstring would be a migration

    @property
    def status(self) -> DiscardStatus:
        """Told by its times."""
        if self.finished_at is not None:
            return DiscardStatus.COMPLETED
        return DiscardStatus.PENDING if self.started_at is None else DiscardStatus.PROCESSING

    @classmethod
    async def request(cls, job_id: UUID, partner_id: UUID) -> bool:
        """Asks for the discard of a finished job that has loaded records for good; False when it is not such a job, or
        was asked for it before."""
        made = await connections.get("default").execute_query_dict(_REQUEST, [job_id, partner_id])
        return bool(made)

    @classmethod
    async def claim_next(cls, lease_seconds: float) -> "Discard | None":
        """Takes the discard that has waited longest, or whose worker's lease ran out, and leases it to the caller."""
        rows = await connections.get("default").execute_query_dict(_CLAIM, [lease_seconds])
        return cls._init_from_db(**rows[0]) if rows else None

    @classmethod
    async def counted(cls, job_ids: Collection[UUID]) -> list[tuple[int, int, "Discard"]]:
        """The discards of these jobs, as far as there are any: each behind how many records its job has accepted, and how
        many of them are deleted, at one moment."""
        rows = await connections.get("default").execute_query_dict(_COUNTED, [list(job_ids)])
        return [(row.pop("total"), row.pop("discarded"), cls._init_from_db(**row)) for row in rows]

    async def delete_next(self, connection: asyncpg.Connection, job: Job, limit: int) -> Chunk:
        """Deletes up to `limit` of the records that are left, inside the caller's open transaction, and lets go of the
        origins of a retry's."""
        records = await connection.fetch(_DELETE, self.job_id, self.next_index, limit)
        origins = [row["origin_index"] for row in records if row["origin_index"] is not None]
        freed = 0
        if job.root_id is not None and origins:
            freed = await RetriedRecord.release(connection, job.root_id, self.job_id, origins)
        behind = max((row["index"] for row in records), default=self.next_index - 1) + 1
        return Chunk(len(records), freed, behind)

    async def advance(self, connection: asyncpg.Connection, job: Job, chunk: Chunk) -> bool:
        """Counts the chunk inside the transaction that deletes it; False means: roll everything back.

        This is the fence. It holds only for the attempt that leases the discard, and only from where this chunk began.
        """
        tag = await connection.execute(_ADVANCE, self.job_id, self.attempt, self.next_index, chunk.next_index)
        if tag != "UPDATE 1":
            return False
        if chunk.records:
            await connection.execute(_COUNT_DISCARDED, self.job_id, chunk.records)
        if job.root_id is not None and chunk.origins:
            await Job.count_retried(connection, job.root_id, -chunk.origins)
        return True

    async def renew(self, lease_seconds: float) -> bool:
        """The heartbeat: prolongs the lease. False when the discard is somebody else's by now."""
        return await self._write(
            "UPDATE discard SET lease_until = clock_timestamp() + make_interval(secs => $3::float8)",
            lease_seconds,
        )

    async def hand_back(self) -> bool:
        """Gives an unfinished discard back, so that any worker goes on at once."""
        return await self._write("UPDATE discard SET lease_until = NULL")

    async def finish(self) -> bool:
        """Marks the discard as COMPLETED, if it is still this attempt's."""
        return await self._write("UPDATE discard SET lease_until = NULL, finished_at = clock_timestamp()")

    async def name_session(self, connection: asyncpg.Connection) -> None:
        """Marks the caller's transaction as one of this discard."""
        await name_session(connection, self._session_name)

    async def end_other_sessions(self) -> None:
        """Ends the database sessions in which an earlier attempt is still deleting."""
        await end_other_sessions(self._session_name)

    @property
    def _session_name(self) -> str:
        return f"sluice discard {self.job_id.hex}"

    async def _write(self, update: str, *values: Any) -> bool:
        """Runs `update` if this attempt still holds the discard."""
        changed, _ = await connections.get("default").execute_query(
            f"{update} {_HELD}", [self.job_id, self.attempt, *values]
        )
        return bool(changed == 1)


_REQUEST = f"""
    INSERT INTO discard ({DISCARD_COLUMNS})
    SELECT {DISCARD_VALUES} FROM job WHERE id = $1 AND partner_id = $2 AND {FINAL} AND NOT dry_run
        ON CONFLICT (job_id) DO NOTHING
 RETURNING job_id
"""  # noqa: S608  # constants

_CLAIM = """
    UPDATE discard
       SET attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $1::float8),
           started_at = coalesce(started_at, clock_timestamp())
     WHERE job_id = (
        SELECT job_id FROM discard
         WHERE finished_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
         ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED
     )
 RETURNING *
"""

_COUNTED = """
    SELECT discard.*, job.records_accepted AS total, job.records_discarded AS discarded
      FROM discard JOIN job ON job.id = discard.job_id WHERE discard.job_id = ANY($1::uuid[])
"""

_HELD = "WHERE job_id = $1 AND attempt = $2 AND finished_at IS NULL"
"""The fence: the discard is not finished, and nobody has claimed it since."""

_DELETE = """
    DELETE FROM record
     WHERE job_id = $1 AND "index" >= $2 AND "index" <= (
        SELECT max("index") FROM (
            SELECT "index" FROM record WHERE job_id = $1 AND "index" >= $2 ORDER BY "index" LIMIT $3
        ) AS next
     )
 RETURNING "index", origin_index
"""
"""By the next so many rows: indexes of accepted records may lie far apart."""

_ADVANCE = f"UPDATE discard SET next_index = $4::bigint {_HELD} AND next_index = $3::bigint"  # noqa: S608  # a constant

_COUNT_DISCARDED = "UPDATE job SET records_discarded = records_discarded + $2::bigint WHERE id = $1"
