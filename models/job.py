"""Jobs: one submitted file and its run. Every change of a job's state is a named method here.

    PENDING ──claim──▶ PROCESSING ──finish──▶ COMPLETED | FAILED
       ▲                   │
       └────hand_back──────┘      cancel: PENDING | PROCESSING ──▶ CANCELLED

`attempt` is the fencing token: it grows with every claim, and whoever writes with an older one changes nothing.
Only the database's clock counts for leases.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from tortoise import connections, fields
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.models import Model
from uuid6 import uuid7

from models.partner import Partner
from models.record_schema import RecordSchema
from models.sessions import end_other_sessions, name_session

SMALL_BYTES = 4 * 1024 * 1024
"""Up to this size a job is small: it takes a second at most. The condition of an index, so it changes by a migration."""


class JobStatus(StrEnum):
    """Where a job stands."""

    PENDING = "PENDING"
    """Durable and waiting for a worker. If everything dies here, a sweep finds it."""
    PROCESSING = "PROCESSING"
    """A worker holds its lease. If that worker dies, the lease runs out and another goes on from the last batch."""
    COMPLETED = "COMPLETED"
    """Every record is decided. Final."""
    FAILED = "FAILED"
    """The file could not be read to its end; what was loaded before stays. Final."""
    CANCELLED = "CANCELLED"
    """The partner stopped it; what was loaded before stays. Final."""

    @property
    def is_final(self) -> bool:
        """True when the job will never change again."""
        return self not in (JobStatus.PENDING, JobStatus.PROCESSING)


class OnFailure(StrEnum):
    """What becomes of the records that a job has loaded when it ends as FAILED or CANCELLED."""

    KEEP = "KEEP"
    DISCARD = "DISCARD"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a job has come, in absolute numbers. It moves in the transaction that loads the batch, or not at all."""

    index: int
    """Of the first record not yet decided; `offset` and `line` say where that record begins."""
    offset: int
    line: int
    accepted: int
    rejected: int
    error_counts: dict[str, dict[str, int]]

    @classmethod
    def of(cls, job: "Job") -> "Checkpoint":
        """Where `job` is."""
        return cls(
            job.next_index, job.next_offset, job.next_line,
            job.records_accepted, job.records_rejected, job.error_counts,
        )  # fmt: skip


class Job(Model):
    """One submitted file. Its counters and its checkpoint move in the transaction that loads a batch (`advance`)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    partner: fields.ForeignKeyRelation[Partner] = fields.ForeignKeyField(
        "models.Partner", related_name="jobs", on_delete=fields.RESTRICT
    )
    partner_id: UUID
    record_schema: fields.ForeignKeyRelation[RecordSchema] = fields.ForeignKeyField(
        "models.RecordSchema", related_name="jobs", on_delete=fields.RESTRICT
    )
    record_schema_id: UUID
    status = fields.CharEnumField(JobStatus, max_length=16, description="", default=JobStatus.PENDING)
    filename = fields.CharField(max_length=255)
    format = fields.CharField(max_length=16)
    size_bytes = fields.BigIntField()
    sha256 = fields.CharField(max_length=64)
    storage_key = fields.CharField(max_length=200)
    idempotency_key = fields.CharField(max_length=200, null=True)
    dry_run = fields.BooleanField(default=False, db_default=False)
    """It decides every record and stores none."""
    on_failure = fields.CharEnumField(
        OnFailure, max_length=16, description="", default=OnFailure.KEEP, db_default=OnFailure.KEEP
    )
    dry_run_job: fields.ForeignKeyNullableRelation["Job"] = fields.OneToOneField(
        "models.Job", related_name="commit_job", on_delete=fields.RESTRICT, null=True
    )
    """Whose file this one loads for good. A dry run is committed once at most."""
    dry_run_job_id: UUID | None

    parent: fields.ForeignKeyNullableRelation["Job"] = fields.ForeignKeyField(
        "models.Job", related_name="retries", on_delete=fields.RESTRICT, null=True
    )
    """Whose rejected records this one tries again."""
    parent_id: UUID | None
    root_id: UUID | None = fields.UUIDField(null=True)
    """The parent's first forefather: origins are indexes of its records. None where there is no parent."""
    origins_key = fields.CharField(max_length=200, null=True)
    """Of a retry: the stored file (tasks/origins.py) of the records that were outstanding when it was made."""
    records_retried = fields.BigIntField(default=0, db_default=0)
    """Of a job without a parent: rejected records that a retry, whichever, has loaded: the rows in `retried_record`."""
    retries_version = fields.BigIntField(default=0, db_default=0)
    """Of a job without a parent: grows with every transaction that changes its rows in `retried_record`."""
    records_discarded = fields.BigIntField(default=0, db_default=0)
    """Accepted records that have been deleted again. It moves in the transaction that deletes them."""

    attempt = fields.IntField(default=0)
    crashes = fields.IntField(default=0)
    """Times in a row that a lease ran out with no batch committed in between."""
    lease_until = fields.DatetimeField(null=True)

    next_index = fields.BigIntField(default=0)
    """The checkpoint: index of the first record not yet decided."""
    next_offset = fields.BigIntField(default=0)
    next_line = fields.BigIntField(default=1)
    bytes_read = fields.BigIntField(default=0)
    records_accepted = fields.BigIntField(default=0)
    records_rejected = fields.BigIntField(default=0)
    error_counts: dict[str, dict[str, int]] = fields.JSONField(default=dict)
    """Field ("" for the whole record) -> code -> error rows."""

    failure_code = fields.CharField(max_length=32, null=True)
    failure_message = fields.TextField(null=True)
    failure_record_index = fields.BigIntField(null=True)
    failure_line = fields.BigIntField(null=True)

    created_at = fields.DatetimeField(auto_now_add=True)
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "job"
        table_description = ""  # else every edit of the docstring would be a migration
        unique_together = (("partner", "idempotency_key"),)
        indexes = (
            PostgreSQLIndex(fields=("partner_id", "id"), name="job_by_partner"),
            # job_open and job_open_small, by partner too, hold unfinished jobs only: see migrations/0002_fair_claims.py.
            PostgreSQLIndex(fields=("partner_id",), name="job_running", condition={"status": "PROCESSING"}),
            PostgreSQLIndex(fields=("parent_id", "id"), name="job_by_parent"),
        )

    @property
    def records_read(self) -> int:
        """Records decided so far: accepted or rejected."""
        return int(self.records_accepted + self.records_rejected)

    @property
    def records_stored(self) -> int:
        """Accepted records that are in the table: of a dry run none ever are."""
        return 0 if self.dry_run else int(self.records_accepted - self.records_discarded)

    async def descendants(self) -> list[UUID]:
        """The ids of its retries, of their retries, and so on."""
        rows = await connections.get("default").execute_query_dict(_DESCENDANTS, [self.id])
        return [row["id"] for row in rows]

    @classmethod
    async def count_stored(cls, job_ids: Collection[UUID]) -> int:
        """Records that these jobs have loaded and that are in the table."""
        rows = await cls.filter(id__in=job_ids)
        return sum(row.records_stored for row in rows)

    @classmethod
    async def claim_next(
        cls, lease_seconds: float, *, small_only: bool = False, held: Collection[UUID] = ()
    ) -> "Job | None":
        """Takes a job that waits, or whose worker's lease ran out, and leases it to the caller.

        It is the turn of the partner with the fewest running jobs, among those of the one that was served longest ago;
        of a partner's jobs the oldest comes first (docs/fairness.md). Two workers never get the same attempt: rows
        that somebody is claiming are skipped. None of `held` is taken, the jobs that the caller works on already: when
        a partition heals, a claim may reach the database before the heartbeat of a lease that ran out meanwhile.
        """
        rows = await connections.get("default").execute_query_dict(
            _CLAIM_SMALL if small_only else _CLAIM_ANY, [lease_seconds, list(held)]
        )
        return cls._init_from_db(**rows[0]) if rows else None

    async def advance(self, connection: asyncpg.Connection, checkpoint: Checkpoint) -> bool:
        """Moves the checkpoint inside the caller's open transaction; False means: roll everything back.

        This is the fence. It holds only for the attempt that leases the job, while it is neither cancelled nor
        finished, and only from the very record where this batch began, so that a batch counts once.
        """
        tag = await connection.execute(
            _ADVANCE, self.id, self.attempt, self.next_index, checkpoint.index, checkpoint.offset, checkpoint.line,
            checkpoint.accepted, checkpoint.rejected, orjson.dumps(checkpoint.error_counts).decode(),
        )  # fmt: skip
        return bool(tag == "UPDATE 1")

    @classmethod
    async def count_retried(cls, connection: asyncpg.Connection, root_id: UUID, records: int) -> None:
        """Counts rows that the caller's open transaction has brought into `retried_record`, or taken out of it (less than 0);
        the row's lock comes last."""
        await connection.execute(
            "UPDATE job SET records_retried = records_retried + $2, retries_version = retries_version + 1 WHERE id = $1",
            root_id, records,
        )  # fmt: skip

    async def name_session(self, connection: asyncpg.Connection) -> None:
        """Marks the caller's transaction as one that loads this job, for `end_other_sessions`."""
        await name_session(connection, self._session_name)

    async def end_other_sessions(self) -> None:
        """Ends the database sessions in which an earlier attempt is still loading: a COPY holds the keys of its rows."""
        await end_other_sessions(self._session_name)

    @property
    def _session_name(self) -> str:
        return f"sluice {self.id.hex}"

    def take(self, checkpoint: Checkpoint) -> None:
        """Brings this object up to a checkpoint that is committed."""
        self.next_index, self.next_offset, self.next_line = (
            checkpoint.index,
            checkpoint.offset,
            checkpoint.line,
        )
        self.bytes_read = max(self.bytes_read, checkpoint.offset)
        self.records_accepted, self.records_rejected = checkpoint.accepted, checkpoint.rejected
        self.error_counts = checkpoint.error_counts
        self.crashes = 0

    async def renew(self, lease_seconds: float) -> bool:
        """The heartbeat: prolongs the lease. False when the job was cancelled, or is somebody else's by now."""
        return await self._write(
            "UPDATE job SET lease_until = clock_timestamp() + make_interval(secs => $3::float8)",
            lease_seconds,
        )

    async def hand_back(self) -> bool:
        """Gives an unfinished job back, so that any worker goes on at once. No crash is counted."""
        return await self._write("UPDATE job SET status = 'PENDING', lease_until = NULL")

    async def complete(self) -> bool:
        """Marks the job as COMPLETED, if it is still this attempt's."""
        return await self._write(
            "UPDATE job SET status = 'COMPLETED', bytes_read = size_bytes, lease_until = NULL,"
            " finished_at = clock_timestamp()"
        )

    async def fail(
        self, code: str, message: str, *, record_index: int | None = None, line: int | None = None
    ) -> bool:
        """Marks the job as FAILED, if it is still this attempt's. What it loaded stays, or `on_failure` is DISCARD."""
        ended, _ = await connections.get("default").execute_query(
            _FAIL, [self.id, self.attempt, code, message, record_index, line]
        )
        return bool(ended == 1)

    @classmethod
    async def cancel(cls, job_id: UUID, partner_id: UUID) -> bool:
        """Cancels a job that is not finished. Once this is committed, no batch of the job commits any more:
        the fence in `advance` wants PROCESSING, and the row's lock puts the two in an order."""
        ended, _ = await connections.get("default").execute_query(_CANCEL, [job_id, partner_id])
        return bool(ended == 1)

    async def _write(self, update: str, *values: Any) -> bool:
        """Runs `update` if this attempt still holds the job."""
        changed, _ = await connections.get("default").execute_query(
            f"{update} {_HELD}",
            [self.id, self.attempt, *values],
        )
        return bool(changed == 1)


_OPEN = "status IN ('PENDING', 'PROCESSING')"
"""In these words, since it is the condition of the index job_open; with `_SMALL` that of job_open_small."""

_SMALL = f"size_bytes <= {SMALL_BYTES}"

_CLAIM = """
    WITH RECURSIVE owner AS (  -- whose unfinished jobs there are: one look into the index for each, however many jobs
        (SELECT partner_id FROM job WHERE {open} ORDER BY partner_id LIMIT 1)
        UNION ALL
        SELECT (SELECT partner_id FROM job WHERE {open} AND partner_id > last.partner_id ORDER BY partner_id LIMIT 1)
          FROM owner AS last WHERE last.partner_id IS NOT NULL
    ), running AS (
        SELECT partner_id, count(*) AS jobs FROM job
         WHERE status = 'PROCESSING' AND lease_until >= clock_timestamp() GROUP BY partner_id
    ), turn AS MATERIALIZED (
        SELECT partner.id FROM owner JOIN partner ON partner.id = owner.partner_id
          LEFT JOIN running ON running.partner_id = partner.id
         ORDER BY coalesce(running.jobs, 0), partner.served_at NULLS FIRST, partner.id
    ), chosen AS MATERIALIZED (  -- the first partner in turn of whom a job can be had, and no row of any other is locked
        SELECT mine.id FROM turn, LATERAL (
            SELECT id FROM job
             WHERE {open} AND partner_id = turn.id AND (status = 'PENDING' OR lease_until < clock_timestamp())
               AND id <> ALL($2::uuid[])
             ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS mine LIMIT 1
    ), claimed AS (
        UPDATE job
           SET status = 'PROCESSING', attempt = attempt + 1, crashes = crashes + (status = 'PROCESSING')::int,
               lease_until = clock_timestamp() + make_interval(secs => $1::float8),
               started_at = coalesce(started_at, clock_timestamp())
         WHERE id = (SELECT id FROM chosen)
     RETURNING *
    ), served AS (  -- nobody waits here: whoever holds the partner's row writes the same moment into it
        UPDATE partner SET served_at = clock_timestamp()
         WHERE id = (SELECT id FROM partner WHERE id = (SELECT partner_id FROM claimed) FOR NO KEY UPDATE SKIP LOCKED)
    )
    SELECT * FROM claimed
"""

_CLAIM_ANY = _CLAIM.format(open=_OPEN)
_CLAIM_SMALL = _CLAIM.format(open=f"{_OPEN} AND {_SMALL}")

_HELD = "WHERE id = $1 AND attempt = $2 AND status = 'PROCESSING'"
"""The fence: the job is not finished, and nobody has claimed it since."""

_DESCENDANTS = """
    WITH RECURSIVE family AS (
        SELECT id FROM job WHERE parent_id = $1
        UNION ALL
        SELECT job.id FROM job JOIN family ON job.parent_id = family.id
    )
    SELECT id FROM family
"""

FINAL = "status IN ('COMPLETED', 'FAILED', 'CANCELLED')"

DISCARD_COLUMNS = "job_id, attempt, next_index, requested_at"
DISCARD_VALUES = "id, 0, 0, clock_timestamp()"
"""Of a new discard, from the row of its job."""

_END = f"""
    WITH ended AS (
        {{update}} RETURNING id, dry_run, on_failure
    ), discarded AS (
        INSERT INTO discard ({DISCARD_COLUMNS})
        SELECT {DISCARD_VALUES} FROM ended WHERE on_failure = 'DISCARD' AND NOT dry_run
    )
    SELECT id FROM ended
"""  # noqa: S608  # constants
"""One statement, so that nobody sees a job that has ended and a discard that is still to be asked for."""

_FAIL = _END.format(
    update=f"""
        UPDATE job SET status = 'FAILED', lease_until = NULL, finished_at = clock_timestamp(), failure_code = $3,
               failure_message = $4, failure_record_index = $5::bigint, failure_line = $6::bigint {_HELD}
    """  # noqa: S608  # a constant
)
_CANCEL = _END.format(
    update=f"""
        UPDATE job SET status = 'CANCELLED', lease_until = NULL, finished_at = clock_timestamp()
         WHERE id = $1 AND partner_id = $2 AND {_OPEN}
    """  # noqa: S608  # a constant
)

_ADVANCE = f"""
    UPDATE job
       SET next_index = $4::bigint, next_offset = $5::bigint, next_line = $6::bigint,
           bytes_read = greatest(bytes_read, $5::bigint), records_accepted = $7::bigint, records_rejected = $8::bigint,
           error_counts = $9::jsonb, crashes = 0
     {_HELD} AND next_index = $3::bigint
"""  # noqa: S608  # a constant
