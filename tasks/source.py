"""The submitted file of a job: there, and byte for byte what the partner sent."""

import asyncio
import hashlib
import logging
from pathlib import Path

from models import Job
from tasks.pipeline.errors import FailureCode, FileError
from tasks.storage import Store

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5


async def find_file(job: Job, store: Store) -> Path:
    """Where the file of `job` lies. Raises FileError when it is gone, or is not what was submitted any more, and when a
    retry's file of origins is gone.

    It is hashed anew at every claim (about a second for 500 MB): records of a file that has changed must never be
    mixed with those that were loaded from it before. A storage that is away, like a volume that is not mounted yet, is
    waited for: its files are not gone.
    """
    path = store.path(job.storage_key)
    while True:
        try:
            await _check(job, path)
            if job.origins_key:
                await asyncio.to_thread(store.path(job.origins_key).stat)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and await store.is_there():
                raise FileError(
                    FailureCode.FILE_MISSING,
                    "A file of this job is not in the storage any more: submit it again; a retry, retry once more.",
                ) from None
            logger.warning(
                "file not readable, trying again", extra={"job": str(job.id), "error": repr(error)}
            )
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return path


async def _check(job: Job, path: Path) -> None:
    size = (await asyncio.to_thread(path.stat)).st_size
    if size != job.size_bytes:
        raise _changed(f"has {size:,} bytes, but {job.size_bytes:,} were submitted")
    if await asyncio.to_thread(_sha256, path) != job.sha256:
        raise _changed("does not hold the bytes that were submitted")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _changed(how: str) -> FileError:
    return FileError(FailureCode.FILE_CHANGED, f"The stored file {how}: submit it again.")
