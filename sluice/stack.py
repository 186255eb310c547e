"""Everything that makes a Sluice, under one roof: servers, migrations, workers and the API, in this order."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from sluice import binaries, embedded, processes
from sluice.endpoints import Services
from sluice.errors import StartFailed
from sluice.processes import Command
from sluice.run_files import RunFiles
from sluice.supervisor import Child, Children

_HEALTHY_SECONDS = 30.0
_POLL_SECONDS = 0.05
_STARTS = 3
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


@dataclass(frozen=True)
class Plan:
    """What to run, and where."""

    data_dir: Path
    host: str
    port: int
    workers: int
    database_url: str | None = None
    """None: embedded."""
    redis_url: str | None = None
    """None: embedded."""
    output: Path | None = None
    """The file for what the processes write; None: our own stdout and stderr."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """More variables for the processes."""

    @property
    def address(self) -> str:
        """Where the API answers on this machine."""
        return address(self.host, self.port)

    def command(self, name: str, subcommand: str, services: Services) -> Command:
        """One process of ours."""
        place = {
            "SLUICE_DATA_DIR": str(self.data_dir.absolute()),
            "SLUICE_HOST": self.host,
            "SLUICE_PORT": str(self.port),
        }
        environment = {**os.environ, **place, **services.environment, **self.settings}
        # The -X option means nothing to Python: it shows, in a list of processes, whose this one is.
        whose = f"-Xsluice={self.data_dir.absolute()}"
        return Command(name, (sys.executable, whose, "-m", "sluice", subcommand), environment, self.output)


def address(host: str, port: int) -> str:
    """The http URL under which a server that listens on `host` is reached from the same machine."""
    reached = _ANY_HOST.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


@contextlib.asynccontextmanager
async def running(plan: Plan, files: RunFiles, children: Children) -> AsyncIterator[Services]:
    """A Sluice that is healthy when the block begins, kept alive during it, and stopped in good order after it.

    The API comes last: once it can answer, everything else is there and written down under `run/`; its own pid
    file is written while it is still importing. Raises StartFailed.
    """
    async with contextlib.AsyncExitStack() as stack:
        await files.end_orphans()
        files.write_pid("serve", os.getpid())
        stack.callback(files.remove_pid, "serve")
        services = await stack.enter_async_context(
            embedded.provided(plan.data_dir, children, plan.database_url, plan.redis_url)
        )
        await _migrate(plan, services)
        await stack.enter_async_context(children.running(*_workers(plan, services)))
        files.write_env(services)
        stack.callback(files.remove_env)
        [api] = await stack.enter_async_context(children.running(plan.command("api", "api", services)))
        await _until_healthy(plan, api)
        yield services


def _workers(plan: Plan, services: Services) -> list[Command]:
    return [plan.command(f"worker-{number}", "worker", services) for number in range(1, plan.workers + 1)]


async def _migrate(plan: Plan, services: Services) -> None:
    """In a process of its own, so that this one, which lives long, stays small."""
    if await processes.run(plan.command("migrate", "migrate", services)):
        raise StartFailed(f"the database could not be migrated: {_said(plan)}")


async def _until_healthy(plan: Plan, api: Child) -> None:
    async with httpx.AsyncClient(base_url=plan.address, trust_env=False, timeout=3.0) as client:
        ill: str | None = "nothing"
        deadline = time.monotonic() + _HEALTHY_SECONDS
        while time.monotonic() < deadline:
            ill = await _illness(client)
            if ill is None:
                return
            if api.starts > _STARTS:
                raise StartFailed(f"the API ends at its start: {_said(plan)}")
            await asyncio.sleep(_POLL_SECONDS)
    raise StartFailed(
        f"{plan.address}/health did not say ok within {_HEALTHY_SECONDS:.0f} s, but {ill}: see to what it names as "
        f"down (SLUICE_DATABASE_URL, SLUICE_REDIS_URL); {_said(plan)}"
    )


async def _illness(client: httpx.AsyncClient) -> str | None:
    """What /health says is wrong; None when nothing is."""
    try:
        answer = await client.get("/health")
    except httpx.HTTPError as error:
        return repr(error)
    return None if answer.status_code == httpx.codes.OK else answer.text


def _said(plan: Plan) -> str:
    return binaries.last_line(plan.output) if plan.output else "it says why above"
