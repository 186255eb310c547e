"""Without a mouse: Tab, Space and Enter lead everywhere."""

import re
from pathlib import Path

import pytest

from sluice.client import ApiClient
from tests import samples
from tests.dashboard.conftest import key_of
from tests.dashboard.person import FILE, Person
from tests.stack import create_schema

FOCUSED = """(() => {
    const one = document.activeElement;
    const text = one.labels?.[0]?.textContent ?? one.getAttribute("aria-label") ?? one.textContent;
    const seen = getComputedStyle(one).outlineStyle !== "none" || one === document.body;
    return `${one.localName}: ${text}${seen ? "" : " (nothing shows the focus)"}`;
})()"""
MOST_STEPS = 60


@pytest.fixture(autouse=True)
async def schema(partner: ApiClient) -> str:
    """The id of the partner's only schema."""
    return await create_schema(partner, name="orders", fields=samples.FIELDS)


async def reach(person: Person, pattern: str) -> None:
    """Tab, until what is wanted has the focus; it is always seen where it is."""
    passed = []
    for _ in range(MOST_STEPS):
        await person.press("Tab")
        passed.append(str(await person.script(FOCUSED)))
        assert "nothing shows" not in passed[-1]
        if re.search(pattern, passed[-1]):
            return
    raise AssertionError(f"Tab never came to {pattern!r}: {passed}")


async def test_sending_and_undoing_by_keyboard_alone(
    visitor: Person, partner: ApiClient, tmp_path: Path
) -> None:
    """The key, a file (which the browser's own window chooses), a dry run, its commit, a question, the way back."""
    await visitor.page.call(["keyboard"], ["type", key_of(partner)])
    await visitor.press("Enter")
    await visitor.reads("orders \\(version 1\\)", "combobox", "Schema")

    await reach(visitor, f"input: {FILE}")
    await visitor.give(samples.write(tmp_path / "orders.csv", 1_000))
    await reach(visitor, "input: Dry run")
    await visitor.press("Space")
    await reach(visitor, "button: Check the file")
    await visitor.press("Enter")

    await visitor.reads("Load it as it is", seconds=30)
    await reach(visitor, "button: Load the file")
    await visitor.press("Enter")
    await visitor.reads("Outstanding\\s+20\\s", seconds=30)

    await reach(visitor, "button: currencyNot an allowed value|button: currency Not an allowed value")
    await visitor.press("Space")
    await visitor.sees("heading", "currency: Not an allowed value")
    await reach(visitor, "button: Show all errors")
    await visitor.press("Enter")
    assert "h3: All errors" in str(await visitor.script(FOCUSED))

    await reach(visitor, "button: Delete the loaded records")
    await visitor.press("Enter")
    await reach(visitor, "button: Delete them")
    await visitor.press("Enter")
    await visitor.reads("980 records of this file are deleted again", seconds=30)
    assert "body" != await visitor.script("document.activeElement.localName")


async def test_the_content_can_be_skipped_to(person: Person) -> None:
    """The first Tab offers it, and the address stays what it was."""
    await person.page.call(["reload"])
    await person.sees("heading", "Send a file")
    await reach(person, "a: Skip to the content")

    await person.press("Enter")

    assert "main" == await person.script("document.activeElement.id")
    await reach(person, f"input: {FILE}")
