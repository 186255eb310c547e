"""From a submitted file to its job."""

import logging
from dataclasses import dataclass
from typing import Any, Protocol

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


class Incoming(Protocol):
    """A file that is to become a job's: it comes from the client, or is made here."""

    filename: str
    kept: bool
    """True once the file belongs to a job."""

    async def receive(self) -> StoredFile:
        """Puts it into the store, durably. It is deleted again unless it is `kept`."""


class Family(Protocol):
    """What makes a job a retry."""

    @property
    def parent(self) -> models.Job:
        """Whose rejected records it tries again."""

    @property
    def columns(self) -> dict[str, Any]:
        """Of the retry's row."""

    def keep(self, kept: bool) -> None:
        """The same for the file of its origins as `Incoming.kept`."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that may be received: everything that can be known before its first byte is in order."""

    record_schema: models.RecordSchema
    format: FileFormat
    file: Incoming
    idempotency_key: str | None
    dry_run: bool = False
    on_failure: OnFailure = OnFailure.KEEP
    family: Family | None = None
    """None: it is no retry."""

    async def receive(self) -> models.Job | UserError:
        """Takes the file and makes its job, or finds the one that the same idempotency key has made before."""
        stored = await self.file.receive()
        reached(Point.AFTER_RENAME)
        job = await self.earlier()
        if job is None:
            job = await self._create(stored)
        if job.storage_key != stored.key:
            return self._repeated(job, stored)
        await wake()
        return job

    async def _create(self, stored: StoredFile) -> models.Job:
        # Kept before the row is written: if the answer to the INSERT is lost, the job may exist all the same,
        # and a file too many does no harm, while one too few does.
        self._keep(True)
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
                **(self.family.columns if self.family else {}),
            )
        except IntegrityError:
            self._keep(False)
            earlier = await self.earlier()
            if earlier is None:
                raise
            return earlier
        except DATABASE_AWAY:
            logger.warning("a file is kept, its job is in doubt", extra={"storage_key": stored.key})
            raise
        reached(Point.AFTER_INSERT)
        logger.info("job created", extra={"job": str(job.id), "partner": str(job.partner_id)})
        return job

    def _keep(self, kept: bool) -> None:
        self.file.kept = kept
        if self.family:
            self.family.keep(kept)

    async def earlier(self) -> models.Job | None:
        """The job that the same idempotency key has made before."""
        if self.idempotency_key is None:
            return None
        return await models.Job.get_or_none(
            partner_id=self.record_schema.partner_id, idempotency_key=self.idempotency_key
        )

    def repeated(self, job: models.Job) -> models.Job | UserError:
        """`job`, which `earlier` has found, unless it was made for something else, its file left aside."""
        parent_id = self.family.parent.id if self.family else None
        asked = (self.record_schema.id, self.dry_run, self.on_failure, parent_id)
        if asked == (job.record_schema_id, job.dry_run, job.on_failure, job.parent_id):
            return job
        return _CONFLICT

    def _repeated(self, job: models.Job, stored: StoredFile) -> models.Job | UserError:
        return self.repeated(job) if stored.sha256 == job.sha256 else _CONFLICT


_CONFLICT = UserError.at(
    ("idempotencyKey",),
    UserErrorCode.IDEMPOTENCY_CONFLICT,
    "This idempotency key was used before, for another file, another schema or another job, or with another `dryRun` or"
    " `onFailure`. Use a new key for what is new.",
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
    errors += upload_errors(file)
    if format is None:
        errors.append(UserError.at(("format",), UserErrorCode.UNSUPPORTED_FORMAT, _UNKNOWN_FORMAT))
    errors += key_errors(idempotency_key)
    if record_schema is None or format is None or errors:
        return errors
    return Submission(record_schema, format, file, idempotency_key, dry_run, on_failure)


def upload_errors(file: Upload) -> list[UserError]:
    """Why the file cannot be received."""
    if not file.is_taken:
        return []
    # Not a top-level error: that would take away the payload of the field that has made a job of it.
    message = "This file was submitted by another field of this request: send it in a request of its own."
    return [UserError.at(("file",), UserErrorCode.INVALID, message)]


def key_errors(idempotency_key: str | None) -> list[UserError]:
    """What is wrong with the key."""
    if idempotency_key is None or _is_key(idempotency_key):
        return []
    message = f"An idempotency key has 1 to {_MAX_KEY_CHARS} characters, and no NUL among them."
    return [UserError.at(("idempotencyKey",), UserErrorCode.INVALID, message)]


_UNKNOWN_FORMAT = (
    "The format cannot be told from the file's name. Name it .csv, .tsv, .tab, .json, .ndjson, .jsonl or .xml, "
    "or say `format`."
)


def _is_key(text: str) -> bool:
    return 1 <= len(text) <= _MAX_KEY_CHARS and is_storable(text)
