"""What a link leads to: its name, its media type, its bytes as a stream, and how many there are."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import models
from graph.download_links import Kind
from tasks.error_report import ErrorReportFormat, error_report
from tasks.pipeline.record import FileFormat
from tasks.rejected import derived_filename, rejected_filename, rejected_records
from tasks.storage import Store

_REMEMBERED = 1_000

_MEDIA_TYPES = {
    FileFormat.CSV: "text/csv",
    FileFormat.TSV: "text/tab-separated-values",
    FileFormat.JSON: "application/json",
    FileFormat.NDJSON: "application/x-ndjson",
    FileFormat.XML: "application/xml",
}
"""Without a charset: a file is in the encoding of the one that was submitted."""

_REPORTS = {
    Kind.ERRORS_CSV: (ErrorReportFormat.CSV, "csv", "text/csv; charset=utf-8"),
    Kind.ERRORS_NDJSON: (ErrorReportFormat.NDJSON, "ndjson", "application/x-ndjson"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """Always the same bytes, as long as `state` is the same."""

    job: models.Job
    kind: Kind
    state: int

    @property
    def filename(self) -> str:
        """Under which a client should save it."""
        if self.kind.is_rejected_file:
            return rejected_filename(self.job)
        return derived_filename(self.job, "errors", _REPORTS[self.kind][1])

    @property
    def media_type(self) -> str:
        """For the header Content-Type."""
        if self.kind.is_rejected_file:
            return _MEDIA_TYPES[FileFormat(self.job.format)]
        return _REPORTS[self.kind][2]

    @property
    def key(self) -> tuple[UUID, Kind, int]:
        """What is the same for the same bytes, and for no others."""
        return self.job.id, self.kind, self.state

    @property
    def etag(self) -> str:
        """The same, for clients."""
        return f'"{self.job.id.hex}-{self.kind.value}-{self.state}"'

    def blocks(self, store: Store) -> AsyncIterator[bytes]:
        """All of it, made as it is read. Raises NotAvailable and CannotIndex, before the first block."""
        if self.kind.is_rejected_file:
            return rejected_records(self.job, store, with_index=self.kind is Kind.REJECTED_WITH_INDEX)
        return error_report(self.job, _REPORTS[self.kind][0])


class Sizes:
    """How many bytes contents have: each is made once, without being sent, to count them."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, Kind, int], int] = OrderedDict()

    def known(self, content: Content) -> int | None:
        """What was counted before."""
        return self._known.get(content.key)

    async def of(self, content: Content, store: Store) -> int:
        """Counts. Raises what `Content.blocks` raises."""
        size = self._known.get(content.key)
        if size is None:
            size = 0
            async for block in content.blocks(store):
                size += len(block)
            self.remember(content, size)
        return size

    def remember(self, content: Content, size: int) -> None:
        """For who has counted anyway."""
        self._known[content.key] = size
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
