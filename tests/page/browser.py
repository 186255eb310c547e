"""A page in headless Chromium, as a person would use it. browser.mjs beside this file does it, with playwright-core."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# An editor's lines stand in the page in any order, and only those that can be seen.
_READ = """((selector) => {
    const element = document.querySelector(selector);
    const lines = [...element.querySelectorAll(".view-line")].sort((one, other) => one.offsetTop - other.offsetTop);
    return lines.length ? lines.map((line) => line.textContent).join("\\n") : element.innerText;
})"""


def missing() -> str | None:
    """Why there can be no browser here; None when there can. Installs what drives it."""
    if not any(map(shutil.which, _NAMES)):
        return "no Chromium here (Debian: apt-get install chromium)"
    if not (shutil.which("node") and shutil.which("npm")):
        return "no node and npm here, which drive Chromium"
    if not (FOLDER / "node_modules" / "playwright-core").is_dir():
        installed = subprocess.run(["npm", "ci"], cwd=FOLDER, capture_output=True, text=True)
        if installed.returncode:
            return f"npm could not install playwright-core: {installed.stderr[-500:]}"
    return None


@dataclass
class Browser:
    """One page, and what it has asked the network for and complained of since it was opened."""

    process: asyncio.subprocess.Process
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def call(self, *calls: list[Any]) -> Any:
        """Calls playwright's methods one after the other, the first of them the page's; the last one's value."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(calls).encode() + b"\n")
        line = await self.process.stdout.readline()
        assert line, "the browser has ended"
        answer = json.loads(line)
        self.requests += answer["requests"]
        self.errors += answer["errors"]
        assert "failure" not in answer, f"{answer['failure']}\nsaid by the page: {self.errors}"
        return answer.get("value")

    async def click(self, role: str, name: str) -> None:
        """Clicks what assistive technology calls so."""
        await self.call(["getByRole", role, {"name": name}], ["first"], ["click"])

    async def type_over(self, selector: str, text: str) -> None:
        """Puts text in the place of all that stands in an editor."""
        await self.call(["locator", f"{selector} .view-lines"], ["first"], ["click"])
        await self.call(["keyboard"], ["press", "Control+A"])
        await self.call(["keyboard"], ["insertText", text])

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
async def opened(url: str) -> AsyncIterator[Browser]:
    """A browser of its own, with nothing stored, that has opened the page."""
    executable = next(path for name in _NAMES if (path := shutil.which(name)))
    process = await asyncio.create_subprocess_exec(
        "node", "browser.mjs", executable,
        cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    try:
        browser = Browser(process)
        await browser.call(["goto", url])
        yield browser
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
