"""Child processes: started in sessions of their own, ended with us, stopped in good order or at once."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_PROC = Path("/proc")


@dataclass(frozen=True)
class Command:
    """A program to run, and how it likes to be ended."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    output: Path | None = None
    """The file that takes stdout and stderr, appended; None: ours."""
    stop_signal: Signals = signal.SIGTERM
    """Ends it cleanly. It gets the same one when we die."""
    kill_signal: Signals = signal.SIGKILL
    """Ends it at once."""


async def spawn(command: Command) -> Process:
    """Starts `command`. It dies with us, even when we are killed (on Linux). Raises OSError.

    Call it from the main thread: Linux sends the parent's death signal when the thread that forked ends.
    """
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(command.output.open("ab")) if command.output else None
        return await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=command.environment,
            start_new_session=True,
            preexec_fn=_dying_with_us(command.stop_signal),
        )


def _dying_with_us(death_signal: Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec, where the system can tie its life to ours."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # we died before the tie was made
            os._exit(1)

    return tie


async def stop(process: Process, command: Command) -> None:
    """Asks `process` to end, waits, and kills it if it is still there after STOP_SECONDS."""
    send(process, command.stop_signal)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        send(process, signal.SIGKILL)
        await process.wait()


def send(process: Process, number: Signals) -> None:
    """Sends a signal, unless the process has ended."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def end_group(pid: int) -> None:
    """Kills what an ended session leader has left behind, such as a worker's reader child."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def run(command: Command) -> int:
    """Runs `command` to its end; its exit code. Stops it when we are cancelled."""
    process = await spawn(command)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await stop(process, command)


def read_pid(file: Path) -> int | None:
    """The number on the first line of a pid file; None when there is none."""
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def command_line(pid: int) -> str | None:
    """The words of a living process, separated by spaces; None when there is no such process."""
    if (_PROC / "self").exists():
        try:
            return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(
                errors="replace"
            ) or None
        except OSError:
            return None
    listing = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.strip() or None
