"""The files of a retry that Sluice makes itself: the origins, and without a file from the client also the records."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLError

import models
from graph.context import Context
from graph.errors import fault
from graph.uploads import storage_refusal
from tasks.origins import noted, outstanding, snapshot
from tasks.pipeline.origins import BY_PLACE
from tasks.rejected import NotAvailable, brings_indexes, rejected_filename, rejected_records
from tasks.storage import Store
from tasks.storage.draft import Draft
from tasks.storage.local import StoredFile

_MOST_TIMES_LARGER = 2
"""A file cut out of another may be larger than any that is taken, but not without end: in XML namespaces come to each."""


@dataclass(slots=True)
class Origins:
    """Which records a retry is to try again: those that were outstanding at one moment."""

    parent: models.Job
    draft: Draft
    stored: StoredFile | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """Of the retry's row."""
        return {
            "parent_id": self.parent.id,
            "root_id": self.parent.root_id or self.parent.id,
            "origins_key": self.stored.key if self.stored else None,
        }

    def keep(self, kept: bool) -> None:
        """Whether the file belongs to a job."""
        self.draft.kept = kept

    async def take(self, store: Store) -> None:
        """Notes those that are outstanding now. Raises UNAVAILABLE when the disk is full."""
        try:
            by_place = await brings_indexes(self.parent, store)
            self.stored = await snapshot(self.parent, self.draft, by_place=by_place)
        except OSError as error:
            raise _fault(error) from None


def _fault(error: OSError) -> GraphQLError:
    """Not a Refusal: these files are no part of a request's body."""
    refusal = storage_refusal(error)
    return fault(refusal.code, refusal.message)


class RejectedFile:
    """The outstanding records of a job as they were sent, to be tried again."""

    def __init__(self, origins: Origins, context: Context) -> None:
        self.filename = rejected_filename(origins.parent)
        self._origins = origins
        self._store = context.backends.store
        self._draft = Draft(self._store)
        self._unhurried = context.unhurried
        self._most_bytes = _MOST_TIMES_LARGER * context.backends.settings.max_upload_bytes

    @property
    def kept(self) -> bool:
        """True once the file belongs to a job."""
        return self._draft.kept

    @kept.setter
    def kept(self, kept: bool) -> None:
        self._draft.kept = kept

    async def receive(self) -> StoredFile:
        """Makes it and, of the very same records, the origins. Raises NotAvailable, and UNAVAILABLE when the disk is full."""
        parent, origins = self._origins.parent, self._origins.draft
        try:
            with self._unhurried():
                pages = noted(outstanding(parent), origins)
                await self._write(rejected_records(parent, self._store, with_index=False, pages=pages))
                await origins.write(BY_PLACE)
                self._origins.stored = await origins.commit()
                return await self._shared(await self._draft.commit())
        except OSError as error:
            raise _fault(error) from None

    async def _shared(self, made: StoredFile) -> StoredFile:
        """The file of an earlier retry that is the same, if there is one: who retries again and again fills no disk."""
        same = models.Job.filter(
            parent_id=self._origins.parent.id, sha256=made.sha256, size_bytes=made.size_bytes
        )
        earlier = await same.order_by("id").first()
        if earlier is None or not await self._store.has(earlier.storage_key, made.size_bytes):
            return made
        await self._draft.close()
        return replace(made, key=earlier.storage_key)

    async def _write(self, blocks: AsyncIterator[bytes]) -> None:
        size = 0
        async for block in blocks:
            size += len(block)
            if size > self._most_bytes:
                raise NotAvailable(
                    f"With what has to stand around each of them the rejected records come to more than {self._most_bytes:,}"
                    " bytes. Send them mended, in a file of their own."
                )
            await self._draft.write(block)

    async def close(self) -> None:
        """Deletes what was made and is not kept."""
        await self._draft.close()
