"""Pages in headless Chromium, as a person would use them. browser.mjs beside this file does it, with playwright-core."""

import asyncio
import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_NUMBERS = count(1)
# An editor's lines stand in the page in any order, and only those that can be seen.
_READ = """((selector) => {
    const element = document.querySelector(selector);
    const lines = [...(element?.querySelectorAll(".view-line") ?? [])].sort((one, other) => one.offsetTop - other.offsetTop);
    return lines.length ? lines.map((line) => line.textContent).join("\\n") : (element?.innerText ?? "");
})"""
_PASTE = """((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(event);
})"""


def missing() -> str | None:
    """Why there can be no browser here; None when there can. Installs what drives it."""
    if not any(map(shutil.which, _NAMES)):
        return "no Chromium here (Debian: apt-get install chromium)"
    if not (shutil.which("node") and shutil.which("npm")):
        return "no node and npm here, which drive Chromium"
    lock = FOLDER / "package-lock.json"
    with lock.open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)  # several processes run tests
        done = FOLDER / "node_modules" / ".package-lock.json"
        if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
            return None
        installed = subprocess.run(["npm", "ci"], cwd=FOLDER, capture_output=True, text=True)
    return (
        f"npm could not install what drives Chromium: {installed.stderr[:300]}"
        if installed.returncode
        else None
    )


@dataclass
class Page:
    """A page, and what it has asked the network for, complained of and downloaded since it was opened."""

    process: asyncio.subprocess.Process
    number: int = field(default_factory=lambda: next(_NUMBERS))
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What it said on its console, threw, or opened a window of the browser for."""
    downloads: list[tuple[str, Path]] = field(default_factory=list)
    """Under which name it wants to be saved, and where it lies."""

    @classmethod
    async def open(cls, process: asyncio.subprocess.Process, url: str, **options: Any) -> Self:
        """As in a browser where nothing is stored; pages that were open before are gone.

        `options` are playwright's, of a context: colorScheme, viewport, locale, ...
        """
        page = cls(process)
        await page._ask({"open": url, "as": options})
        return page

    async def beside(self, url: str) -> Self:
        """Another tab of the same browser."""
        page = type(self)(self.process)
        await page._ask({"open": url, "beside": self.number})
        return page

    async def call(self, *calls: list[Any]) -> Any:
        """Calls playwright's methods one after the other, the first of them the page's; the last one's value."""
        return await self._ask({"calls": calls})

    async def downloaded(self, seconds: float = 15) -> tuple[str, bytes]:
        """Waits for a download: its name, and what is in it."""
        async with asyncio.timeout(seconds):
            while not self.downloads:
                await asyncio.sleep(0.05)
                await self.call(["title"])
        name, path = self.downloads.pop(0)
        return name, Path(path).read_bytes()

    async def _ask(self, question: dict[str, object]) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"page": self.number} | question).encode() + b"\n")
        line = await self.process.stdout.readline()
        assert line, "the browser has ended"
        answer = json.loads(line)
        self.requests += answer.get("requests", [])
        self.errors += answer.get("errors", [])
        self.downloads += answer.get("downloads", [])
        assert "failure" not in answer, f"{answer['failure']}\nsaid by the page: {self.errors}"
        return answer.get("value")

    async def click(self, role: str, name: str) -> None:
        """Clicks what assistive technology calls so."""
        await self.call(["getByRole", role, {"name": name}], ["first"], ["click"])

    async def paste_over(self, selector: str, text: str) -> None:
        """Puts text in the place of all that stands in an editor (which closes brackets while somebody types)."""
        await self.call(["locator", f"{selector} .view-lines"], ["first"], ["click"])
        await self.call(["keyboard"], ["press", "Control+A"])
        await self.call(["evaluate", f"{_PASTE}({json.dumps(text)})"])

    async def shown(self, selector: str, pattern: str, seconds: float = 15) -> re.Match[str]:
        """Waits until the text there matches."""
        text = ""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            text = await self.call(["evaluate", f"{_READ}({json.dumps(selector)})"])
            if found := re.search(pattern, text.replace("\N{NO-BREAK SPACE}", " "), re.DOTALL):
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"{pattern!r} never appeared in {selector}; there is: {text}")


@asynccontextmanager
async def chromium() -> AsyncIterator[asyncio.subprocess.Process]:
    """The process that has a browser, for Page.open."""
    executable = next(path for name in _NAMES if (path := shutil.which(name)))
    process = await asyncio.create_subprocess_exec(
        "node", "browser.mjs", executable,
        cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
