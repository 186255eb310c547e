"""Sending a file: what is said before it goes, while it goes, and when it does not arrive."""

import math
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.dashboard import orders
from tests.dashboard.conftest import visiting
from tests.dashboard.person import GONE, Person, named
from tests.faults.jobs import until
from tests.faults.proxy import Fate, Proxy, standing_before
from tests.graph.api import stored_files
from tests.stack import Stack, create_schema, running

LIMIT = 30 * 2**20
"""More than fits between browser and server: what is said to be sent has left for good, or nearly."""
SLOW = 10_000_000
"""Bytes a second: what is sent is on its way for seconds."""


@pytest.fixture(scope="module")
async def stack(
    browser: Process, services: Services, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One that takes no big files."""
    folder = tmp_path_factory.mktemp("send")
    async with running(services, folder, max_upload_bytes=str(LIMIT)) as stack:
        yield stack


@pytest.fixture
async def way(stack: Stack) -> AsyncIterator[Proxy]:
    """What lies between the browser and the server."""
    async with standing_before(stack.url) as way:
        yield way


@pytest.fixture
async def visitor(way: Proxy, stack: Stack, browser: Process) -> AsyncIterator[Person]:
    """Somebody who has come by that way."""
    async with visiting(way.url(stack.url), browser) as visitor:
        yield visitor


@pytest.fixture
async def schema(partner: ApiClient) -> str:
    """The id of the partner's only schema."""
    return await create_schema(partner, name="orders", fields=samples.FIELDS)


@pytest.fixture
async def sender(schema: str, person: Person) -> Person:
    """Somebody who has a schema."""
    await person.reads("orders \\(version 1\\)", "combobox", "Schema")
    return person


async def jobs(client: ApiClient) -> list[tuple[str, str]]:
    """Name and format of each file that has arrived, newest first."""
    answer = await client.execute("{ jobs { nodes { filename format } } }")
    return [(job["filename"], job["format"]) for job in answer["jobs"]["nodes"]]


async def arrived(client: ApiClient, name: str) -> bool:
    """Whether a file of that name is a job."""
    return name in dict(await jobs(client))


def padded(path: Path, size: int) -> Path:
    """A file with as many bytes."""
    line = b"1," + b"n" * 9_997 + b"\n"
    path.write_bytes((b"id,note\n" + line * (size // len(line) + 1))[:size])
    return path


async def cannot_send(person: Person) -> None:
    """The button is there, and does not work."""
    button = ["getByRole", "button", {"name": "Send the file", "disabled": True}]
    await person.page.call(button, ["waitFor"])


async def test_a_file_over_the_limit_is_told_by_how_much(
    sender: Person, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """Before any of it is sent."""
    await sender.give(padded(tmp_path / "big.csv", LIMIT + 1))

    await sender.reads("30 MB is the most that this server takes \\(1 byte too many\\)")
    await cannot_send(sender)

    await sender.give(padded(tmp_path / "fits.csv", LIMIT), named("Choose another file"))
    await sender.misses("alert", "")
    await sender.click("button", "Send the file")
    await sender.misses("heading", "Send a file")
    assert [("fits.csv", "CSV")] == await jobs(partner)


async def test_an_empty_file_is_told_to_be_empty(sender: Person, tmp_path: Path) -> None:
    """Before it is sent."""
    (tmp_path / "empty.csv").touch()

    await sender.give(tmp_path / "empty.csv")

    await sender.reads("This file is empty")
    await cannot_send(sender)


async def test_a_name_that_tells_no_format_is_asked_for_it(
    sender: Person, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """And then it is sent as that."""
    samples.write(tmp_path / "orders.csv", 10).rename(tmp_path / "orders.txt")
    await sender.give(tmp_path / "orders.txt")
    await sender.reads("Its name does not tell what it is")
    await cannot_send(sender)

    await sender.choose("Format", "CSV")
    await sender.click("button", "Send the file")

    await sender.misses("heading", "Send a file")
    assert [("orders.txt", "CSV")] == await jobs(partner)


async def test_a_file_can_be_dropped(
    sender: Person, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """As well as chosen."""
    await sender.drop(samples.write(tmp_path / "orders.json", 10))
    await sender.reads("orders.json")

    await sender.click("button", "Send the file")

    await sender.misses("heading", "Send a file")
    assert [("orders.json", "JSON")] == await jobs(partner)


async def test_offline_is_said_at_once_and_is_over_at_once(
    sender: Person, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """The file that was chosen is still there."""
    sender.expected.append(GONE)
    await sender.give(samples.write(tmp_path / "orders.csv", 10))

    await sender.page.call(["context"], ["setOffline", True])

    await sender.hears("You are offline")
    await sender.reads("The file can be sent once you are back")
    await cannot_send(sender)

    await sender.page.call(["context"], ["setOffline", False])

    await sender.click("button", "Send the file")
    await sender.misses("heading", "Send a file")
    assert [("orders.csv", "CSV")] == await jobs(partner)


async def test_what_is_stopped_half_way_leaves_nothing(
    sender: Person, way: Proxy, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """No job, and no bytes of it in the storage."""
    before = stored_files(stack.folder / "files")
    way.to_server.bytes_per_second = SLOW
    await sender.give(padded(tmp_path / "orders.csv", LIMIT))
    await sender.click("button", "Send the file")
    await sender.reads("MB of 30 MB sent, about \\d+ sec left")

    await sender.click("button", "Stop")

    await sender.reads("Stopped: nothing of it was kept")
    way.to_server.bytes_per_second = math.inf
    await sender.click("button", "Put away")
    await sender.misses("article", "Upload of orders.csv")

    async def is_clean() -> bool:
        return before == stored_files(stack.folder / "files")

    await until(is_clean)  # once the server has seen that the connection is gone
    assert [] == await jobs(partner)


async def test_a_connection_that_breaks_half_way_is_tried_again_as_the_same_file(
    sender: Person, way: Proxy, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """It becomes one job, however often."""
    sender.expected.append(GONE)
    way.to_server.bytes_per_second = SLOW
    await sender.give(padded(tmp_path / "orders.csv", LIMIT))
    await sender.click("button", "Send the file")
    await sender.reads("MB of 30 MB sent")

    await way.go_down()
    await sender.reads("This file was not taken.*The connection to the server broke off")
    await sender.hears("The connection to the server is lost")
    await way.go_up()
    way.to_server.bytes_per_second = math.inf
    await sender.click("button", "Try again")

    await sender.reads("It has arrived")
    await sender.click("link", "See what becomes of it")
    await sender.misses("heading", "Send a file")
    assert [("orders.csv", "CSV")] == await jobs(partner)


@pytest.fixture
async def sent(sender: Person, way: Proxy, stack: Stack, tmp_path: Path) -> AsyncIterator[Person]:
    """Somebody whose file has arrived, who does not know it yet; no worker takes it up."""
    worker = stack.processes[1]
    worker.send_signal(signal.SIGSTOP)
    way.to_client.silence()
    await sender.give(orders.write(tmp_path / "orders.csv", 10))
    await sender.click("button", "Send the file")
    await sender.reads("All is sent; the server is saving it")
    yield sender
    worker.send_signal(signal.SIGCONT)


async def test_what_is_stopped_when_all_of_it_was_sent_is_cancelled(
    sent: Person, way: Proxy, partner: ApiClient
) -> None:
    """It is a job by then."""
    await sent.click("button", "Stop")
    await sent.sees("button", "Stopping…")
    way.to_client.heal()

    await sent.reads("It had arrived whole, and is cancelled")
    answer = await partner.execute("{ jobs { nodes { status } } }")
    assert [{"status": "CANCELLED"}] == answer["jobs"]["nodes"]


async def test_whether_it_was_stopped_may_be_unknown(sent: Person, way: Proxy, partner: ApiClient) -> None:
    """Nobody is told that a file was not taken which may be a job: they are told where to look."""
    sent.expected.append(GONE)
    await until(lambda: arrived(partner, "orders.csv"))
    await sent.click("button", "Stop")
    await way.go_down()

    await sent.reads("broke off while it was being stopped.*cancel it there")
    assert 0 == await sent.counts("button", "Try again")
    await way.go_up()
    way.to_client.heal()
    await sent.reads("orders.csv\\s+Waiting")


async def test_an_answer_that_is_lost_makes_no_second_job(
    sender: Person, way: Proxy, partner: ApiClient, tmp_path: Path
) -> None:
    """The file has arrived, and nobody knows it here: trying again finds the job that it is."""
    sender.expected.append(GONE)
    way.to_client.judge = lambda piece: Fate.LOSE if b'"submitFile"' in piece else Fate.PASS
    await sender.give(orders.write(tmp_path / "orders.csv", 10))
    await sender.click("button", "Send the file")
    await sender.reads("This file was not taken.*it counts once, even if it did arrive")
    assert [("orders.csv", "CSV")] == await jobs(partner)

    way.to_client.judge = lambda piece: Fate.PASS
    await sender.click("button", "Try again")

    await sender.reads("It has arrived")
    assert [("orders.csv", "CSV")] == await jobs(partner)


async def test_a_file_goes_on_while_another_view_is_open(
    sender: Person, way: Proxy, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """It says on the way back that it has arrived; nobody is led away from what they read."""
    way.to_server.bytes_per_second = SLOW
    await sender.give(padded(tmp_path / "orders.csv", LIMIT))
    await sender.click("button", "Send the file")
    await sender.reads("of 30 MB sent")

    await sender.click("link", "Schemas")
    await until(lambda: arrived(partner, "orders.csv"))
    await sender.hears("orders.csv has arrived")
    await sender.sees("heading", "Schemas")
    await sender.click("link", "Files")

    await sender.reads("It has arrived")
    await sender.sees("link", "See what becomes of it")


async def test_whoever_has_chosen_the_next_file_is_not_led_away_from_it(
    sender: Person, way: Proxy, partner: ApiClient, tmp_path: Path
) -> None:
    """By the arrival of the one before."""
    way.to_server.bytes_per_second = SLOW
    await sender.give(padded(tmp_path / "orders.csv", LIMIT))
    await sender.click("button", "Send the file")
    await sender.reads("of 30 MB sent")
    await sender.give(samples.write(tmp_path / "next.csv", 10))

    await until(lambda: arrived(partner, "orders.csv"))

    await sender.reads("It has arrived")
    await sender.reads("next.csv")
    await sender.click("button", "Send the file")
    await sender.misses("heading", "Send a file")
    await sender.reads("next.csv")


async def test_the_schema_that_was_used_last_is_chosen(
    sender: Person, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """Next time, too, and in its newest version."""
    other = await create_schema(partner, name="invoices", fields=samples.FIELDS)
    await sender.page.call(["reload"])
    await sender.reads("invoices \\(version 1\\)", "combobox", "Schema")
    assert "" == await sender.value("combobox", "Schema")
    await sender.choose("Schema", "invoices (version 1)")
    await sender.give(samples.write(tmp_path / "orders.csv", 10))
    await sender.click("button", "Send the file")
    await sender.misses("heading", "Send a file")

    await sender.click("link", "Files")
    await sender.reads("invoices \\(version 1\\)", "combobox", "Schema")
    assert other == await sender.value("combobox", "Schema")

    newer = await create_schema(partner, name="invoices", fields=samples.FIELDS)
    await sender.page.call(["reload"])
    await sender.reads("invoices \\(version 2\\)", "combobox", "Schema")
    assert newer == await sender.value("combobox", "Schema")


async def test_a_choice_outlives_a_connection_that_was_lost(
    schema: str, person: Person, partner: ApiClient
) -> None:
    """The list of schemas is asked for anew then, and what was used last is not what was chosen now."""
    person.expected.append(GONE)
    await create_schema(partner, name="invoices", fields=samples.FIELDS)
    await person.page.call(["reload"])
    await person.choose("Schema", "orders (version 1)")

    await person.page.call(["context"], ["setOffline", True])
    await person.hears("You are offline")
    await create_schema(partner, name="payments", fields=samples.FIELDS)
    await person.page.call(["context"], ["setOffline", False])

    await person.reads("payments \\(version 1\\)", "combobox", "Schema")
    assert schema == await person.value("combobox", "Schema")
