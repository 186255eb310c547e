"""`sluice serve`: a whole Sluice in the foreground, until Ctrl-C."""

import asyncio
import signal
import sys
from pathlib import Path

from graph import dashboard_page
from settings import settings
from sluice import endpoints, run_files, stack
from sluice.errors import SluiceError
from sluice.stack import Plan
from sluice.supervisor import Children


async def serve() -> None:
    """Returns after SIGINT, SIGTERM or SIGHUP, when everything has been stopped. Raises SluiceError."""
    plan = _plan()
    with run_files.hold(plan.data_dir) as files:
        children = Children(files)
        stopping = _stop_on_signals(children)
        try:
            async with stack.running(plan, files, children):
                _greet(plan)
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not stopping.is_set():
                raise
    print("Sluice has stopped.", flush=True)


def _plan() -> Plan:
    port = settings.port or endpoints.free_port()
    if not endpoints.is_free(settings.host, port):
        raise SluiceError(
            f"cannot listen on {settings.host}:{port}: stop what uses it, or set SLUICE_PORT (0: any free port)"
        )
    return Plan(
        data_dir=settings.data_dir,
        host=settings.host,
        port=port,
        workers=settings.workers,
        database_url=settings.database_url,
        redis_url=settings.redis_url,
    )


def _stop_on_signals(children: Children) -> asyncio.Event:
    """The first signal ends the task that runs now; the second kills what has not stopped yet."""
    loop, task, stopping = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def stop() -> None:
        if stopping.is_set():
            children.kill()
        elif task:
            stopping.set()
            print("\nStopping; once more to do it at once.", file=sys.stderr, flush=True)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    return stopping


def _greet(plan: Plan) -> None:
    page = f"\n  In a browser {plan.address}/  (sign in with a key)" if dashboard_page.is_built() else ""
    print(
        f"""
Sluice is up.
{page}
  API          {plan.address}/graphql  (in a browser: example queries)
  Health       {plan.address}/health
  A key        {_ourselves()} partner create NAME
  Data         {plan.data_dir.absolute()}
  Attach       {plan.data_dir.absolute() / "run" / "env"} has the URLs of PostgreSQL and Redis

Ctrl-C stops it.
""",
        flush=True,
    )


def _ourselves() -> str:
    """How this command was typed: `.venv/bin/sluice`, unless the environment is active."""
    return sys.argv[0] if Path(sys.argv[0]).name == "sluice" else "python -m sluice"
