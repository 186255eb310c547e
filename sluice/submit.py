"""`sluice schema create` and `sluice submit`: a partner's first steps from the command line."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from rich.console import Console

from sluice import operations, report
from sluice.client import ApiClient
from sluice.errors import SluiceError

_ERRORS_SHOWN = 5


async def create_schema(client: ApiClient, file: Path) -> str:
    """Saves the schema in a JSON file; its id. Raises SluiceError."""
    async with client:
        return await operations.create_schema(client, _definition(file))


def _definition(file: Path) -> dict[str, Any]:
    try:
        definition = json.loads(file.read_bytes())
    except OSError as error:
        raise SluiceError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise SluiceError(f"{file} is not JSON: {error}") from None
    if not isinstance(definition, dict):
        raise SluiceError(f"{file} holds no JSON object: it should look like CreateRecordSchemaInput")
    return definition


async def submit(
    client: ApiClient, file: Path, schema_id: str, file_format: str | None, *, watch: bool
) -> int:
    """Sends a file and prints the job's id; the exit code. Raises SluiceError.

    Watching, it also shows the progress and the result, and is 0 only for a job that is COMPLETED.
    """
    async with client:
        if not watch:
            with _opened(file) as content:
                print(await operations.submit_file(client, schema_id, content, file_format))
            return 0
        console = report.console(stderr=True)
        job = await follow(console, client, file, schema_id, file_format, on_submitted=_print_id)
        report.summary(console, job)
        return 0 if job["status"] == "COMPLETED" else 1


def _print_id(job_id: str) -> None:
    # At once: who stops watching, or loses the connection, must be able to find the job, which goes on.
    print(job_id, flush=True)


async def follow(
    console: Console,
    client: ApiClient,
    file: Path,
    schema_id: str,
    file_format: str | None = None,
    on_submitted: Callable[[str], None] = lambda _job_id: None,
) -> dict[str, Any]:
    """Sends a file and shows how far it is, until the job is done: the job. Raises SluiceError."""
    with report.bar(console, file.name) as bar:
        with _opened(file, on_read=bar.sent) as content:
            job_id = await operations.submit_file(client, schema_id, content, file_format)
        on_submitted(job_id)
        async for state in operations.progress(client, job_id):
            bar.show(state["percent"], report.in_words(state))
    return await operations.result(client, job_id, _ERRORS_SHOWN)


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
