"""A real Sluice for tests: API and workers as processes, on a database of their own."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import psutil

from sluice.client import ApiClient
from sluice.endpoints import Services, free_port
from sluice.errors import Unreachable
from sluice.migrate import migrate
from tests.history import INSTALL

ROOT = Path(__file__).parent.parent
_REDIS_DATABASES = cycle(range(1, 16))  # Redis has sixteen; the session's own tests use the first
_START_SECONDS = 30.0

SUBMIT = """
mutation Submit($input: SubmitFileInput!) {
  submitFile(input: $input) { job { id status sha256 sizeBytes } userErrors { code message field } }
}
"""
CREATE_SCHEMA = """
mutation Create($input: CreateRecordSchemaInput!) {
  createRecordSchema(input: $input) { recordSchema { id version } userErrors { code message field } }
}
"""
CANCEL = """
mutation Cancel($input: CancelJobInput!) {
  cancelJob(input: $input) { job { id status } userErrors { code message field } }
}
"""
PROGRESS = """
subscription Progress($jobId: ID!) {
  jobProgress(jobId: $jobId) {
    status percent bytesTotal bytesRead recordsRead recordsAccepted recordsRejected
  }
}
"""
JOB = """
query Job($id: ID!) {
  job(id: $id) {
    id status filename format sizeBytes sha256 startedAt finishedAt
    progress { percent bytesRead bytesTotal recordsRead recordsAccepted recordsRejected }
    failure { code message recordIndex line }
    errorSummary { field code count }
    records(first: 1000) { totalCount nodes { index data } }
    errors(first: 1000) { totalCount nodes { recordIndex line byteOffset field code message rawValue } }
  }
}
"""


@dataclass
class Stack:
    """The processes of one Sluice, and what a test needs to talk to it and to break it."""

    services: Services
    folder: Path
    environment: dict[str, str]
    url: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    program: str = "sluice"
    """The module that is run."""
    extension: str = ".csv"
    """Of the sample files that a test submits."""

    def start(self, *command: str, **settings: str) -> subprocess.Popen[bytes]:
        """Starts `sluice COMMAND` in a session of its own; its output goes to a file in the stack's folder.

        `settings` are more SLUICE_ variables for this process alone, in lower case without the prefix.
        """
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", self.program, *command],
                cwd=ROOT, env=self.environment | _variables(settings),
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def start_worker(self, **settings: str) -> subprocess.Popen[bytes]:
        """One more worker process."""
        return self.start("worker", **settings)

    async def partner(self, name: str = "Acme") -> ApiClient:
        """A client with the key of a new partner, made as an operator would."""
        made = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "sluice", "partner", "create", name],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        return ApiClient(self.url, made.stdout.strip())

    async def query(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Rows from the stack's database."""
        connection = await asyncpg.connect(self.services.database_url)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    @property
    def log(self) -> str:
        """What the processes have said so far."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """Ends every process and what it left behind."""
        for process in reversed(self.processes):
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, ten seconds, then SIGKILL to the whole session."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the process and, as a crash of the machine would, to everything below it."""
    below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    for child in below:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(10)


def reader_children(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The reader processes of a worker: children of its fork server."""
    below = psutil.Process(worker.pid).children(recursive=True)
    return [process for process in below if not process.children() and process.ppid() != worker.pid]


@asynccontextmanager
async def running(
    services: Services, folder: Path, *, workers: int = 1, program: str = "sluice", **settings: str
) -> AsyncIterator[Stack]:
    """A stack on a fresh database; `settings` are more SLUICE_ variables, in lower case without the prefix."""
    database_url = await _new_database(services)
    port = free_port()
    own = Services(
        database_url, urlsplit(services.redis_url)._replace(path=f"/{next(_REDIS_DATABASES)}").geturl()
    )
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    environment = inherited | own.environment | {
        "SLUICE_PORT": str(port),
        "SLUICE_DATA_DIR": str(folder),
        "SLUICE_LEASE_SECONDS": "2",
        "SLUICE_PROGRESS_INTERVAL_SECONDS": "0.2",
        **_variables(settings),
    }  # fmt: skip
    stack = Stack(own, folder, environment, f"http://127.0.0.1:{port}", program=program)
    try:
        stack.start("api")
        for _ in range(workers):
            stack.start_worker()
        await _healthy(stack)
        yield stack
    finally:
        stack.stop()


def _variables(settings: dict[str, str]) -> dict[str, str]:
    return {f"SLUICE_{name.upper()}": value for name, value in settings.items()}


async def _new_database(services: Services) -> str:
    name = f"stack_{uuid4().hex}"
    server = await asyncpg.connect(services.database_url)
    await server.execute(f"CREATE DATABASE {name}")
    await server.close()
    url = services.database_url.rpartition("/")[0] + f"/{name}"
    await asyncio.to_thread(asyncio.run, migrate(url))
    made = await asyncpg.connect(url)
    await made.execute(INSTALL)
    await made.close()
    return url


async def _healthy(stack: Stack) -> None:
    deadline = time.monotonic() + _START_SECONDS
    async with httpx.AsyncClient(trust_env=False) as http:
        while time.monotonic() < deadline:
            try:
                answer = await http.get(f"{stack.url}/health")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.05)
    raise AssertionError(f"the API did not become healthy; its log:\n{stack.log}")


async def create_schema(client: ApiClient, **definition: Any) -> str:
    """The id of a new schema."""
    payload = (await client.execute(CREATE_SCHEMA, {"input": {"name": "orders", **definition}}))[
        "createRecordSchema"
    ]
    assert [] == payload["userErrors"]
    return str(payload["recordSchema"]["id"])


async def submit(client: ApiClient, schema_id: str, path: Path, **more: Any) -> str:
    """The id of the job of a submitted file."""
    with path.open("rb") as content:
        payload = (await client.upload(SUBMIT, {"schemaId": schema_id, **more}, path.name, content))[
            "submitFile"
        ]
    assert [] == payload["userErrors"]
    return str(payload["job"]["id"])


async def follow(client: ApiClient, job_id: str) -> list[dict[str, Any]]:
    """Every progress event of a job, to the end of its subscription; none of them goes back."""
    async with asyncio.timeout(60):
        events = [event["jobProgress"] async for event in client.subscribe(PROGRESS, {"jobId": job_id})]
    assert_forward(events)
    return events


def assert_forward(events: list[dict[str, Any]]) -> None:
    """No counter goes back, no state is told twice in other numbers, and the last event alone is final."""
    for before, after in pairwise(events):
        assert before["status"] in ("PENDING", "PROCESSING"), events
        for counter in ("bytesRead", "recordsRead", "recordsAccepted", "recordsRejected"):
            assert int(before[counter]) <= int(after[counter]), (counter, before, after)
    for event in events:
        assert int(event["recordsRead"]) == int(event["recordsAccepted"]) + int(event["recordsRejected"])
    assert events, "a subscription that ended without any event"
    assert events[-1]["status"] in ("COMPLETED", "FAILED", "CANCELLED"), events


async def finished(client: ApiClient, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
    """The job, once it is final. A connection that breaks on the way, as many tests want it, is made anew."""
    async with asyncio.timeout(seconds):
        while (last := await _last_event(client, job_id)) is None:
            await asyncio.sleep(0.2)
    job: dict[str, Any] = (await client.execute(JOB, {"id": job_id}))["job"]
    assert last["status"] == job["status"]
    assert {name: last[name] for name in job["progress"]} == job["progress"]
    return job


async def _last_event(client: ApiClient, job_id: str) -> dict[str, Any] | None:
    try:
        return (await follow(client, job_id))[-1]
    except Unreachable:
        return None


def interrupt(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Sends SIGTERM; the exit code, and the seconds it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    return process.wait(15), time.monotonic() - began
