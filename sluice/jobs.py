"""`sluice jobs`, `job`, `errors` and `cancel`: what became of the files that were sent."""

import json
from typing import Any

from sluice import next_steps, operations, report
from sluice.bar import bar
from sluice.client import ApiClient
from sluice.watch import watch as watch_to_the_end

_ERRORS_SHOWN = 5


async def jobs(client: ApiClient, first: int, status: str | None, *, as_json: bool) -> int:
    """Lists the newest jobs; the exit code. Raises SluiceError."""
    async with client:
        found = await operations.jobs(client, first, status)
    if as_json:
        print_json(found)
    elif found:
        report.jobs(report.console(), found)
    else:
        report.plain(report.console(), "There are no such jobs.")
    return 0


async def job(client: ApiClient, job_id: str, *, watch: bool, as_json: bool) -> int:
    """Shows how a job stands; the exit code: watching, 0 only for a job that is COMPLETED. Raises SluiceError."""
    async with client:
        found = await operations.job(client, job_id)
        if watch:
            console = report.console(stderr=True)
            with bar(console, found["filename"]) as shown:
                found = await watch_to_the_end(console, client, job_id, shown)
        if as_json:
            print_json([found])
        else:
            report.summary(report.console(), found, await first_errors(client, job_id))
            next_steps.show(report.console(), found)
    return 1 if watch and found["status"] != "COMPLETED" else 0


async def first_errors(client: ApiClient, job_id: str) -> list[dict[str, Any]]:
    """A job's first errors, as a summary shows them. Raises SluiceError."""
    page = await operations.patiently(lambda: operations.error_page(client, job_id, {}, first=_ERRORS_SHOWN))
    found: list[dict[str, Any]] = page["nodes"]
    return found


async def errors(client: ApiClient, job_id: str, only: dict[str, Any], *, as_json: bool) -> int:
    """Prints all errors of a job as they come; the exit code. Raises SluiceError."""
    console = report.console()
    is_first = True
    async with client:
        async for page in operations.errors(client, job_id, only):
            if as_json:
                print_json(page)
            elif page:
                report.errors(console, page, is_first=is_first)
                is_first = False
    if is_first and not as_json:
        report.plain(console, "There are no such errors.")
    return 0


async def cancel(client: ApiClient, job_id: str, *, as_json: bool) -> int:
    """Stops a job; the exit code. Raises SluiceError."""
    async with client:
        cancelled = await operations.cancel(client, job_id)
    if as_json:
        print_json([cancelled])
    else:
        accepted = int(cancelled["progress"]["recordsAccepted"])
        report.plain(report.console(), f"cancelled; {accepted:,} records were loaded before, and stay")
    return 0


def print_json(objects: list[dict[str, Any]]) -> None:
    """One object a line, as the API gave it, in ASCII: any terminal and any pipe takes that."""
    for found in objects:
        print(json.dumps(found))
