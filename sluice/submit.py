"""`sluice submit`: a file goes from this disk to the API, and is watched there if wanted."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from rich.console import Console

from sluice import operations, report
from sluice.bar import bar
from sluice.client import ApiClient
from sluice.errors import SluiceError
from sluice.jobs import first_errors, print_json
from sluice.watch import watch as watch_to_the_end


async def submit(
    client: ApiClient, file: Path, schema_id: str, file_format: str | None, *, watch: bool, as_json: bool
) -> int:
    """Sends a file and prints the job's id; the exit code. Raises SluiceError.

    Watching, it also shows the progress and the result, and is 0 only for a job that is COMPLETED.
    """
    async with client:
        if not watch:
            with _opened(file) as content:
                job_id = await operations.submit_file(client, schema_id, content, file_format)
            print_json([{"id": job_id}]) if as_json else print(job_id)
            return 0
        console = report.console(stderr=True)

        def tell(job_id: str) -> None:
            # At once: who stops watching, or loses the connection, must be able to find the job, which goes on.
            if as_json:  # stdout is for the finished job alone
                report.plain(console, f"job {job_id}")
            else:
                print(job_id, flush=True)

        job = await follow(console, client, file, schema_id, file_format, on_submitted=tell)
        if as_json:
            print_json([job])
        else:
            report.summary(console, job, await first_errors(client, job["id"]))
        return 0 if job["status"] == "COMPLETED" else 1


async def follow(
    console: Console,
    client: ApiClient,
    file: Path,
    schema_id: str,
    file_format: str | None = None,
    on_submitted: Callable[[str], None] = lambda _job_id: None,
) -> dict[str, Any]:
    """Sends a file and shows how far it is, until the job is done: the job. Raises SluiceError."""
    with bar(console, file.name) as shown:
        with _opened(file, on_read=shown.sent) as content:
            job_id = await operations.submit_file(client, schema_id, content, file_format)
        on_submitted(job_id)
        return await watch_to_the_end(console, client, job_id, shown)


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


def _opened(file: Path, on_read: Callable[[int, int], None] = lambda _done, _size: None) -> BinaryIO:
    if file.exists() and not file.is_file():
        raise SluiceError(f"cannot read {file}: it is no file")
    try:
        return cast("BinaryIO", _Sent(file, on_read))
    except OSError as error:
        raise SluiceError(f"cannot read {file}: {error.strerror}") from None
