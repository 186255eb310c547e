"""Watching a job that takes its time: it is cancelled, or what stands between it and the page fails."""

import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.dashboard.person import GONE, Person
from tests.faults.jobs import until
from tests.faults.own_redis import OwnRedis
from tests.stack import Stack, create_schema, end, running

RECORDS = 200_000
REJECTED = sum(map(samples.is_bad, range(RECORDS)))
ENDED = f"Records read\\s+{RECORDS:,}\\s+Accepted\\s+{RECORDS - REJECTED:,}\\s+Rejected\\s+{REJECTED:,}\\s+Outstanding"
LOST = "The connection to the server is lost"


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes a worker some seconds."""
    return samples.write(tmp_path_factory.mktemp("big") / "orders.csv", RECORDS)


@pytest.fixture(scope="module")
async def stack(
    browser: Process, redis: OwnRedis, services: Services, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One with a Redis of its own, and small batches."""
    folder = tmp_path_factory.mktemp("watch")
    async with running(replace(services, redis_url=redis.url), folder, batch_records="500") as stack:
        yield stack


@pytest.fixture
async def watcher(partner: ApiClient, person: Person, big: Path) -> Person:
    """Somebody who has just sent the big file."""
    await create_schema(partner, name="orders", fields=samples.FIELDS)
    await person.page.call(["reload"])
    await person.reads("orders \\(version 1\\)", "combobox", "Schema")
    await person.give(big)
    await person.click("button", "Send the file")
    return person


@pytest.fixture
def asleep(stack: Stack) -> Iterator[None]:
    """The worker takes nothing up."""
    worker = stack.processes[1]
    worker.send_signal(signal.SIGSTOP)
    yield
    worker.send_signal(signal.SIGCONT)


async def runs(watcher: Person) -> None:
    """Waits until some of it is loaded."""
    await watcher.reads("The file is being read.*Accepted\\s+[1-9].*Time left\\s+\\d", seconds=30)


async def test_a_job_moves_before_ones_eyes(watcher: Person) -> None:
    """Percent, counts and pace while it runs; a screen reader hears of it seldom, and of its end."""
    await runs(watcher)
    await watcher.sees("progressbar", "Read of the file")
    await watcher.reads("Rate\\s+[\\d,]+ records/s\\s+Time left\\s+\\d+ sec")
    await watcher.click("link", "Files")
    await watcher.reads("orders.csv\\s+Running", "table")
    await watcher.click("link", "orders.csv")

    await watcher.hears(
        "Every record has been decided. 200,000 records read: 196,000 accepted, 4,000 rejected", 60
    )
    await watcher.reads(ENDED)


async def test_a_job_that_waits_can_be_cancelled(asleep: None, watcher: Person) -> None:
    """Then nothing of it was loaded."""
    await watcher.reads("The file is safe and waits for its turn")

    await watcher.click("button", "Cancel")
    await watcher.reads("Nothing more of it is read. What it has loaded until then stays", "dialog")
    await watcher.click("button", "Cancel it")

    await watcher.reads("It was cancelled.*Records read\\s+0\\s")
    await watcher.misses("button", "Cancel")


async def test_a_job_that_runs_can_be_cancelled(watcher: Person, partner: ApiClient) -> None:
    """What the page says was loaded is what was."""
    await runs(watcher)

    await watcher.click("button", "Cancel")
    await watcher.click("button", "Cancel it")

    await watcher.misses("dialog", "")
    read, accepted = (
        int(number.replace(",", ""))
        for number in (
            await watcher.reads("It was cancelled.*Records read\\s+([\\d,]+)\\s+Accepted\\s+([\\d,]+)")
        ).groups()
    )
    assert 0 < accepted < read < RECORDS
    answer = await partner.execute("{ jobs { nodes { status records(first: 1) { totalCount } } } }")
    assert [{"status": "CANCELLED", "records": {"totalCount": str(accepted)}}] == answer["jobs"]["nodes"]
    assert "main" == await watcher.script("document.activeElement.id")


async def test_the_end_is_seen_without_redis(watcher: Person, redis: OwnRedis) -> None:
    """It is killed while the job runs; the page has nothing to complain of."""
    await runs(watcher)
    await redis.kill()
    try:
        await watcher.reads(ENDED, seconds=60)
        assert LOST not in str(await watcher.script("document.body.innerText"))
    finally:
        await redis.start()


async def test_an_api_that_is_away_is_said_and_nothing_is_lost(watcher: Person, stack: Stack) -> None:
    """The job ends meanwhile; the page says so as soon as it can."""
    watcher.expected.append(GONE)
    await runs(watcher)

    end(stack.processes[0])
    await watcher.hears(LOST)
    await until(lambda: ended(stack), 60)
    stack.processes[0] = stack.start("api")
    stack.processes.pop()

    await watcher.reads(ENDED, seconds=30)
    await until(lambda: silent(watcher))


async def test_an_api_that_does_not_answer_is_said_to_be_slow(person: Person, stack: Stack) -> None:
    """Stopped, not gone: the connections stand, and nothing comes over them."""
    await person.sees("heading", "Send a file")
    stack.processes[0].send_signal(signal.SIGSTOP)
    try:
        await person.go("#/schemas")
        await person.hears("takes long to answer")
    finally:
        stack.processes[0].send_signal(signal.SIGCONT)

    await person.sees("heading", "Schemas")
    await until(lambda: answers(person))


async def answers(person: Person) -> bool:
    """Whether the page no longer says that the server is slow."""
    return "takes long" not in str(await person.script("document.body.innerText"))


async def ended(stack: Stack) -> bool:
    """Whether no job is under way."""
    return not await stack.query("SELECT 1 FROM job WHERE status IN ('PENDING', 'PROCESSING')")


async def silent(watcher: Person) -> bool:
    """Whether the page no longer says that the connection is lost."""
    return not re.search(LOST, str(await watcher.script("document.body.innerText")))
