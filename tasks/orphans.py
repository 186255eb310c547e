"""Files that nobody owns: an API process was killed between a file's first byte and its job's row."""

import logging
from collections.abc import Iterator

from tortoise.expressions import Q

from models import Job
from settings import settings
from tasks.storage import Store
from tasks.storage.local import is_part

logger = logging.getLogger(__name__)

_AT_A_TIME = 200
"""Files that are locked together, each of which takes a descriptor; a process has 1,024 as a rule."""


class Orphans:
    """Removes them; remembers which files have a job, since they always will."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owned: set[str] = set()

    async def remove(self) -> None:
        """Looks at every file once. Raises OSError, or one of DATABASE_AWAY."""
        names = await self._store.idle(settings.orphan_seconds)
        self._owned &= set(names)
        unknown = [name for name in names if name not in self._owned]
        for some in _chunks(unknown):
            self._owned |= await _with_jobs(some)
        for some in _chunks([name for name in unknown if self._may_be_removed(name)]):
            await self._remove(some)

    def _may_be_removed(self, name: str) -> bool:
        # Where no file at all has a job, the folder is more likely that of another database than full of orphans.
        return name not in self._owned and (bool(self._owned) or is_part(name))

    async def _remove(self, names: list[str]) -> None:
        async with self._store.locked(names) as abandoned:
            # Asked again: until we had the lock, an API process could still make a job for the file.
            owned = await _with_jobs(abandoned)
            for name in abandoned:
                if name not in owned:
                    await self._store.delete(name)
                    logger.warning("file without a job removed", extra={"file": name})


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), _AT_A_TIME):
        yield names[start : start + _AT_A_TIME]


async def _with_jobs(names: list[str]) -> set[str]:
    rows = await Job.filter(Q(storage_key__in=names) | Q(origins_key__in=names)).values_list(
        "storage_key", "origins_key"
    )
    return {key for keys in rows for key in keys if key} & set(names)
