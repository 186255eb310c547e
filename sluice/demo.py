"""`sluice demo`: four files go the whole way, on a Sluice of their own, and the rejected rows of one are fixed."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from graph import dashboard_page
from settings import settings
from sluice import (
    binaries,
    downloads,
    endpoints,
    jobs,
    operations,
    partners,
    report,
    run_files,
    samples,
    stack,
    submit,
)  # fmt: skip
from sluice.client import ApiClient
from sluice.errors import SluiceError
from sluice.samples import RECORDS, SAMPLES, Sample
from sluice.stack import Plan
from sluice.supervisor import Children

# Small steps, so that there is something to see while 25,000 records go by.
_LIVELY = {"SLUICE_PROGRESS_INTERVAL_SECONDS": "0.1", "SLUICE_BATCH_RECORDS": "1000"}


_SECONDS = 120
_LOG = "sluice.log"


async def demo(*, keep: bool = False) -> int:
    """Shows it; the exit code: 0 when every record of every file was decided as it should be. Raises SluiceError."""
    console = report.console()
    with _folder(console, keep=keep) as folder, run_files.hold(folder) as files:
        report.plain(console, "Starting PostgreSQL, Redis, a worker and the API on this machine …")
        plan = _plan(folder)
        async with stack.running(plan, files, Children(files)) as services:
            report.plain(console, f"The API answers at {plan.address}/graphql.")
            key = await partners.create(services.database_url, "Demo Ltd")
            if dashboard_page.is_built():
                report.plain(
                    console, f"See it in a browser while this runs: {plan.address}/  (the API key is {key})"
                )
            async with _patience(plan), ApiClient(plan.address, key) as client:
                shown = [await _show(console, client, sample, folder) for sample in SAMPLES]
                faults = [_fault(job, RECORDS, spoilt) for job, spoilt in shown]
                faults += await _fix(console, client, *shown[0], folder)
    _say_goodbye(console, [fault for fault in faults if fault])
    return 1 if any(faults) else 0


@contextlib.contextmanager
def _folder(console: Console, *, keep: bool) -> Iterator[Path]:
    """A folder of the demo's own; it stays when it is wanted, or when something went wrong in it."""
    folder = Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    try:
        yield folder
    except SluiceError:
        keep = True
        raise
    finally:
        if keep:
            report.plain(console, f"\nEverything is left in {folder}")
        else:
            shutil.rmtree(folder)


def _plan(folder: Path) -> Plan:
    return Plan(
        data_dir=folder,
        host=endpoints.LOOPBACK,
        port=endpoints.free_port(),
        workers=1,
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        output=folder / _LOG,
        settings={"SLUICE_STORAGE_DIR": str(folder / "files"), **_LIVELY},
    )


@contextlib.asynccontextmanager
async def _patience(plan: Plan) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_SECONDS):
            yield
    except TimeoutError:
        raise SluiceError(
            f"the demo was not done within {_SECONDS} s. The log ends with {binaries.last_line(plan.data_dir / _LOG)}"
        ) from None


async def _show(
    console: Console, client: ApiClient, sample: Sample, folder: Path
) -> tuple[dict[str, Any], int]:
    """Sends one sample, shows what becomes of it; the job, and how many of its records are spoilt."""
    path, spoilt = await asyncio.to_thread(sample.make, folder)
    saved = await operations.create_schema(client, sample.schema)
    _rule(console)
    job = await submit.follow(console, client, path.name, submit.submitting(client, path, saved["id"]))
    report.summary(console, job, await jobs.first_errors(client, job["id"]))
    return job, spoilt


async def _fix(
    console: Console, client: ApiClient, job: dict[str, Any], spoilt: int, folder: Path
) -> list[str | None]:
    """Gets the rejected rows of a job back, puts them right and sends only them; what is wrong with that, if anything."""
    _rule(console)
    saved = await downloads.save(client, await operations.downloads(client, job["id"]), folder / "rejected")
    if saved.rejected is None:
        return [f"{job['filename']}: there are no rejected rows to fix"]
    report.plain(console, f"{saved.rejected.name}: the rejected rows of {job['filename']}, as they were sent")
    fixed = folder / "orders.fixed.csv"
    rows = await asyncio.to_thread(samples.correct, saved.rejected, fixed)
    report.plain(console, f"{fixed.name}: the same {rows:,} rows, corrected. Only they go in again …")
    retry = await submit.follow(console, client, fixed.name, submit.retrying(client, job["id"], fixed))
    report.summary(console, retry, [])
    left = (await operations.job(client, job["id"]))["outstanding"]
    report.plain(console, f"{job['filename']}  outstanding: {int(job['outstanding']):,} before, {left} now")
    wrong = None if left == "0" else f"{job['filename']}: {left} records are still outstanding"
    return [_fault(retry, spoilt, 0), wrong]


def _rule(console: Console) -> None:
    console.rule(style="dim") if console.is_terminal else console.print()


def _fault(job: dict[str, Any], records: int, spoilt: int) -> str | None:
    """What is wrong with how a job has ended, if anything."""
    expected = {"recordsRead": records, "recordsAccepted": records - spoilt, "recordsRejected": spoilt}
    counts = {name: int(job["progress"][name]) for name in expected}
    if job["status"] == "COMPLETED" and counts == expected:
        return None
    return f"{job['filename']}: {job['status']} with {counts}, not COMPLETED with {expected}"


def _say_goodbye(console: Console, faults: list[str]) -> None:
    console.print()
    for fault in faults:
        report.plain(console, f"WRONG: {fault}")
    if faults:
        return
    report.plain(console, f"All {len(SAMPLES) * RECORDS:,} records are accounted for: loaded, or explained.")
    report.plain(console, "")
    page = " with a page for your browser" if dashboard_page.is_built() else ""
    report.plain(
        console,
        f"Next: `make serve` stays up{page}, and README.md has a five-minute tour with curl and Python.",
    )
