"""What keeps people out of a page: barriers that axe-core finds, and a page that is wider than the screen."""

import json
from functools import cache
from typing import Any

from tests.browser.chromium import FOLDER
from tests.dashboard.person import Person

_RUN = """axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(
    violations.map(({ id, help, nodes }) => [id, help, nodes.slice(0, 3).map(({ html, failureSummary }) => [html, failureSummary])])
))"""
# A table may be wider than the screen: it scrolls in its frame.
_WIDER = """document.documentElement.scrollWidth > document.documentElement.clientWidth
    ? [...document.body.querySelectorAll("*")]
        .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !one.closest(".table-frame, pre"))
        .map((one) => one.outerHTML.slice(0, 120)).slice(0, 5).concat("")
    : []"""


@cache
def _axe() -> str:
    return (FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def barriers(person: Person) -> list[Any]:
    """What axe-core has to say of the page as it is now."""
    if not await person.script("'axe' in window"):
        await person.script(_axe())
    found: list[Any] = json.loads(await person.script(_RUN))
    return found


async def wider_than_the_screen(person: Person) -> list[str]:
    """Elements because of which the whole page scrolls sideways."""
    found: list[str] = await person.script(_WIDER)
    return found
