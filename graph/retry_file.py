"""The files of a retry that Sluice makes itself: the origins, and without a file from the client also the records."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import models
from graph.uploads import storage_refusal
from tasks.origins import noted, outstanding, snapshot
from tasks.rejected import rejected_filename, rejected_records
from tasks.storage import Store
from tasks.storage.draft import Draft
from tasks.storage.local import StoredFile


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

    async def take(self) -> None:
        """Notes those that are outstanding now. Raises Refusal."""
        try:
            self.stored = await snapshot(self.parent, self.draft)
        except OSError as error:
            raise storage_refusal(error) from None


class RejectedFile:
    """The outstanding records of a job as they were sent, to be tried again."""

    def __init__(
        self, origins: Origins, store: Store, unhurried: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """`unhurried`: in which it is made, however long that takes."""
        self.filename = rejected_filename(origins.parent)
        self._origins = origins
        self._store = store
        self._draft = Draft(store)
        self._unhurried = unhurried

    @property
    def kept(self) -> bool:
        """True once the file belongs to a job."""
        return self._draft.kept

    @kept.setter
    def kept(self, kept: bool) -> None:
        self._draft.kept = kept

    async def receive(self) -> StoredFile:
        """Makes it and, of the very same records, the origins. Raises Refusal, or NotAvailable."""
        parent, origins = self._origins.parent, self._origins.draft
        try:
            with self._unhurried():
                pages = noted(outstanding(parent), origins)
                async for block in rejected_records(parent, self._store, with_index=False, pages=pages):
                    await self._draft.write(block)
                self._origins.stored = await origins.commit()
                return await self._draft.commit()
        except OSError as error:
            raise storage_refusal(error) from None

    async def close(self) -> None:
        """Deletes what was made and is not kept."""
        await self._draft.close()
