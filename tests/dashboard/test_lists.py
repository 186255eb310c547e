"""The list of files: its pages, and what stays of it when nobody answers."""

from pathlib import Path

import pytest

from sluice.client import ApiClient
from tests import samples
from tests.dashboard.person import Person
from tests.stack import create_schema, submit

PAGE = 20
PAGES = "Pages of files"
OFFLINE = "ERR_INTERNET_DISCONNECTED"
"""What Chromium says of a request that it does not even try."""


@pytest.fixture
async def reader(partner: ApiClient, person: Person, tmp_path: Path) -> Person:
    """Somebody whose files are on two pages."""
    schema = await create_schema(partner, name="orders", fields=samples.FIELDS)
    path = samples.write(tmp_path / "orders.csv", 10)
    for _ in range(PAGE + 1):
        await submit(partner, schema, path)
    await person.page.call(["reload"])
    await person.sees("navigation", PAGES)
    return person


async def test_the_ends_of_a_list_keep_the_focus(reader: Person) -> None:
    """Who leads through it by keyboard goes on from there; where one is, is heard."""
    await reader.inside("navigation", PAGES).click("button", "Next")

    await reader.reads("Page 2", "navigation", PAGES)
    await reader.reads("Next", "button", {"regex": "^Next$"})
    assert "Next" == await reader.script("document.activeElement.textContent")
    assert "Page 2" == await reader.script("document.querySelector('nav [aria-live]').textContent")
    await reader.press("Enter")
    await reader.reads("Page 2", "navigation", PAGES)

    await reader.inside("navigation", PAGES).click("button", "Previous")

    await reader.reads("Page 1", "navigation", PAGES)
    assert "Previous" == await reader.script("document.activeElement.textContent")


async def test_an_answer_that_does_not_come_takes_nothing_away(reader: Person) -> None:
    """It is said, what was there stays, and the answer comes later."""
    reader.expected.append(OFFLINE)
    rows = await reader.counts("row", "orders.csv")
    await reader.page.call(["context"], ["setOffline", True])

    await reader.choose("State", "Failed")

    await reader.reads("The server cannot be reached", "alert")
    assert PAGE == rows == await reader.counts("row", "orders.csv")

    await reader.page.call(["context"], ["setOffline", False])

    await reader.reads("Nothing fits these filters")
    await reader.misses("alert", "")


async def test_files_of_an_older_version_are_found(reader: Person, partner: ApiClient) -> None:
    """The filter begins with the newest version, of which there is no file yet."""
    await create_schema(partner, name="orders", fields=samples.FIELDS[:2])
    await reader.page.call(["reload"])
    await reader.sees("navigation", PAGES)

    files = reader.inside("region", "Files")
    await files.choose("Schema", "orders")
    await reader.reads("Nothing fits these filters")
    await files.choose("Version", "1")

    await reader.sees("navigation", PAGES)
    assert PAGE == await reader.counts("row", "orders.csv")


async def test_trials_of_schemas_are_not_listed_among_dry_runs(
    reader: Person, partner: ApiClient, tmp_path: Path
) -> None:
    """They are counted, so that nobody wonders at a short page."""
    trial = await create_schema(partner, name="Trial (made by the page)", fields=samples.FIELDS)
    await submit(partner, trial, samples.write(tmp_path / "sample.csv", 10), dryRun=True)

    await reader.click("checkbox", "Dry runs only")

    await reader.reads("1 trial of schemas that were being made is not listed")
    assert 0 == await reader.counts("row", "sample.csv")
