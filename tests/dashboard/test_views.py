"""Every view for everybody: no barrier that axe finds, nothing wider than a phone; light and dark, phone and wide screen.

With SLUICE_SCREENSHOTS=FOLDER each of them is a picture there, to be looked at.
"""

import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sluice.client import ApiClient
from tests import samples
from tests.dashboard import orders
from tests.dashboard.barriers import barriers, wider_than_the_screen
from tests.dashboard.conftest import key_of, new_partner, visiting
from tests.dashboard.person import GONE, Person
from tests.stack import Stack, create_schema, finished, submit

PHONE, WIDE, NARROWEST = 390, 1280, 320
HEIGHT = 900
SCHEMES = ("light", "dark")
RETRY = "mutation ($id: ID!) { retryJob(input: { jobId: $id }) { job { id } userErrors { message } } }"


@pytest.fixture(scope="module")
async def lived_in(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[ApiClient, dict[str, str]]]:
    """A partner who has worked with Sluice for a while, and the ids of their things."""
    folder = tmp_path_factory.mktemp("files")
    async with await new_partner(stack, "Acme") as client:
        schema = await create_schema(client, name="Orders", fields=samples.FIELDS)
        await create_schema(client, name="Invoices", fields=samples.FIELDS[:2])
        await create_schema(client, name="Orders", fields=samples.FIELDS)
        (folder / "broken.json").write_text('[{"id": 1}, {"id": ')
        done = await submit(client, schema, orders.write(folder / "orders-2026-11.csv"))
        tried = await submit(client, schema, samples.write(folder / "a try.xml", 500), dryRun=True)
        failed = await submit(client, schema, folder / "broken.json")
        for job in (done, tried, failed):
            await finished(client, job)
        retried = await client.execute(RETRY, {"id": done})
        await finished(client, retried["retryJob"]["job"]["id"])
        waiting = await _waiting(stack, client, schema, samples.write(folder / "orders-2026-12.ndjson", 100))
        yield client, {"schema": schema, "done": done, "tried": tried, "failed": failed, "waiting": waiting}


async def _waiting(stack: Stack, client: ApiClient, schema: str, path: Path) -> str:
    """A job that no worker takes up."""
    worker = stack.processes.pop()
    worker.terminate()
    worker.wait(10)
    return await submit(client, schema, path)


@pytest.fixture(scope="module")
async def inhabitant(
    lived_in: tuple[ApiClient, dict[str, str]], stack: Stack, browser: Process
) -> AsyncIterator[Person]:
    """That partner, who has signed in."""
    client, _ = lived_in
    async with visiting(stack.url, browser, viewport={"width": WIDE, "height": HEIGHT}) as person:
        await person.sign_in(key_of(client))
        await person.sees("heading", "Send a file")
        yield person


Way = Callable[[Person, Path], Awaitable[None]]


async def _nothing(person: Person, folder: Path) -> None:
    """The view as it opens."""


async def _a_file_is_chosen(person: Person, folder: Path) -> None:
    await person.give(orders.write(folder / "orders.csv", 100).rename(folder / "orders.txt"))
    await person.reads("Its name does not tell")


async def _a_bar_is_chosen(person: Person, folder: Path) -> None:
    await person.click("button", {"regex": "^amount"})
    await person.sees("button", "Show all errors")


async def _discard_is_asked(person: Person, folder: Path) -> None:
    await person.click("button", "Delete the loaded records")
    await person.sees("dialog", "Delete the loaded records")


async def _cancel_is_asked(person: Person, folder: Path) -> None:
    await person.click("button", "Cancel")
    await person.sees("dialog", "Cancel this file")


async def _a_sample_is_given(person: Person, folder: Path) -> None:
    await person.give(orders.write(folder / "orders.csv", 1_000))
    await person.reads("sample records would be accepted|Trying it")
    await person.click("button", "Add a field")
    for summary in ("How the file is written", "GraphQL and JSON"):
        await person.page.call(["getByText", summary], ["first"], ["click"])
    await person.page.call(["getByText", {"regex": "^Rules"}], ["first"], ["click"])


async def _a_rule_is_wrong(person: Person, folder: Path) -> None:
    await person.page.call(["getByText", {"regex": "^Rules"}], ["first"], ["click"])
    await person.fill("Pattern", "(")
    await person.click("button", "Save the schema")
    await person.reads("It is not saved|regular expression|pattern")


async def _the_server_is_away(person: Person, folder: Path) -> None:
    await person.page.call(["context"], ["setOffline", True])
    await person.hears("You are offline")


VIEWS: dict[str, tuple[str, str, Way]] = {
    "home": ("#/", "orders-2026-12.ndjson", _nothing),
    "home-file-chosen": ("#/", "orders-2026-12.ndjson", _a_file_is_chosen),
    "job-done": ("#/jobs/{done}", "Outstanding.*user0@", _nothing),
    "job-filtered": ("#/jobs/{done}", "Outstanding.*user0@", _a_bar_is_chosen),
    "job-discard-question": ("#/jobs/{done}", "Outstanding.*user0@", _discard_is_asked),
    "job-failed": ("#/jobs/{failed}", "could not be read to its end", _nothing),
    "job-dry-run": ("#/jobs/{tried}", "Load it as it is", _nothing),
    "job-waiting": ("#/jobs/{waiting}", "waits for its turn", _nothing),
    "job-cancel-question": ("#/jobs/{waiting}", "waits for its turn", _cancel_is_asked),
    "schemas": ("#/schemas", "Invoices", _nothing),
    "schema": ("#/schemas/{schema}", "Version 1", _nothing),
    "schema-start": ("#/schemas/new", "Begin with an empty form", _nothing),
    "schema-sample": ("#/schemas/new", "Begin with an empty form", _a_sample_is_given),
    "schema-next-version": ("#/schemas/new/{schema}", "Next version of", _nothing),
    "schema-refused": ("#/schemas/new/{schema}", "Next version of", _a_rule_is_wrong),
    "nothing-here": ("#/jobs/none", "There is nothing here", _nothing),
    "offline": ("#/", "orders-2026-12.ndjson", _the_server_is_away),
}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_first_sight_is_for_everybody(
    scheme: str, visitor: Person, partner: ApiClient, stack: Stack
) -> None:
    """Signing in, a key that is wrong, and what somebody sees who has nothing yet."""
    visitor.expected.append("status of 401")
    await in_colours(visitor, scheme)
    await visitor.page.call(["reload"])
    await assert_for_everybody(visitor, "sign-in", scheme)
    await visitor.sign_in("slc_none")
    await visitor.reads("not valid")
    await assert_for_everybody(visitor, "sign-in-refused", scheme)

    await visitor.sign_in(key_of(partner))
    await visitor.reads("Nothing was sent yet")
    await assert_for_everybody(visitor, "home-empty", scheme)
    await visitor.go("#/schemas")
    await visitor.reads("You have no schema yet")
    await assert_for_everybody(visitor, "schemas-empty", scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", VIEWS)
async def test_a_view_is_for_everybody(
    name: str, scheme: str, inhabitant: Person, lived_in: tuple[ApiClient, dict[str, str]], tmp_path: Path
) -> None:
    """Of somebody who has worked with it."""
    _, ids = lived_in
    address, text, way = VIEWS[name]
    inhabitant.expected[:] = [GONE, "^beforeunload", "^confirm: This schema is not saved"]
    await inhabitant.page.call(["context"], ["setOffline", False])
    await inhabitant.page.call(["goto", "about:blank"])
    await in_colours(inhabitant, scheme)
    await inhabitant.go(address.format(**ids))
    await inhabitant.reads(text, seconds=30)

    await way(inhabitant, tmp_path)

    await assert_for_everybody(inhabitant, name, scheme)


async def in_colours(person: Person, scheme: str) -> None:
    """Follows the system's choice. A page that is open already may keep a colour of before, in Chromium 140 at least."""
    await person.page.call(["emulateMedia", {"colorScheme": scheme, "reducedMotion": "reduce"}])


async def assert_for_everybody(person: Person, name: str, scheme: str) -> None:
    """In each width; the colours, which are the same in both, of dark in one of them."""
    for width in (WIDE, PHONE):
        await person.page.call(["setViewportSize", {"width": width, "height": HEIGHT}])
        await _pictured(person, f"{name}-{'phone' if width == PHONE else 'wide'}-{scheme}")
        if (width, scheme) != (PHONE, "dark"):
            assert [] == await barriers(person), (name, width, scheme)
    await person.page.call(["setViewportSize", {"width": NARROWEST, "height": HEIGHT}])
    assert [] == await wider_than_the_screen(person), name
    assert 1 == await person.page.call(
        ["getByRole", "heading", {"level": 1, "includeHidden": True}], ["count"]
    )


async def _pictured(person: Person, name: str) -> None:
    if folder := os.environ.get("SLUICE_SCREENSHOTS"):
        path = Path(folder) / f"{name}.png"
        await person.page.call(["screenshot", {"path": str(path), "fullPage": "question" not in name}])
