"""A real Sluice, and client programs that are run against it."""

import asyncio
import json
import os
import signal
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack import Stack

RECORDS = 3_000
SECONDS = 60.0
"""For one program."""

Printed = dict[str, list[Any]]
"""What a program has shown: for each kind of line, its values in order."""


@dataclass(frozen=True)
class Sluice:
    """A running one, and what a client needs to use it."""

    stack: Stack
    key: str
    schema_id: str
    file: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the client programs read, with nobody's proxy, which would know no way to this very machine."""
        return os.environ | {
            "SLUICE_URL": f"{self.stack.url}/graphql",
            "SLUICE_API_KEY": self.key,
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    async def run(self, *command: str) -> list[str]:
        """The lines that a client program prints when it is given the schema's id and the file.

        The worker sleeps until the program has seen that its job waits: so it cancels a job before the end, and sees
        another one change, every time.
        """
        worker = self.stack.processes[1]
        worker.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(SECONDS):
                return await self._lines(command, worker)
        finally:
            worker.send_signal(signal.SIGCONT)

    async def _lines(self, command: tuple[str, ...], worker: subprocess.Popen[bytes]) -> list[str]:
        program = await asyncio.create_subprocess_exec(
            *command, self.schema_id, str(self.file),
            env=self.environment, limit=2**24,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        complaints = asyncio.create_task(program.stderr.read())
        lines = []
        try:
            async for line in program.stdout:
                lines.append(line.decode())
                if '"PENDING"' in lines[-1] and '"recordsRead"' in lines[-1]:
                    worker.send_signal(signal.SIGCONT)
            assert await program.wait() == 0, (await complaints).decode()
        finally:
            if program.returncode is None:
                program.kill()
        return lines


def printed(lines: list[str]) -> Printed:
    """The lines of a program, each of which is a JSON object with one key: what it shows."""
    found: Printed = defaultdict(list)
    for line in lines:
        [[kind, value]] = json.loads(line).items()
        found[kind].append(value)
    return found
