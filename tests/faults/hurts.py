"""What can be done to PostgreSQL while it works: each takes the session that is at it."""

import os
import signal
from pathlib import Path

from tests.stack import Stack


async def postmaster(stack: Stack) -> int:
    """The process id of the server."""
    [row] = await stack.query("SELECT current_setting('data_directory') AS folder")
    return int((Path(row["folder"]) / "postmaster.pid").read_text().split("\n", 1)[0])


async def crash_by_a_backend(stack: Stack, session: int) -> None:
    """kill -9 of one session: PostgreSQL ends all of them, and recovers."""
    os.kill(session, signal.SIGKILL)


async def crash_all(stack: Stack, session: int) -> None:
    """The server ends at once, without a checkpoint, as in a power cut of its own."""
    os.kill(await postmaster(stack), signal.SIGQUIT)


async def restart_fast(stack: Stack, session: int) -> None:
    """What an upgrade does: every session is ended, a checkpoint is written, the server starts anew."""
    os.kill(await postmaster(stack), signal.SIGINT)


async def end_session(stack: Stack, session: int) -> None:
    """pg_terminate_backend of the loading session."""
    await stack.query("SELECT pg_terminate_backend($1)", session)


async def cancel_statement(stack: Stack, session: int) -> None:
    """pg_cancel_backend: the statement fails, the session lives."""
    await stack.query("SELECT pg_cancel_backend($1)", session)


HURTS = [crash_by_a_backend, crash_all, restart_fast, end_session, cancel_statement]
