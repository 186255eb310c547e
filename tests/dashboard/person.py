"""A person at the dashboard, who finds things as assistive technology does: by role and name, by label, by text."""

import asyncio
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from tests.browser.chromium import Page

FILE = "Choose a file"
"""The label under which a file is chosen to be sent."""
GONE = "net::ERR_"
"""What Chromium says of a request that found no server."""


def named(pattern: str) -> dict[str, str]:
    """A name by regular expression; a plain text finds every name that it is a part of."""
    return {"regex": pattern}


@dataclass
class Person:
    """Somebody with a page open."""

    page: Page
    url: str
    """Of the server."""
    expected: list[str] = field(default_factory=list)
    """Patterns of what the page's console may say in this test, because the test does what is to be complained of."""
    place: list[list[Any]] = field(default_factory=list)
    """Where things are looked for: playwright's calls; left out: in all of the page."""

    def inside(self, role: str, name: str | dict[str, str]) -> Self:
        """The same person, who looks at one part of the page alone."""
        return replace(self, place=[*self._found(role, name), ["first"]])

    async def sign_in(self, key: str) -> None:
        """Types the key; what comes of it is not waited for."""
        await self.fill("API key", key)
        await self.click("button", "Sign in")

    async def go(self, address: str) -> None:
        """Follows an address of the page, `#/schemas`."""
        await self.page.call(["goto", f"{self.url}/{address}"])

    async def click(self, role: str, name: str | dict[str, str]) -> None:
        """Clicks what assistive technology calls so."""
        await self.page.call(*self._found(role, name), ["first"], ["click"])

    async def turns(self, pages: str) -> None:
        """Goes to the next page of a list."""
        await self.inside("navigation", f"Pages of {pages}").click("button", "Next")

    async def fill(self, label: str | dict[str, str], text: str) -> None:
        """Types over what stands in a field."""
        await self.page.call(*self.place, ["getByLabel", label], ["first"], ["fill", text])

    async def choose(self, label: str | dict[str, str], option: str) -> None:
        """Chooses from a list, by the text of the option."""
        await self.page.call(
            *self.place, ["getByLabel", label], ["first"], ["selectOption", {"label": option}]
        )

    async def give(self, path: Path, label: str | dict[str, str] = FILE) -> None:
        """Chooses a file."""
        await self.page.call(*self.place, ["getByLabel", label], ["first"], ["setInputFiles", str(path)])

    async def drop(self, path: Path, label: str = FILE) -> None:
        """Drops a file onto the place that is labelled so."""
        await self.script(
            f"({_DROP})({json.dumps(label)}, {json.dumps(path.name)}, {json.dumps(path.read_text())})"
        )

    async def sees(self, role: str, name: str | dict[str, str], seconds: float = 15) -> None:
        """Waits until it is there."""
        await self.page.call(*self._found(role, name), ["first"], ["waitFor", {"timeout": 1000 * seconds}])

    async def misses(self, role: str, name: str | dict[str, str], seconds: float = 15) -> None:
        """Waits until it is not there, or no longer."""
        hidden = {"state": "hidden", "timeout": 1000 * seconds}
        await self.page.call(*self._found(role, name), ["first"], ["waitFor", hidden])

    async def counts(self, role: str, name: str | dict[str, str]) -> int:
        """How many of them there are now."""
        return int(await self.page.call(*self._found(role, name), ["count"]))

    async def reads(
        self, pattern: str, role: str = "main", name: str | dict[str, str] = "", seconds: float = 15
    ) -> re.Match[str]:
        """Waits until a text is there, in what has that role and name."""
        text = ""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            text = "\n".join(await self.page.call(*self._found(role, name), ["allInnerTexts"]))
            if found := re.search(pattern, text.replace("\N{NO-BREAK SPACE}", " "), re.DOTALL):
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"{pattern!r} never appeared in {role} {name}; there is: {text}")

    async def value(self, role: str, name: str | dict[str, str]) -> str:
        """What is typed or chosen in a field."""
        return str(await self.page.call(*self._found(role, name), ["first"], ["inputValue"]))

    async def hears(self, pattern: str, seconds: float = 15) -> None:
        """Waits until a live region says it."""
        status = ["getByRole", "status"], ["filter", {"hasText": named(pattern)}]
        await self.page.call(
            *status, ["first"], ["waitFor", {"state": "attached", "timeout": 1000 * seconds}]
        )

    async def press(self, key: str) -> None:
        """Presses a key, wherever the focus is."""
        await self.page.call(["keyboard"], ["press", key])

    async def script(self, expression: str) -> Any:
        """What a script in the page gives."""
        return await self.page.call(["evaluate", expression])

    def assert_undisturbed(self) -> None:
        """The page has talked to its own server alone, and complained of nothing that the test does not expect."""
        own = re.escape(self.url).replace("http", "(http|ws|blob:http)", 1)
        assert self.page.requests
        assert [] == [url for url in self.page.requests if not re.match(f"{own}/", url)]
        assert [] == [said for said in self.page.errors if not any(re.search(p, said) for p in self.expected)]

    def _found(self, role: str, name: str | dict[str, str]) -> list[list[Any]]:
        return [*self.place, ["getByRole", role, {"name": name} if name else {}]]


_DROP = """(label, name, text) => {
    const element = [...document.querySelectorAll("label")].find((one) => one.textContent === label);
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name));
    for (const type of ["dragenter", "dragover", "drop"]) {
        element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
}"""
