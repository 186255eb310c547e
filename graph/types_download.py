"""Downloads: signed links to what is made of a job."""

import time
from datetime import UTC, datetime

import strawberry

import models
from graph.context import Info
from graph.download_content import Content
from graph.download_links import PATH, Kind, Link
from graph.errors import bad_user_input
from graph.scalars import BigInt
from tasks.error_report import ErrorReportFormat
from tasks.pipeline.record import FileFormat
from tasks.pipeline.rejected import CannotIndex
from tasks.rejected import NotAvailable

_KINDS = {ErrorReportFormat.CSV: Kind.ERRORS_CSV, ErrorReportFormat.NDJSON: Kind.ERRORS_NDJSON}


@strawberry.type(
    description=(
        "A file to fetch with a plain GET, without a key: whoever has the link may follow it until it expires. It is made while it "
        "is sent. Ranges, HEAD and ETag are supported."
    )
)
class Download:
    """A link."""

    content: strawberry.Private[Content]
    url: str = strawberry.field(description="The link: absolute, signed, for this content alone.")
    filename: str = strawberry.field(description="The name under which to save it.")
    expires_at: datetime = strawberry.field(
        description=(
            "Until when the link holds. One of rejected records holds no longer than until a retry loads some of them: it "
            "answers 410 then."
        )
    )

    @strawberry.field(
        description="Its length. The whole content is made to count it, so ask for it only where it matters."
    )
    async def size_bytes(self, info: Info) -> BigInt:
        """Counted when it is asked for."""
        backends = info.context.backends
        try:
            return BigInt(await backends.sizes.of(self.content, backends.store))
        except (CannotIndex, NotAvailable) as error:
            raise bad_user_input(str(error)) from None


async def rejected_file(job: models.Job, info: Info, *, with_index: bool) -> Download | None:
    """See `Job.rejectedFile`. Raises BAD_USER_INPUT where the index has no place."""
    if not job.status.is_final or not job.records_rejected:
        return None
    if job.root_id is None:
        version, is_any = job.retries_version, job.records_rejected > job.records_retried
    else:
        version, is_any = await info.context.retry_states.load(job.id)
    if not is_any:
        return None
    if with_index and job.format in (FileFormat.CSV, FileFormat.TSV):
        schema = await info.context.record_schemas.load(job.record_schema_id)
        if not schema.definition["csv"]["header"]:
            raise bad_user_input(
                "A file without a header has no place for sluice:index: the schema says csv.header false. Leave withIndex out, and"
                " keep the records in their order."
            )
    kind = Kind.REJECTED_WITH_INDEX if with_index else Kind.REJECTED
    return _download(info, Content(job, kind, version))


def error_report(job: models.Job, info: Info, format: ErrorReportFormat) -> Download | None:
    """See `Job.errorReport`."""
    if not job.status.is_final or not job.records_rejected:
        return None
    return _download(info, Content(job, _KINDS[format], 0))


def _download(info: Info, content: Content) -> Download:
    context = info.context
    expires_at = int(time.time() + context.backends.settings.link_seconds)
    link = Link(content.job.id, content.kind, expires_at, content.state)
    base = context.backends.settings.public_url or context.base_url
    token = link.token(bytes(context.partner.key_hash))
    return Download(
        content=content,
        url=base + PATH.format(token=token),
        filename=content.filename,
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )
