"""Trying a file before it is loaded, and undoing what was."""

from pathlib import Path

import pytest

from sluice.client import ApiClient
from tests import samples
from tests.dashboard import orders
from tests.dashboard.person import Person, named
from tests.stack import create_schema

REJECTED = len(orders.REJECTED)
ACCEPTED = orders.RECORDS - REJECTED


@pytest.fixture(autouse=True)
async def schema(partner: ApiClient) -> str:
    """The id of the partner's only schema."""
    return await create_schema(partner, name="orders", fields=samples.FIELDS)


async def loaded(client: ApiClient) -> list[int]:
    """How many records each of the partner's jobs has loaded, the newest job first."""
    answer = await client.execute("{ jobs { nodes { records(first: 1) { totalCount } } } }")
    return [int(job["records"]["totalCount"]) for job in answer["jobs"]["nodes"]]


async def test_a_dry_run_loads_nothing_until_it_is_told_to(
    person: Person, partner: ApiClient, tmp_path: Path
) -> None:
    """And then loads the same file, without its being sent again."""
    await person.give(orders.write(tmp_path / "orders.csv"))
    await person.click("checkbox", named("^Dry run$"))
    await person.misses("checkbox", named("^All or nothing"))
    await person.click("button", "Check the file")

    await person.reads("Dry run: nothing is loaded.*Load it as it is", seconds=30)
    await person.reads(f"Accepted\\s+{ACCEPTED:,}\\s+Rejected\\s+{REJECTED:,}")
    await person.reads("A dry run loads none", "region", "Loaded records")
    await person.sees("button", named("^email Invalid email 400 "))
    assert [0] == await loaded(partner)

    await person.click("button", "Load the file")

    await person.reads("It loads the file of a dry run: orders.csv")
    await person.reads(f"Outstanding\\s+{REJECTED:,}", seconds=30)
    assert [ACCEPTED, 0] == await loaded(partner)
    await person.click("link", "orders.csv")
    await person.reads("The file was loaded afterwards: see orders.csv")
    await person.misses("button", "Load the file")

    await person.click("link", named("^Files$"))
    await person.reads(f"orders.csv\\s+Done\\s+{ACCEPTED:,}\\s+{REJECTED:,}", "table")
    await person.click("checkbox", "Dry runs only")
    await person.reads(f"orders.csv\\s*Dry run\\s+Done\\s+{ACCEPTED:,}\\s+{REJECTED:,}", "table")


async def test_what_was_loaded_is_deleted_after_a_question_that_names_it(
    person: Person, partner: ApiClient, tmp_path: Path
) -> None:
    """Who does not mean it goes back, and nothing has happened."""
    await person.give(orders.write(tmp_path / "orders.csv"))
    await person.click("button", "Send the file")
    await person.reads("Outstanding", seconds=30)

    await person.click("button", "Delete the loaded records")
    await person.reads(
        f"{ACCEPTED:,} records that “orders.csv” loaded under the schema “orders” are deleted", "dialog"
    )
    await person.click("button", "No, go back")
    await person.misses("dialog", "")
    assert [ACCEPTED] == await loaded(partner)

    await person.click("button", "Delete the loaded records")
    await person.press("Escape")
    await person.misses("dialog", "")
    assert "Delete the loaded records…" == await person.script("document.activeElement.textContent")

    await person.click("button", "Delete the loaded records")
    await person.click("button", "Delete them")

    await person.reads(f"{ACCEPTED:,} records of this file are deleted again", "region", "Undo", seconds=30)
    await person.reads("They were deleted again", "region", "Loaded records")
    await person.misses("dialog", "")
    assert [0] == await loaded(partner)
