"""From the rejected records of a job to the job that tries them again."""

import asyncio
from typing import Annotated

import strawberry
from strawberry import UNSET

import models
from graph.context import Context, Info
from graph.enums import UserErrorCode
from graph.retry_file import Origins, RejectedFile
from graph.submission import Submission, key_errors, upload_errors
from graph.types import USER_ERRORS, UserError, given
from graph.types_job import Job
from graph.uploads import Upload
from tasks.pipeline.formats import format_of
from tasks.pipeline.record import FileFormat
from tasks.rejected import NotAvailable
from tasks.storage.draft import Draft


@strawberry.input(description="Rejected records to try again.")
class RetryJobInput:
    """Rejected records to try again."""

    job_id: strawberry.ID = strawberry.field(
        description="The finished job whose outstanding records are tried again. It may be a retry itself."
    )
    file: Upload | None = strawberry.field(
        default=UNSET,
        description=(
            "The corrected records: as many as are outstanding, in the order of `rejectedFile`; or in any order, and not all of"
            " them, where each says in `sluice:index` which one it is. Left out: the records as they were sent, which makes"
            " sense with another version of the schema."
        ),
    )
    schema_id: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description="Another version of the job's schema, of the same name. Left out: the job's own.",
    )
    format: FileFormat | None = strawberry.field(
        default=UNSET,
        description="The file's format. Left out: told from the extension of its name, or else the job's own.",
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description="Of your choice, up to 200 characters: the same key answers with the same job.",
    )


@strawberry.type(description="What became of retryJob.")
class RetryJobPayload:
    """What became of retryJob."""

    job: Job | None = strawberry.field(
        default=None, description="The job that tries them again: its `parent` is the job that was given."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


async def retry_job(
    info: Info,
    input: Annotated[
        RetryJobInput, strawberry.argument(description="The job and, corrected, its rejected records.")
    ],
) -> RetryJobPayload:
    """Tries them again; what is wrong with the other arguments is told before the file's first byte is read."""
    context = info.context
    parent = await context.job(input.job_id)
    if parent is None:
        return RetryJobPayload(user_errors=[_not_here("jobId", "job")])
    schema = await _schema(context, parent, given(input.schema_id))
    errors = _errors(parent, input)
    if isinstance(schema, UserError):
        return RetryJobPayload(user_errors=[schema, *errors])
    if errors:
        return RetryJobPayload(user_errors=errors)
    match await _retried(context, parent, schema, input):
        case UserError() as error:
            return RetryJobPayload(user_errors=[error])
        case job:
            return RetryJobPayload(job=Job.of(job))


async def _schema(
    context: Context, parent: models.Job, schema_id: str | None
) -> models.RecordSchema | UserError:
    """The one that is wanted, or why it cannot be."""
    own = await context.record_schemas.load(parent.record_schema_id)
    if schema_id is None:
        return own
    schema = await context.record_schema(schema_id)
    if schema is None:
        return _not_here("schemaId", "record schema")
    if schema.name != own.name:
        message = (
            f"This schema is no version of the job's own: the job's is called {own.name!r}, this one"
            f" {schema.name!r}. Save the correction with createRecordSchema under the job's name."
        )
        return UserError.at(("schemaId",), UserErrorCode.INVALID, message)
    return schema


def _errors(parent: models.Job, input: RetryJobInput) -> list[UserError]:
    """What is wrong with the rest of the request, whatever has happened to the job by now."""
    errors = []
    file, format = given(input.file), given(input.format)
    if file is not None:
        errors += upload_errors(file)
    elif format not in (None, parent.format):
        message = f"Without a file, the records are tried again as they were sent: in {parent.format}. Leave `format` out."
        errors.append(UserError.at(("format",), UserErrorCode.INVALID, message))
    return errors + key_errors(given(input.idempotency_key))


def _not_here(field: str, what: str) -> UserError:
    return UserError.at((field,), UserErrorCode.NOT_FOUND, f"There is no {what} of yours with this id.")


async def _retried(
    context: Context, parent: models.Job, schema: models.RecordSchema, input: RetryJobInput
) -> models.Job | UserError:
    store, upload = context.backends.store, given(input.file)
    origins = Origins(parent, Draft(store))
    file = RejectedFile(origins, context) if upload is None else upload
    format = given(input.format) or (format_of(upload.filename) if upload else None)
    submission = Submission(
        schema,
        format or FileFormat(parent.format),
        file,
        given(input.idempotency_key),
        on_failure=parent.on_failure,
        family=origins,
    )
    # Before the job's state is looked at: a request whose answer was lost has changed that.
    earlier = await submission.earlier()
    if earlier is not None:
        return await submission.receive() if upload else submission.repeated(earlier)
    if error := await _not_now(context, parent):
        return error
    try:
        if upload:
            with context.unhurried():
                await origins.take(store)
        return await submission.receive()
    except NotAvailable as error:
        return _in_no_state(str(error))
    finally:
        await asyncio.shield(_close(origins.draft, file))


async def _close(origins: Draft, file: RejectedFile | Upload) -> None:
    await origins.close()
    await file.close()  # an upload's request does so, too, which does no harm


async def _not_now(context: Context, parent: models.Job) -> UserError | None:
    if not parent.status.is_final:
        return _in_no_state(f"This job is still {parent.status.value}. Retry it once it is finished.")
    if parent.dry_run:
        return _in_no_state(
            "This job is a dry run: nothing of it is loaded. Load its file with commitJob, and retry the job that gives you."
        )
    if not await context.loaders.outstanding_of(parent):
        return _in_no_state(
            "Nothing is outstanding: every record that this job rejected is loaded by now, or it rejected none."
        )
    return None


def _in_no_state(message: str) -> UserError:
    return UserError.at(("jobId",), UserErrorCode.INVALID_STATE, message)
