"""`sluice discard`: what a job has loaded is deleted, after a question, and watched."""

import asyncio
import sys
from typing import Any

from sluice import operations, report
from sluice.bar import bar
from sluice.client import ApiClient
from sluice.errors import SluiceError
from sluice.jobs import print_json


async def discard(client: ApiClient, job_id: str, *, yes: bool, as_json: bool) -> int:
    """Deletes the records of a job, and shows how far that is; the exit code. Raises SluiceError."""
    async with client:
        job = await operations.job(client, job_id)
        if not yes and not _agreed(job):
            return 1
        await operations.discard(client, job_id)
        console = report.console(stderr=True)
        state: dict[str, Any] = {}
        try:
            with bar(console, job["filename"]) as shown:
                async for state in operations.discard_progress(client, job_id, on_lost=shown.lost):
                    shown.show_discard(state)
        except asyncio.CancelledError:
            report.plain(console, f"The discard goes on. To see how far it is: sluice job {job_id}")
            raise
        if as_json:
            print_json([state])
        else:
            report.plain(
                report.console(), f"discarded; {int(state['recordsDiscarded']):,} records are deleted"
            )
    return 0


def _agreed(job: dict[str, Any]) -> bool:
    if not sys.stdin.isatty():
        raise SluiceError("nobody is here to be asked: give --yes to delete the records of this job")
    loaded = int(job["progress"]["recordsAccepted"])
    question = f"Delete the {loaded:,} records that this job has loaded? This cannot be undone. [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
