"""Keeps processes alive: one that dies is back within a second, later and later if it keeps dying."""

import asyncio
import contextlib
import logging
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from signal import Signals

from sluice import processes
from sluice.processes import Command
from sluice.run_files import RunFiles

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LAST_DELAY_SECONDS = 10.0
SETTLED_SECONDS = 10.0


def next_delay(delay: float, lived: float) -> float:
    """How long to wait before the next start, after a wait of `delay` and a life of `lived` seconds."""
    if lived >= SETTLED_SECONDS:
        return FIRST_DELAY_SECONDS
    return min(max(2 * delay, FIRST_DELAY_SECONDS), LAST_DELAY_SECONDS)


class Child:
    """A process that runs until `stop`, however often it dies. Its pid file holds the pid of the last start."""

    def __init__(self, command: Command, files: RunFiles) -> None:
        self.command = command
        self._files = files
        self.starts = 0
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._starting = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts it, writes its pid, and keeps it from now on. Raises OSError if it cannot be started at all."""
        await self._start_once()
        self._keeper = asyncio.create_task(self._keep(), name=f"keeps {self.command.name}")

    async def stop(self) -> None:
        """Ends it for good, in good order, and removes its pid file."""
        self._stopping.set()
        async with self._starting:  # a start under way is finished first, so that no process is missed
            if self._process:
                await processes.stop(self._process, self.command)
        if self._keeper:
            await self._keeper
        self._files.remove_pid(self.command.name)

    def kill(self) -> None:
        """Ends it at once; `stop`, under way or to come, sees it gone."""
        self._stopping.set()
        if self._process and self._process.returncode is None:
            processes.send(self._process, self.command.kill_signal)

    @property
    def has_ended(self) -> bool:
        """Whether it is dead at this moment."""
        return self._process is None or self._process.returncode is not None

    async def _start_once(self) -> None:
        async with self._starting:
            if not self._stopping.is_set():
                self._process = await processes.spawn(self.command)
                self.starts += 1
                self._files.write_pid(self.command.name, self._process.pid)

    async def _keep(self) -> None:
        delay = 0.0
        while not self._stopping.is_set():
            lived = await self._live()
            delay = next_delay(delay, lived)
            await self._restart_after(delay)

    async def _live(self) -> float:
        """Waits for its end; the seconds until then."""
        born = time.monotonic()
        if self._process:
            await self._process.wait()
            processes.end_group(self._process.pid)
        return time.monotonic() - born

    async def _restart_after(self, delay: float) -> None:
        if self._stopping.is_set():
            return
        logger.warning(
            "process ended, starting it again",
            extra={"child": self.command.name, "ended": self._ended(), "in_seconds": round(delay, 1)},
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._stopping.wait()
        try:
            await self._start_once()
        except OSError as error:
            logger.warning("process not started", extra={"child": self.command.name, "error": str(error)})

    def _ended(self) -> str:
        code = self._process.returncode if self._process else None
        if code is None or code >= 0:
            return f"exit code {code}"
        return Signals(-code).name


class Children:
    """All processes of one Sluice."""

    def __init__(self, files: RunFiles) -> None:
        self._files = files
        self._all: list[Child] = []

    @contextlib.asynccontextmanager
    async def running(self, *commands: Command) -> AsyncIterator[list[Child]]:
        """Keeps `commands` running for the length of the block, then ends them side by side. Raises OSError."""
        children = [Child(command, self._files) for command in commands]
        self._all += children
        try:
            for child in children:
                await child.start()
            yield children
        finally:
            await asyncio.gather(*(child.stop() for child in children))

    def kill(self) -> None:
        """Ends every process at once."""
        for child in self._all:
            child.kill()
