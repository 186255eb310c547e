"""`sluice discard`: what a job has loaded is deleted, after a question, and watched."""

import asyncio
import sys
from typing import Any

from sluice import operations, report
from sluice.bar import bar
from sluice.client import ApiClient
from sluice.errors import SluiceError, Unreachable
from sluice.jobs import print_json


def require_terminal() -> None:
    """Raises SluiceError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise SluiceError("nobody is here to be asked: give --yes to delete the records of this job")


async def question(client: ApiClient, job_id: str) -> str:
    """What is to be agreed to. Raises SluiceError."""
    async with client:
        job = await operations.job(client, job_id)
    loaded, filename = int(job["progress"]["recordsAccepted"]), report.printable(job["filename"])
    return f"Delete the {loaded:,} records that this job has loaded of {filename}? They cannot be brought back. [y/N] "


def is_agreed(question: str) -> bool:
    """Asks on the terminal.

    It blocks, so not within the event loop: there Ctrl-C would wait for the answer.
    """
    print(question, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("Nothing is deleted.", file=sys.stderr)
    return False


async def discard(client: ApiClient, job_id: str, *, as_json: bool) -> int:
    """Deletes the records of a job, and shows how far that is; the exit code. Raises SluiceError."""
    console = report.console(stderr=True)
    goes_on = f"The discard goes on. To see how far it is: sluice job {job_id} --url {client.url}"
    state: dict[str, Any] = {}
    async with client:
        job = await operations.discard(client, job_id)
        try:
            with bar(console, job["filename"]) as shown:
                async for state in operations.discard_progress(client, job_id, on_lost=shown.lost):
                    shown.show_discard(state)
        except Unreachable as lost:
            raise Unreachable(f"{lost}\n{goes_on}") from None
        except asyncio.CancelledError:
            report.plain(console, goes_on)
            raise
    if as_json:
        print_json([state])
    else:
        deleted = int(state["recordsDiscarded"])
        report.plain(report.console(), f"discarded; {deleted:,} records are deleted, the errors stay")
    return 0
