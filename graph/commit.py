"""From a dry run to the job that loads its file for good."""

import logging
from typing import Annotated

import strawberry
from tortoise.exceptions import IntegrityError

import models
from graph.context import Info
from graph.enums import UserErrorCode
from graph.types import USER_ERRORS, UserError
from graph.types_job import Job
from models import JobStatus
from tasks.broker import wake
from tasks.faults import Point, reached

logger = logging.getLogger(__name__)


@strawberry.input(description="A dry run to commit.")
class CommitJobInput:
    """A dry run to commit."""

    job_id: strawberry.ID = strawberry.field(description="The dry run's global id.")


@strawberry.type(description="What became of commitJob.")
class CommitJobPayload:
    """What became of commitJob."""

    job: Job | None = strawberry.field(
        default=None, description="The job that loads the dry run's file: each time the same one."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


async def commit_job(
    info: Info,
    input: Annotated[CommitJobInput, strawberry.argument(description="The dry run to commit.")],
) -> CommitJobPayload:
    """Makes the job that loads the file of a dry run, or finds the one that was made before."""
    dry_run = await info.context.job(input.job_id)
    if dry_run is None:
        return _refused(UserErrorCode.NOT_FOUND, "There is no job of yours with this id.")
    if not dry_run.dry_run:
        return _refused(
            UserErrorCode.INVALID_STATE,
            "This job is no dry run: what it has accepted is loaded already. Submit a file with `dryRun: true` to commit it"
            " later.",
        )
    if not dry_run.status.is_final:
        return _refused(
            UserErrorCode.INVALID_STATE,
            f"This dry run is still {dry_run.status.value}. Commit it once it is finished.",
        )
    if dry_run.status is JobStatus.CANCELLED:
        return _refused(
            UserErrorCode.INVALID_STATE,
            "This dry run was cancelled, so its verdict is not known to the end. Submit the file again.",
        )
    return CommitJobPayload(job=Job.of(await _committed(dry_run)))


async def _committed(dry_run: models.Job) -> models.Job:
    job = await models.Job.get_or_none(dry_run_job_id=dry_run.id)
    if job is not None:
        return job
    try:
        job = await models.Job.create(
            partner_id=dry_run.partner_id,
            record_schema_id=dry_run.record_schema_id,
            filename=dry_run.filename,
            format=dry_run.format,
            size_bytes=dry_run.size_bytes,
            sha256=dry_run.sha256,
            storage_key=dry_run.storage_key,
            on_failure=dry_run.on_failure,
            dry_run_job_id=dry_run.id,
        )
    except IntegrityError:  # somebody was faster
        return await models.Job.get(dry_run_job_id=dry_run.id)
    reached(Point.AFTER_INSERT)
    logger.info(
        "dry run committed",
        extra={"job": str(job.id), "partner": str(job.partner_id), "dry_run": str(dry_run.id)},
    )
    await wake()
    return job


def _refused(code: UserErrorCode, message: str) -> CommitJobPayload:
    return CommitJobPayload(user_errors=[UserError.at(("jobId",), code, message)])
