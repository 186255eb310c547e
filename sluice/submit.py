"""`sluice submit`, `retry` and `commit`: each makes a job, of a file on this disk or there, and watches it if wanted."""

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from rich.console import Console

from sluice import next_steps, operations, report
from sluice.bar import bar
from sluice.client import ApiClient
from sluice.errors import SluiceError
from sluice.jobs import first_errors, print_json
from sluice.watch import watch as watch_to_the_end

OnRead = Callable[[int, int], None]
"""Is told how many bytes of how many are on their way."""
Make = Callable[[OnRead], Awaitable[str]]
"""Makes a job; its id."""


def submitting(client: ApiClient, file: Path, schema_id: str, **options: Any) -> Make:
    """What submits a file, with the options of `operations.submit_file`."""

    async def make(on_read: OnRead) -> str:
        with _opened(file, on_read) as content:
            return await operations.submit_file(client, schema_id, content, **options)

    return make


def retrying(client: ApiClient, job_id: str, file: Path | None, **options: Any) -> Make:
    """What retries with corrected records, or with those that were sent; the options are those of `operations.retry`."""

    async def make(on_read: OnRead) -> str:
        if file is None:
            return await operations.retry(client, job_id, None, **options)
        with _opened(file, on_read) as content:
            return await operations.retry(client, job_id, content, **options)

    return make


def committing(client: ApiClient, job_id: str) -> Make:
    """What loads the file of a dry run."""
    return lambda _on_read: operations.commit(client, job_id)


async def run(client: ApiClient, title: str, make: Make, *, watch: bool, as_json: bool) -> int:
    """Makes a job and prints its id; the exit code. Raises SluiceError.

    Watching, it also shows the progress and the result, and is 0 only for a job that is COMPLETED.
    """
    async with client:
        if not watch:
            job_id = await make(lambda _done, _size: None)
            print_json([{"id": job_id}]) if as_json else print(job_id)
            return 0
        console = report.console(stderr=True)

        def tell(job_id: str) -> None:
            # At once: who stops watching, or loses the connection, must be able to find the job, which goes on.
            if as_json:  # stdout is for the finished job alone
                report.plain(console, f"job {job_id}")
            else:
                print(job_id, flush=True)

        job = await follow(console, client, title, make, on_made=tell)
        if as_json:
            print_json([job])
        else:
            report.summary(console, job, await first_errors(client, job["id"]))
            next_steps.show(console, job)
        return 0 if job["status"] == "COMPLETED" else 1


async def follow(
    console: Console,
    client: ApiClient,
    title: str,
    make: Make,
    on_made: Callable[[str], None] = lambda _job_id: None,
) -> dict[str, Any]:
    """Makes a job and shows how far it is, until it is done: the job. Raises SluiceError."""
    with bar(console, title) as shown:
        job_id = await make(shown.sent)
        on_made(job_id)
        return await watch_to_the_end(console, client, job_id, shown)


class _Sent(io.FileIO):
    """A file that tells how much of it has been read, and so sent."""

    def __init__(self, file: Path, on_read: OnRead) -> None:
        super().__init__(file)
        self._size, self._on_read = file.stat().st_size, on_read

    def read(self, size: int | None = -1, /) -> bytes:
        """As ever."""
        block = super().read(size) or b""
        if block:
            self._on_read(self.tell(), self._size)
        return block


def _opened(file: Path, on_read: OnRead) -> BinaryIO:
    if file.exists() and not file.is_file():
        raise SluiceError(f"cannot read {file}: it is no file")
    try:
        return cast("BinaryIO", _Sent(file, on_read))
    except OSError as error:
        raise SluiceError(f"cannot read {file}: {error.strerror}") from None
