"""What can be done. What the caller can put right comes back as `userErrors`, with HTTP 200."""

import asyncio
import dataclasses
from typing import Annotated, Any

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

import models
from graph import submission
from graph.commit import CommitJobPayload, commit_job
from graph.context import Info
from graph.discards import DiscardRecordsPayload, discard_records
from graph.enums import UserErrorCode
from graph.retries import RetryJobPayload, retry_job
from graph.types import USER_ERRORS, UserError, given
from graph.types_job import Job
from graph.types_schema import CreateRecordSchemaInput, RecordSchema
from graph.uploads import Upload
from models import OnFailure
from models.record_schema import MAX_NAME_CHARS
from tasks.pipeline.copy_text import is_storable
from tasks.pipeline.definition import Definition, define
from tasks.pipeline.errors import DefinitionError
from tasks.pipeline.record import FileFormat
from tasks.progress import Progress, publish


@strawberry.type(description="What became of createRecordSchema.")
class CreateRecordSchemaPayload:
    """What became of createRecordSchema."""

    record_schema: RecordSchema | None = strawberry.field(
        default=None, description="The version that was saved."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="A file to submit.")
class SubmitFileInput:
    """A file to submit."""

    schema_id: strawberry.ID = strawberry.field(description="The record schema through which the file goes.")
    file: Upload = strawberry.field(
        description="The file, of 500 MB at most unless your operator says otherwise."
    )
    format: FileFormat | None = strawberry.field(
        default=UNSET, description="The file's format. Left out: told from the extension of its name."
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description="Of your choice, up to 200 characters: the same key answers with the same job.",
    )
    dry_run: bool | None = strawberry.field(
        default=False,
        description="True: every record is decided as usual, and none is loaded. `commitJob` loads them later.",
    )
    on_failure: OnFailure | None = strawberry.field(
        default=OnFailure.KEEP,
        description="What becomes of the records that were loaded before the job ends as FAILED or CANCELLED.",
    )


@strawberry.type(description="What became of submitFile.")
class SubmitFilePayload:
    """What became of submitFile."""

    job: Job | None = strawberry.field(
        default=None, description="The job. Once you have it, file and job survive any crash."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="A job to cancel.")
class CancelJobInput:
    """A job to cancel."""

    job_id: strawberry.ID = strawberry.field(description="The job's global id.")


@strawberry.type(description="What became of cancelJob.")
class CancelJobPayload:
    """What became of cancelJob."""

    job: Job | None = strawberry.field(default=None, description="The job as it stands now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="What can be done.")
class Mutation:
    """What can be done."""

    @strawberry.mutation(description="Saves what your files look like, as the next version of its name.")
    async def create_record_schema(
        self,
        info: Info,
        input: Annotated[CreateRecordSchemaInput, strawberry.argument(description="The schema to save.")],
    ) -> CreateRecordSchemaPayload:
        """Saves a record schema."""
        errors = _name_errors(input.name)
        try:
            # A thousand fields, or costly patterns, take long enough to keep other requests waiting.
            definition = await asyncio.to_thread(_defined, input)
        except DefinitionError as error:
            return CreateRecordSchemaPayload(user_errors=errors + _definition_errors(error))
        if errors:
            return CreateRecordSchemaPayload(user_errors=errors)
        row = await models.RecordSchema.save_version(
            info.context.partner.id, input.name, definition.model_dump(mode="json")
        )
        return CreateRecordSchemaPayload(record_schema=RecordSchema.of(row))

    @strawberry.mutation(description="Takes a file and answers with its job as soon as the file is safe.")
    async def submit_file(
        self,
        info: Info,
        input: Annotated[SubmitFileInput, strawberry.argument(description="The file and what it is.")],
    ) -> SubmitFilePayload:
        """Takes a file; what is wrong with the other arguments is told before its first byte is read."""
        record_schema = await info.context.record_schema(input.schema_id)
        checked = submission.check(
            record_schema,
            input.file,
            given(input.format),
            given(input.idempotency_key),
            dry_run=bool(input.dry_run),
            on_failure=input.on_failure or OnFailure.KEEP,
        )
        if isinstance(checked, list):
            return SubmitFilePayload(user_errors=checked)
        match await checked.receive():
            case UserError() as error:
                return SubmitFilePayload(user_errors=[error])
            case job:
                return SubmitFilePayload(job=Job.of(job))

    @strawberry.mutation(
        description="Stops a job: nothing more is loaded once this has answered. What is loaded stays, unless its `onFailure`"
        " is DISCARD."
    )
    async def cancel_job(
        self,
        info: Info,
        input: Annotated[CancelJobInput, strawberry.argument(description="The job to cancel.")],
    ) -> CancelJobPayload:
        """Stops a job for good."""
        context = info.context
        job = await context.job(input.job_id)
        if job is None:
            error = UserError.at(
                ("jobId",), UserErrorCode.NOT_FOUND, "There is no job of yours with this id."
            )
            return CancelJobPayload(user_errors=[error])
        cancelled = await models.Job.cancel(job.id, context.partner.id)
        await job.refresh_from_db()
        if not cancelled:
            message = f"This job is finished ({job.status.value}): there is nothing left to cancel."
            error = UserError.at(("jobId",), UserErrorCode.INVALID_STATE, message)
            return CancelJobPayload(job=Job.of(job), user_errors=[error])
        await publish(context.backends.redis, Progress.of(job))
        return CancelJobPayload(job=Job.of(job))

    commit_job: CommitJobPayload = strawberry.mutation(
        resolver=commit_job,
        description="Loads the file of a finished dry run, under the same version of the schema and without a new upload."
        " Asked again, it answers with the same job.",
    )
    retry_job: RetryJobPayload = strawberry.mutation(
        resolver=retry_job,
        description="Tries the outstanding rejected records of a finished job again: corrected in a file, or under another"
        " version of the schema. Gives a new job. Each record is loaded once, whatever is retried at the same time.",
    )
    discard_records: DiscardRecordsPayload = strawberry.mutation(
        resolver=discard_records,
        description="Undoes a finished job: a worker deletes the records that it has loaded. Its errors, its counts and its"
        " file stay; what a retry had loaded is outstanding again.",
    )


def _sent(options: list[tuple[str, Any]]) -> dict[str, Any]:
    return {option: value for option, value in options if value is not UNSET}


def _defined(input: CreateRecordSchemaInput) -> Definition:
    sent = dataclasses.asdict(input, dict_factory=_sent)
    del sent["name"]
    return define(sent)


def _name_errors(name: str) -> list[UserError]:
    if 1 <= len(name) <= MAX_NAME_CHARS and name.strip() and is_storable(name):
        return []
    message = f"A name has 1 to {MAX_NAME_CHARS} characters, at least one of them visible, and no NUL."
    return [UserError.at(("name",), UserErrorCode.INVALID, message)]


def _definition_errors(error: DefinitionError) -> list[UserError]:
    return [
        UserError.at(
            (to_camel_case(step) if isinstance(step, str) else str(step) for step in problem.path),
            UserErrorCode.INVALID,
            problem.message,
        )
        for problem in error.problems
    ]
