"""Jobs: one submitted file and what becomes of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

import strawberry
from strawberry import UNSET

import models
from graph import ids
from graph.connections import After, Connection, First, FirstRecords, Keyset, uuid
from graph.context import Info
from graph.scalars import BigInt
from graph.types import Node, given
from graph.types_discard import JobDiscard
from graph.types_download import Download, error_report, rejected_file
from graph.types_record import (
    ErrorSummary,
    Record,
    RecordError,
    RecordErrorFilter,
    error_page,
    family_page,
    record_page,
)
from graph.types_schema import RecordSchema
from models import JobStatus, OnFailure
from tasks.error_report import ErrorReportFormat
from tasks.pipeline.errors import FailureCode
from tasks.pipeline.record import FileFormat
from tasks.progress import Progress

_JOBS = Keyset("jobs", uuid)
_RETRIES = Keyset("retries", uuid)


@strawberry.type(description="Where a job stood at one moment. All counts are absolute.")
class JobProgress:
    """Where a job stood at one moment."""

    job_id: strawberry.ID = strawberry.field(description="The job's global id.")
    status: JobStatus = strawberry.field(description="The job's status.")
    percent: float = strawberry.field(description="0 to 100, by bytes read.")
    bytes_total: BigInt = strawberry.field(description="The file's length.")
    bytes_read: BigInt = strawberry.field(description="How far the file has been read and loaded.")
    records_read: BigInt = strawberry.field(description="Records decided: accepted and rejected ones.")
    records_accepted: BigInt = strawberry.field(
        description="Records without an error: loaded, unless it is a dry run. A discard does not change it."
    )
    records_rejected: BigInt = strawberry.field(description="Records with at least one error.")
    records_per_second: float | None = strawberry.field(description="The pace; null while it is not known.")
    eta_seconds: float | None = strawberry.field(
        description="Seconds still to go, at this pace; null if unknown."
    )
    at: datetime = strawberry.field(description="When this was so.")

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """From what workers publish, or what a row says."""
        return cls(
            job_id=ids.global_id("Job", progress.job_id),
            status=progress.status,
            percent=progress.percent,
            bytes_total=BigInt(progress.bytes_total),
            bytes_read=BigInt(progress.bytes_read),
            records_read=BigInt(progress.records_read),
            records_accepted=BigInt(progress.records_accepted),
            records_rejected=BigInt(progress.records_rejected),
            records_per_second=progress.records_per_second,
            eta_seconds=progress.eta_seconds,
            at=progress.at,
        )


@strawberry.type(description="Why a job failed, and where.")
class JobFailure:
    """Why a job failed, and where."""

    code: FailureCode = strawberry.field(description="What is wrong, for programs.")
    message: str = strawberry.field(description="What is wrong and where, for people.")
    record_index: BigInt | None = strawberry.field(
        description="The record at which it happened, from 0, if known."
    )
    line: BigInt | None = strawberry.field(description="The line at which it happened, from 1, if known.")

    @classmethod
    def of(cls, row: models.Job) -> Self | None:
        """From the table's row; None for a job that did not fail."""
        if row.failure_code is None:
            return None
        return cls(
            code=FailureCode(row.failure_code),
            message=row.failure_message or "",
            record_index=_big(row.failure_record_index),
            line=_big(row.failure_line),
        )


def _big(number: int | None) -> BigInt | None:
    return None if number is None else BigInt(number)


@strawberry.type(description="One submitted file, and what becomes of it.")
class Job(Node):
    """One submitted file."""

    row: strawberry.Private[models.Job]
    status: JobStatus = strawberry.field(description="Where it stands.")
    filename: str = strawberry.field(description="The file's name, as it was sent.")
    format: FileFormat = strawberry.field(description="The file's format.")
    size_bytes: BigInt = strawberry.field(description="The file's length.")
    sha256: str = strawberry.field(description="The file's SHA-256, in hexadecimal.")
    dry_run: bool = strawberry.field(
        description="True: every record is decided, and none is loaded; progress, errors and summary are those that the job"
        " of `commitJob` will have."
    )
    on_failure: OnFailure = strawberry.field(
        description="What becomes of the records that were loaded if it ends as FAILED or CANCELLED."
    )
    progress: JobProgress = strawberry.field(description="How far it is.")
    failure: JobFailure | None = strawberry.field(
        description="Why it failed; null unless the status is FAILED."
    )
    created_at: datetime = strawberry.field(description="When it was submitted.")
    started_at: datetime | None = strawberry.field(description="When a worker first took it up.")
    finished_at: datetime | None = strawberry.field(description="When it reached its final status.")

    @classmethod
    def of(cls, row: models.Job) -> Self:
        """From the table's row."""
        return cls(
            row=row,
            id=ids.global_id("Job", row.id),
            status=row.status,
            filename=row.filename,
            format=FileFormat(row.format),
            size_bytes=BigInt(row.size_bytes),
            sha256=row.sha256,
            dry_run=row.dry_run,
            on_failure=row.on_failure,
            progress=JobProgress.of(Progress.of(row)),
            failure=JobFailure.of(row),
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )

    @strawberry.field(description="The schema through which it goes.")
    async def record_schema(self, info: Info) -> RecordSchema:
        """Loaded for all jobs of a page at once."""
        return RecordSchema.of(await info.context.record_schemas.load(self.row.record_schema_id))

    @strawberry.field(description="The job that has committed this dry run; null as long as none has.")
    async def commit(self, info: Info) -> "Job | None":
        """Loaded for all jobs of a page at once."""
        row = await info.context.loaders.commits.load(self.row.id) if self.row.dry_run else None
        return Job.of(row) if row else None

    @strawberry.field(description="The dry run that this job commits; null when its file was sent for it.")
    async def dry_run_job(self, info: Info) -> "Job | None":
        """Loaded for all jobs of a page at once."""
        dry_run = self.row.dry_run_job_id
        row = await info.context.loaders.jobs.load(dry_run) if dry_run else None
        return Job.of(row) if row else None

    @strawberry.field(
        description="How far its records are deleted again; null when nobody has asked for that, neither with"
        " `discardRecords` nor with `onFailure`."
    )
    async def discard(self, info: Info) -> JobDiscard | None:
        """Loaded for all jobs of a page at once."""
        progress = await info.context.loaders.discards.load(self.row.id)
        return JobDiscard.of(progress) if progress else None

    @strawberry.field(
        description="The job whose rejected records this one tries again; null when it is no retry."
    )
    async def parent(self, info: Info) -> "Job | None":
        """Loaded for all jobs of a page at once."""
        parent = self.row.parent_id
        row = await info.context.loaders.jobs.load(parent) if parent else None
        return Job.of(row) if row else None

    @strawberry.field(
        description="The jobs that try its rejected records again, newest first; their own retries are theirs."
    )
    async def retries(self, first: First = 20, after: After = UNSET) -> Connection["Job"]:
        """Its retries."""
        return await _newest_first(_RETRIES, {"parent_id": self.row.id}, first, after)

    @strawberry.field(
        description="How many of the records that it has rejected no retry has loaded since. `retryJob` tries them again."
    )
    async def outstanding(self, info: Info) -> BigInt:
        """Loaded for all jobs of a page at once."""
        return BigInt(await info.context.loaders.outstanding_of(self.row))

    @strawberry.field(
        description="The accepted records, in the order of the file: none of a dry run's, and none that are discarded."
    )
    async def records(
        self,
        first: FirstRecords = 20,
        after: After = UNSET,
        include_retries: Annotated[
            bool | None,
            strawberry.argument(
                description="True: also those that its retries have loaded, and the retries of these, as one list in the order of"
                " `originIndex`. The cursors of the two lists are not the same."
            ),
        ] = False,
    ) -> Connection[Record]:
        """The accepted records."""
        page = family_page if include_retries else record_page
        return await page(self.row, first, after)

    @strawberry.field(description="The errors, in the order of the file.")
    async def errors(
        self,
        first: FirstRecords = 20,
        after: After = UNSET,
        filter: Annotated[
            RecordErrorFilter | None, strawberry.argument(description="Which errors; left out: all.")
        ] = UNSET,
    ) -> Connection[RecordError]:
        """The errors."""
        return await error_page(self.row, first, after, filter or RecordErrorFilter())

    @strawberry.field(
        description=(
            "The rejected records that are outstanding: those that no retry has loaded since. In the file's own format and order, "
            "with its header or root, each byte for byte as it was sent, so that they can be fixed and given to `retryJob`. Null "
            "while the job is not finished, or when none is outstanding."
        )
    )
    async def rejected_file(
        self,
        info: Info,
        with_index: Annotated[
            bool,
            strawberry.argument(
                description=(
                    "Let each record say which one it is, in `sluice:index`: a first column (CSV, TSV), key (JSON, NDJSON) or an "
                    "attribute in the namespace `urn:sluice` (XML). Then they can be sent in any order, and not all of them."
                )
            ),
        ] = False,
    ) -> Download | None:
        """The outstanding records."""
        return await rejected_file(self.row, info, with_index=with_index)

    @strawberry.field(
        description=(
            "All errors as a file: a row for each, with recordIndex, line, byteOffset, path, field, code, message and rawValue. Null "
            "while the job is not finished, or when there are none."
        )
    )
    def error_report(
        self,
        info: Info,
        format: Annotated[
            ErrorReportFormat, strawberry.argument(description="How it is written.")
        ] = ErrorReportFormat.CSV,
    ) -> Download | None:
        """The errors."""
        return error_report(self.row, info, format)

    @strawberry.field(
        description="How often each error occurred, the most frequent first. True while it runs, too."
    )
    def error_summary(self) -> list[ErrorSummary]:
        """The errors by field and code."""
        return ErrorSummary.all_of(self.row.error_counts)


@strawberry.input(description="Which jobs to list; what is left out does not matter.")
class JobFilter:
    """Which jobs to list."""

    status: JobStatus | None = strawberry.field(default=UNSET, description="Only jobs with this status.")
    record_schema_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="Only jobs of this version of a schema."
    )
    dry_run: bool | None = strawberry.field(
        default=UNSET, description="True: only dry runs. False: only the others. Left out: both."
    )


async def job_page(
    partner: models.Partner, first: int | None, after: str | None, only: JobFilter
) -> Connection[Job]:
    """A page of the partner's jobs, newest first."""
    return await _newest_first(_JOBS, {"partner_id": partner.id, **_conditions(only)}, first, after)


async def _newest_first(
    keyset: Keyset, conditions: dict[str, Any], first: int | None, after: str | None
) -> Connection[Job]:
    jobs = models.Job.filter(**conditions)

    async def fetch(start: tuple[Any, ...] | None, limit: int) -> Sequence[tuple[tuple[Any], Job]]:
        behind = jobs.filter(id__lt=start[0]) if start else jobs
        return [((str(row.id),), Job.of(row)) for row in await behind.order_by("-id").limit(limit)]

    async def count() -> int:
        return await jobs.count()

    return await keyset.page(first, after, fetch, count)


def _conditions(only: JobFilter) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    if status := given(only.status):
        conditions["status"] = status
    if (wanted := given(only.record_schema_id)) is not None:
        schema_id = ids.parse_as("RecordSchema", wanted)
        # No job has no schema: a senseless id finds nothing, as a foreign one does.
        conditions["record_schema_id"] = schema_id
    if (dry_run := given(only.dry_run)) is not None:
        conditions["dry_run"] = dry_run
    return conditions
