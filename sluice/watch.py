"""Watching a job to its end, on a progress bar, through lost connections and past a Ctrl-C."""

import asyncio
from typing import Any

from rich.console import Console

from sluice import operations, report
from sluice.bar import Bar
from sluice.client import ApiClient
from sluice.errors import Unreachable


async def watch(console: Console, client: ApiClient, job_id: str, bar: Bar) -> dict[str, Any]:
    """Shows how far a job is until it is done: the Job. Raises ApiError.

    Whatever ends the watching before: the job goes on, and a line says how to watch it again.
    """
    again = f"The job goes on. To watch it again: sluice job {job_id} --watch --url {client.url}"
    try:
        async for state in operations.progress(client, job_id, on_lost=bar.lost):
            bar.show(state)
        return await operations.patiently(lambda: operations.job(client, job_id))
    except Unreachable as lost:
        raise Unreachable(f"{lost}\n{again}") from None
    except asyncio.CancelledError:
        report.plain(console, again)
        raise
