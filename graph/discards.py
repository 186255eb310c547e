"""Undoing a job: what it has loaded is deleted again, by a worker."""

import logging
from typing import Annotated

import strawberry

import models
from graph.context import Info
from graph.enums import UserErrorCode
from graph.types import USER_ERRORS, UserError
from graph.types_job import Job

logger = logging.getLogger(__name__)


@strawberry.input(description="A job whose records are to be deleted.")
class DiscardRecordsInput:
    """A job whose records are to be deleted."""

    job_id: strawberry.ID = strawberry.field(description="The job's global id.")


@strawberry.type(description="What became of discardRecords.")
class DiscardRecordsPayload:
    """What became of discardRecords."""

    job: Job | None = strawberry.field(
        default=None, description="The job; its `discard` tells how far it is, and `discardProgress` live."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


async def discard_records(
    info: Info,
    input: Annotated[
        DiscardRecordsInput, strawberry.argument(description="The job whose records are to be deleted.")
    ],
) -> DiscardRecordsPayload:
    """Asks for the discard; once this has answered, it survives any crash."""
    job = await info.context.job(input.job_id)
    if job is None:
        error = UserError.at(("jobId",), UserErrorCode.NOT_FOUND, "There is no job of yours with this id.")
        return DiscardRecordsPayload(user_errors=[error])
    if not await models.Discard.request(job.id, job.partner_id):
        await job.refresh_from_db()
        error = UserError.at(("jobId",), UserErrorCode.INVALID_STATE, _why_not(job))
        return DiscardRecordsPayload(job=Job.of(job), user_errors=[error])
    logger.info("discard requested", extra={"job": str(job.id), "partner": str(job.partner_id)})
    return DiscardRecordsPayload(job=Job.of(job))


def _why_not(job: models.Job) -> str:
    if job.dry_run:
        return "This job is a dry run: it has loaded no records, so there is nothing to discard."
    if not job.status.is_final:
        return f"This job is still {job.status.value}. Wait for its end, or cancel it first."
    return "A discard of this job was asked for before. Its `discard` tells how far it is."
