"""`sluice submit`, `retry` and `commit`: a file goes from this disk to the API, or is there already; it is watched if wanted."""

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from rich.console import Console

from sluice import operations, report
from sluice.bar import bar
from sluice.client import ApiClient
from sluice.errors import SluiceError
from sluice.jobs import first_errors, print_json
from sluice.watch import watch as watch_to_the_end

Send = Callable[[BinaryIO | None], Awaitable[str]]
"""Makes a job of the open file, or of what the server has already; the job's id."""


async def submit(
    client: ApiClient,
    file: Path,
    schema_id: str,
    file_format: str | None,
    *,
    dry_run: bool,
    watch: bool,
    as_json: bool,
) -> int:
    """Sends a file and prints the job's id; the exit code. Raises SluiceError.

    Watching, it also shows the progress and the result, and is 0 only for a job that is COMPLETED.
    """
    send = sending(client, schema_id, file_format, dry_run=dry_run)
    return await deliver(client, file.name, file, send, watch=watch, as_json=as_json)


async def retry(
    client: ApiClient,
    job_id: str,
    file: Path | None,
    schema_id: str | None,
    file_format: str | None,
    *,
    watch: bool,
    as_json: bool,
) -> int:
    """Sends corrected records, or has the rejected ones tried again as they are; otherwise like `submit`."""
    title = file.name if file else "rejected records"
    return await deliver(
        client, title, file, lambda content: operations.retry(client, job_id, content, schema_id, file_format),
        watch=watch, as_json=as_json,
    )  # fmt: skip


async def commit(client: ApiClient, job_id: str, *, watch: bool, as_json: bool) -> int:
    """Has the file of a dry run loaded; otherwise like `submit`."""
    return await deliver(
        client, "commit", None, lambda _: operations.commit(client, job_id), watch=watch, as_json=as_json
    )


def sending(
    client: ApiClient, schema_id: str, file_format: str | None = None, *, dry_run: bool = False
) -> Send:
    """What submits a file."""

    async def send(content: BinaryIO | None) -> str:
        if content is None:
            raise TypeError("a submission has a file")
        return await operations.submit_file(client, schema_id, content, file_format, dry_run=dry_run)

    return send


async def deliver(
    client: ApiClient, title: str, file: Path | None, send: Send, *, watch: bool, as_json: bool
) -> int:
    """Makes a job by `send`, and prints its id; watching, also what becomes of it. The exit code. Raises SluiceError."""
    async with client:
        if not watch:
            job_id = await _sent(file, send)
            print_json([{"id": job_id}]) if as_json else print(job_id)
            return 0
        console = report.console(stderr=True)

        def tell(job_id: str) -> None:
            # At once: who stops watching, or loses the connection, must be able to find the job, which goes on.
            if as_json:  # stdout is for the finished job alone
                report.plain(console, f"job {job_id}")
            else:
                print(job_id, flush=True)

        job = await follow(console, client, title, file, send, on_submitted=tell)
        if as_json:
            print_json([job])
        else:
            report.summary(console, job, await first_errors(client, job["id"]))
            report.next_steps(console, job)
        return 0 if job["status"] == "COMPLETED" else 1


async def follow(
    console: Console,
    client: ApiClient,
    title: str,
    file: Path | None,
    send: Send,
    on_submitted: Callable[[str], None] = lambda _job_id: None,
) -> dict[str, Any]:
    """Makes a job by `send` and shows how far it is, until it is done: the job. Raises SluiceError."""
    with bar(console, title) as shown:
        job_id = await _sent(file, send, shown.sent)
        on_submitted(job_id)
        return await watch_to_the_end(console, client, job_id, shown)


async def _sent(
    file: Path | None, send: Send, on_read: Callable[[int, int], None] = lambda _done, _size: None
) -> str:
    if file is None:
        return await send(None)
    with _opened(file, on_read) as content:
        return await send(content)


class _Sent(io.FileIO):
    """A file that tells how much of it has been read, and so sent."""

    def __init__(self, file: Path, on_read: Callable[[int, int], None]) -> None:
        super().__init__(file)
        self._size, self._on_read = file.stat().st_size, on_read

    def read(self, size: int | None = -1, /) -> bytes:
        """As ever."""
        block = super().read(size) or b""
        if block:
            self._on_read(self.tell(), self._size)
        return block


def _opened(file: Path, on_read: Callable[[int, int], None]) -> BinaryIO:
    if file.exists() and not file.is_file():
        raise SluiceError(f"cannot read {file}: it is no file")
    try:
        return cast("BinaryIO", _Sent(file, on_read))
    except OSError as error:
        raise SluiceError(f"cannot read {file}: {error.strerror}") from None
