"""From a submitted file to its job."""

import logging
from dataclasses import dataclass

from tortoise.exceptions import IntegrityError

import models
from graph.enums import UserErrorCode
from graph.types import UserError
from graph.uploads import Upload
from models import OnFailure
from tasks.broker import wake
from tasks.errors import DATABASE_AWAY
from tasks.faults import Point, reached
from tasks.pipeline.copy_text import is_storable
from tasks.pipeline.formats import format_of
from tasks.pipeline.record import FileFormat
from tasks.storage.local import StoredFile

logger = logging.getLogger(__name__)

_MAX_KEY_CHARS = 200


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that may be received: everything that can be known before its first byte is in order."""

    record_schema: models.RecordSchema
    format: FileFormat
    file: Upload
    idempotency_key: str | None
    dry_run: bool = False
    on_failure: OnFailure = OnFailure.KEEP

    async def receive(self) -> models.Job | UserError:
        """Takes the file and makes its job, or finds the one that the same idempotency key has made before."""
        stored = await self.file.receive()
        reached(Point.AFTER_RENAME)
        job = await self._earlier()
        if job is None:
            job = await self._create(stored)
        if job.storage_key != stored.key:
            return self._repeated(job, stored)
        await wake()
        return job

    async def _create(self, stored: StoredFile) -> models.Job:
        # Kept before the row is written: if the answer to the INSERT is lost, the job may exist all the same,
        # and a file too many does no harm, while one too few does.
        self.file.kept = True
        try:
            job = await models.Job.create(
                partner_id=self.record_schema.partner_id,
                record_schema_id=self.record_schema.id,
                filename=self.file.filename,
                format=self.format,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                storage_key=stored.key,
                idempotency_key=self.idempotency_key,
                dry_run=self.dry_run,
                on_failure=self.on_failure,
            )
        except IntegrityError:
            self.file.kept = False
            earlier = await self._earlier()
            if earlier is None:
                raise
            return earlier
        except DATABASE_AWAY:
            logger.warning("a file is kept, its job is in doubt", extra={"storage_key": stored.key})
            raise
        reached(Point.AFTER_INSERT)
        logger.info("job created", extra={"job": str(job.id), "partner": str(job.partner_id)})
        return job

    async def _earlier(self) -> models.Job | None:
        if self.idempotency_key is None:
            return None
        return await models.Job.get_or_none(
            partner_id=self.record_schema.partner_id, idempotency_key=self.idempotency_key
        )

    def _repeated(self, job: models.Job, stored: StoredFile) -> models.Job | UserError:
        asked = (stored.sha256, self.record_schema.id, self.dry_run, self.on_failure)
        if asked == (job.sha256, job.record_schema_id, job.dry_run, job.on_failure):
            return job
        return UserError.at(
            ("idempotencyKey",),
            UserErrorCode.IDEMPOTENCY_CONFLICT,
            "This idempotency key was used before, for another file, another schema, or with another `dryRun` or `onFailure`."
            " Use a new key for what is new.",
        )


def check(
    record_schema: models.RecordSchema | None,
    file: Upload,
    format: FileFormat | None,
    idempotency_key: str | None,
    *,
    dry_run: bool,
    on_failure: OnFailure,
) -> Submission | list[UserError]:
    """What can be said before the first byte of the file is taken: a submission, or every reason against it."""
    format = format or format_of(file.filename)
    errors = []
    if record_schema is None:
        errors.append(
            UserError.at(
                ("schemaId",), UserErrorCode.NOT_FOUND, "There is no record schema of yours with this id."
            )
        )
    if file.is_taken:
        # Not a top-level error: that would take away the payload of the field that has made a job of it.
        message = "This file was submitted by another field of this request: send it in a request of its own."
        errors.append(UserError.at(("file",), UserErrorCode.INVALID, message))
    if format is None:
        errors.append(UserError.at(("format",), UserErrorCode.UNSUPPORTED_FORMAT, _UNKNOWN_FORMAT))
    if idempotency_key is not None and not _is_key(idempotency_key):
        message = f"An idempotency key has 1 to {_MAX_KEY_CHARS} characters, and no NUL among them."
        errors.append(UserError.at(("idempotencyKey",), UserErrorCode.INVALID, message))
    if record_schema is None or format is None or errors:
        return errors
    return Submission(record_schema, format, file, idempotency_key, dry_run, on_failure)


_UNKNOWN_FORMAT = (
    "The format cannot be told from the file's name. Name it .csv, .tsv, .tab, .json, .ndjson, .jsonl or .xml, "
    "or say `format`."
)


def _is_key(text: str) -> bool:
    return 1 <= len(text) <= _MAX_KEY_CHARS and is_storable(text)
