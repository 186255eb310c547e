"""Somebody who types commands, far from the server: there is its address and a key, and nothing else."""

import asyncio
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import samples
from tests.sluice.processes import ROOT, environment
from tests.stack import Stack, create_schema

SECONDS = 60


@dataclass
class Typed:
    """A partner at a shell."""

    stack: Stack
    key: str
    schema_id: str
    url: str

    def command(self, *arguments: str) -> list[str]:
        """What the shell starts."""
        return [sys.executable, "-m", "sluice", *arguments, "--url", self.url]

    @property
    def environment(self) -> dict[str, str]:
        """The key, and an empty folder where the server's would be."""
        nowhere = self.stack.folder / "nowhere"
        return environment(nowhere, SLUICE_API_KEY=self.key, COLUMNS="", TERM="xterm-256color")

    async def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, piped."""
        return await asyncio.to_thread(
            subprocess.run,
            self.command(*arguments),
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command, piped."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    async def submit(self, file: Path, *more: str) -> str:
        """The id of a job."""
        done = await self.run("submit", str(file), "--schema", self.schema_id, *more)
        assert 0 == done.returncode, done.stderr
        return done.stdout.strip()

    async def job(self, job_id: str) -> dict[str, Any]:
        """What `sluice job --json` says of it."""
        done = await self.run("job", job_id, "--json")
        assert 0 == done.returncode, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


async def typed_at(stack: Stack) -> Typed:
    """A new partner of a stack, with the schema of the samples."""
    async with await stack.partner() as client:
        schema_id = await create_schema(client, fields=samples.FIELDS)
        return Typed(stack, client._headers["X-API-Key"], schema_id, stack.url)


@dataclass
class Terminal:
    """A command on a pseudo-terminal."""

    process: subprocess.Popen[bytes]
    controller: int
    shown: bytes = b""

    def read(self, until: str | None = None) -> str:
        """All that it has shown, control sequences and all, once `until` is there or the command has ended."""
        while until is None or until not in self.shown.decode(errors="replace"):
            try:
                self.shown += os.read(self.controller, 65_536)
            except OSError:  # how Linux says that nobody holds the other end any more
                os.close(self.controller)
                break
        return self.shown.decode(errors="replace")


def on_terminal(typed: Typed, *arguments: str, columns: int = 120, stdout: int | None = None) -> Terminal:
    """Starts a command whose stderr, and stdout unless it goes elsewhere, is a terminal."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        typed.command(*arguments),
        cwd=ROOT, env=typed.environment, stdin=terminal, stdout=stdout or terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    return Terminal(process, controller)
