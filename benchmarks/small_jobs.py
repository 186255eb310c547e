"""How soon small jobs are done: alone, two hundred at once, and beside as many big ones as there are worker slots.

`python -m benchmarks.small_jobs` prints the figures. Workers are real processes; the clock is the database's, which
runs on this machine.
"""

import asyncio
import contextlib
import os
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.figures import Figures
from benchmarks.load import completed
from sluice import embedded
from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.faults.jobs import uuid_of
from tests.stack import Stack, create_schema, running, submit

RECORDS = 10
PARTNERS = 4
WANTED_ALONE = "p50 below 150 ms, p99 below 500 ms"
WANTED_AT_ONCE = "partners take turns"
WANTED_BESIDE_BIG = "starts within 1 s"


@dataclass(frozen=True)
class SmallJobs:
    """All times in milliseconds."""

    alone_p50: float
    alone_p99: float
    """From the answer of submitFile to COMPLETED, one job after the other."""
    at_once_seconds: float
    """In which all of `at_once` jobs were done."""
    at_once: int
    at_once_order: str
    """Whose jobs were finished, a letter for each partner, in that order; A's were all submitted first, then B's."""
    at_once_lead: int
    """By how many finished jobs one partner was ever ahead of another whose jobs still waited."""
    beside_big_p50: float
    beside_big_worst: float
    """From submission to start of a small job while all worker slots are taken by another partner's big ones."""
    beside_big_done_p50: float
    """The same, until it is COMPLETED."""


async def measure(
    services: Services, folder: Path, *, workers: int = 2, alone: int = 200, at_once: int = 200,
    big_records: int = 1_000_000, beside: int = 30,
) -> SmallJobs:  # fmt: skip
    """Measures it all on a stack of its own."""
    small, _ = data.write(folder, "csv", RECORDS, 0.0)
    small = small.rename(folder / "small.csv")
    big, _ = data.write(folder, "csv", big_records, 0.02)
    async with (
        running(
            services, folder, workers=workers, lease_seconds="30", progress_interval_seconds="2"
        ) as stack,
        _partners(stack) as partners,
    ):
        times = await _alone(stack, *partners[0], small, alone)
        seconds, order = await _at_once(stack, partners, small, at_once)
        starts, ends = await _beside_big(stack, partners, big, small, workers, beside)
    return SmallJobs(
        alone_p50=statistics.median(times),
        alone_p99=statistics.quantiles(times, n=100)[98],
        at_once_seconds=seconds,
        at_once=at_once,
        at_once_order=order,
        at_once_lead=_lead(order),
        beside_big_p50=statistics.median(starts),
        beside_big_worst=max(starts),
        beside_big_done_p50=statistics.median(ends),
    )


async def report(services: Services, folder: Path, figures: Figures) -> None:
    """A row for each situation."""
    found = await measure(services, folder)
    figures.note(
        f"small job ({RECORDS} records) alone, from answer to COMPLETED",
        f"p50 {found.alone_p50:.0f} ms, p99 {found.alone_p99:.0f} ms",
        WANTED_ALONE,
    )
    figures.note(
        f"{found.at_once} small jobs of {PARTNERS} partners at once, 2 workers",
        f"{found.at_once_seconds:.1f} s; no partner more than {found.at_once_lead} jobs ahead",
        WANTED_AT_ONCE,
    )
    figures.note(
        "small job beside big ones of another partner in every slot",
        f"starts after {found.beside_big_p50:.0f} ms (p50), {found.beside_big_worst:.0f} ms at worst;"
        f" COMPLETED after {found.beside_big_done_p50:.0f} ms",
        WANTED_BESIDE_BIG,
    )


@contextlib.asynccontextmanager
async def _partners(stack: Stack) -> AsyncIterator[list[tuple[ApiClient, str]]]:
    """Clients of as many partners, and a schema of each."""
    async with contextlib.AsyncExitStack() as exits:
        clients = [await exits.enter_async_context(await stack.partner(f"P{n}")) for n in range(PARTNERS)]
        yield [(client, await create_schema(client, fields=data.FIELDS)) for client in clients]


async def _alone(stack: Stack, client: ApiClient, schema_id: str, path: Path, count: int) -> list[float]:
    await completed(stack, await submit(client, schema_id, path))  # everybody awake
    times = []
    for _ in range(count):
        job_id = await submit(client, schema_id, path)
        answered = time.time()
        row = await completed(stack, job_id)
        times.append((row["finished_at"].timestamp() - answered) * 1_000)
    return times


async def _at_once(
    stack: Stack, partners: list[tuple[ApiClient, str]], path: Path, count: int
) -> tuple[float, str]:
    _signal_workers(stack, signal.SIGSTOP)  # they see all jobs at the same moment
    owners = {}
    for letter, (client, schema_id) in zip("ABCD", partners, strict=True):
        for _ in range(count // len(partners)):
            owners[uuid_of(await submit(client, schema_id, path))] = letter
    began = time.monotonic()
    _signal_workers(stack, signal.SIGCONT)
    while await stack.query("SELECT FROM job WHERE finished_at IS NULL LIMIT 1"):
        await asyncio.sleep(0.05)
    seconds = time.monotonic() - began
    rows = await stack.query("SELECT id FROM job WHERE id = ANY($1) ORDER BY finished_at", list(owners))
    return seconds, "".join(owners[row["id"]] for row in rows)


def _signal_workers(stack: Stack, number: signal.Signals) -> None:
    for worker in stack.processes[1:]:
        os.kill(worker.pid, number)


def _lead(order: str) -> int:
    """The greatest difference between two partners of whom neither is done."""
    total, done, lead = Counter(order), Counter(dict.fromkeys(order, 0)), 0
    for letter in order:
        waiting = [done[other] for other in total if done[other] < total[other]]
        lead = max(lead, max(waiting) - min(waiting))
        done[letter] += 1
    return lead


async def _beside_big(
    stack: Stack, partners: list[tuple[ApiClient, str]], big: Path, small: Path, slots: int, count: int
) -> tuple[list[float], list[float]]:
    """Milliseconds to the start and to the end of each small job that found all slots taken."""
    (owner, owner_schema), (other, other_schema), *_ = partners
    hogs = [uuid_of(await submit(owner, owner_schema, big)) for _ in range(slots)]
    await _until_running(stack, hogs)
    starts, ends = [], []
    for _ in range(count):
        job_id = await submit(other, other_schema, small)
        if not await _all_running(stack, hogs):
            break
        row = await completed(stack, job_id)
        starts.append((row["started_at"] - row["created_at"]).total_seconds() * 1_000)
        ends.append((row["finished_at"] - row["created_at"]).total_seconds() * 1_000)
    return starts, ends


async def _until_running(stack: Stack, hogs: list[Any]) -> None:
    while not await _all_running(stack, hogs):
        await asyncio.sleep(0.02)


async def _all_running(stack: Stack, hogs: list[Any]) -> bool:
    [row] = await stack.query(
        "SELECT bool_and(status = 'PROCESSING') AS all FROM job WHERE id = ANY($1)", hogs
    )
    return bool(row["all"])


async def main() -> None:
    """Prints every figure."""
    with tempfile.TemporaryDirectory(prefix="sluice-small-jobs-") as name:
        folder = Path(name)
        async with embedded.services(folder) as services:
            os.environ |= services.environment
            for what, figure in asdict(await measure(services, folder)).items():
                print(f"{what:20} {figure:,.1f}" if isinstance(figure, float) else f"{what:20} {figure}")


if __name__ == "__main__":
    asyncio.run(main())
