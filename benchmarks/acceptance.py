"""The acceptance run: 500 MB of CSV and all real flights through a real API and a real worker, measured.

`make acceptance` prints a table of what was wanted and what was measured, and exits 1 when something is missed.
Memory is sampled ten times a second; times are wall-clock on a machine that does nothing else.
"""

import asyncio
import base64
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil

from benchmarks import data
from sluice import embedded
from sluice.client import ApiClient
from tests import flights
from tests.check import assert_exact
from tests.stack import JOB, PROGRESS, Stack, create_schema, finished, reader_children, running, submit

TARGET_BYTES = 500_000_000
BLOCK_RECORDS = 10_000
MEGABYTE = 1024 * 1024


@dataclass
class Figures:
    """What was measured, against what is wanted."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def add(self, what: str, measured: str, wanted: str, met: bool) -> None:
        """One line of the table."""
        self.rows.append((what, measured, wanted, met))
        print(f"  {'ok  ' if met else 'MISS'} {what}: {measured}   (wanted: {wanted})", flush=True)

    @property
    def met(self) -> bool:
        """Whether nothing was missed."""
        return all(row[3] for row in self.rows)


def write_orders(path: Path) -> tuple[int, int]:
    """Writes TARGET_BYTES of CSV, about 2 % bad; the records and the bad ones among them."""
    written = records = bad = 0
    with path.open("wb") as file:
        written += file.write(b"id,email,name,amount,currency,day,at,active,quantity,note\n")
        while written < TARGET_BYTES:
            block = "".join(_order(index) for index in range(records, records + BLOCK_RECORDS))
            bad += sum(_is_bad(index) for index in range(records, records + BLOCK_RECORDS))
            records += BLOCK_RECORDS
            written += file.write(block.encode())
    return records, bad


def _order(index: int) -> str:
    email = "nobody" if _is_bad(index) else f"user{index % 100_000}@example.com"
    note = '"quoted, with a comma"' if index % 7 == 0 else "plain"
    return (
        f"{index},{email},Žofie Müller {index % 97},{index % 10_000}.{index % 100:02},EUR,2026-0{index % 9 + 1}-1{index % 10},"
        f"2026-11-23T1{index % 10}:00:00Z,{'yes' if index % 2 else 'no'},{'NA' if index % 5 else index % 50},{note}\n"
    )


def _is_bad(index: int) -> bool:
    return index % 50 == 7


class Upload:
    """A multipart body that is read from disk as it is sent, and knows when its last byte went out."""

    def __init__(self, path: Path, schema_id: str) -> None:
        self._path = path
        self._schema_id = schema_id
        self.last_byte_at = 0.0
        self.boundary = "acceptance-run"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        operations = (
            '{"query": "mutation ($input: SubmitFileInput!) { submitFile(input: $input) { job { id } userErrors { message } } }",'
            f' "variables": {{"input": {{"schemaId": "{self._schema_id}", "file": null}}}}}}'
        )
        yield self._part('name="operations"', operations)
        yield self._part('name="map"', '{"0": ["variables.input.file"]}')
        yield self._part(f'name="0"; filename="{self._path.name}"', "")[:-2]
        with self._path.open("rb") as file:
            while block := file.read(256 * 1024):
                yield block
        yield f"\r\n--{self.boundary}--\r\n".encode()
        self.last_byte_at = time.monotonic()

    def _part(self, disposition: str, value: str) -> bytes:
        return (
            f"--{self.boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n".encode()
        )


class Memory:
    """The most memory that the API, the worker and its reader took, sampled while a block runs."""

    def __init__(self, stack: Stack) -> None:
        self._api, self._worker = stack.processes[0], stack.processes[1]
        self.api_before = _rss(psutil.Process(self._api.pid))
        self.api = self.worker = self.reader = 0

    async def sample(self) -> None:
        """Samples until it is cancelled."""
        while True:
            self.api = max(self.api, _rss(psutil.Process(self._api.pid)))
            self.worker = max(self.worker, _rss(psutil.Process(self._worker.pid)))
            for child in reader_children(self._worker):
                self.reader = max(self.reader, _rss(child))
            await asyncio.sleep(0.1)


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


async def upload_and_watch(stack: Stack, client: ApiClient, path: Path, figures: Figures) -> dict[str, Any]:
    """Sends the file, follows it to its end, and measures both."""
    schema_id = await create_schema(client, fields=data.FIELDS)
    memory = Memory(stack)
    sampling = asyncio.create_task(memory.sample())
    body, began = Upload(path, schema_id), time.monotonic()
    async with httpx.AsyncClient(trust_env=False, timeout=120) as http:
        answer = await http.post(
            client.url,
            content=body,
            headers={**client._headers, "Content-Type": f"multipart/form-data; boundary={body.boundary}"},
        )
    answered = time.monotonic()
    job_id = answer.json()["data"]["submitFile"]["job"]["id"]
    figures.add("upload of 500 MB", f"{answered - began:.1f} s", "-", True)
    late = answered - body.last_byte_at
    figures.add("job id after the last byte", f"{late * 1000:.0f} ms", "500 ms", late <= 0.5)
    gaps, last = [], time.monotonic()
    async for _ in client.subscribe(PROGRESS, {"jobId": job_id}):
        now = time.monotonic()
        gaps.append(now - last)
        last = now
    sampling.cancel()
    figures.add("progress events", str(len(gaps)), "3 or more", len(gaps) >= 3)
    figures.add("longest time without progress", f"{max(gaps):.1f} s", "4 s", max(gaps) <= 4)
    grown = (memory.api - memory.api_before) / MEGABYTE
    figures.add("API memory grown by", f"{grown:.0f} MB", "50 MB", grown < 50)
    figures.add("worker memory", f"{memory.worker / MEGABYTE:.0f} MB", "flat", memory.worker < 200 * MEGABYTE)
    figures.add(
        "reader memory", f"{memory.reader / MEGABYTE:.0f} MB", "200 MB", 0 < memory.reader < 200 * MEGABYTE
    )
    job: dict[str, Any] = (await client.execute(JOB, {"id": job_id}))["job"]
    return job


async def check_orders(stack: Stack, folder: Path, figures: Figures) -> None:
    """500 MB of CSV: time, memory, progress, counts."""
    path = folder / "orders.csv"
    records, bad = write_orders(path)
    print(f"orders.csv: {path.stat().st_size:,} bytes, {records:,} records, {bad:,} of them bad", flush=True)
    async with await stack.partner("Acceptance") as client:
        job = await upload_and_watch(stack, client, path, figures)
    _add_counts(figures, "orders.csv", job, records - bad, bad)
    seconds = _seconds(job)
    figures.add("load", f"{seconds:.1f} s, {records / seconds:,.0f} records/s", "-", True)
    await assert_exact(stack, UUID(base64.b64decode(job["id"]).decode().partition(":")[2]))
    figures.add("records and errors in the tables", "exact", "exact", True)


async def check_flights(stack: Stack, folder: Path, figures: Figures) -> None:
    """All real flights in four formats, against the standard library's count."""
    accepted, rejected, errors = flights.expected()
    for extension, record_path in flights.RECORD_PATHS.items():
        path = flights.write(folder / f"flights{extension}")
        async with await stack.partner("Flights") as client:
            schema_id = await create_schema(client, fields=flights.FIELDS, recordPath=record_path)
            job = await finished(client, await submit(client, schema_id, path))
        _add_counts(figures, path.name, job, accepted, rejected)
        counted = {(row["field"], row["code"]): int(row["count"]) for row in job["errorSummary"]}
        figures.add(f"{path.name}: errors", str(counted), "those of the standard library", counted == errors)
        seconds = _seconds(job)
        figures.add(f"{path.name}: load", f"{(accepted + rejected) / seconds:,.0f} records/s", "-", True)


def _add_counts(figures: Figures, name: str, job: dict[str, Any], accepted: int, rejected: int) -> None:
    counts = (int(job["progress"]["recordsAccepted"]), int(job["progress"]["recordsRejected"]))
    figures.add(
        f"{name}: accepted, rejected",
        f"{job['status']} {counts}",
        str((accepted, rejected)),
        counts == (accepted, rejected),
    )


def _seconds(job: dict[str, Any]) -> float:
    from datetime import datetime

    times = [datetime.fromisoformat(job[name]) for name in ("startedAt", "finishedAt")]
    return (times[1] - times[0]).total_seconds()


async def main() -> int:
    """Runs it all; 0 when every figure is met."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="sluice-acceptance-") as name:
        folder = Path(name)
        async with embedded.services(folder) as services:
            os.environ |= services.environment
            async with running(services, folder, lease_seconds="30", progress_interval_seconds="2") as stack:
                await check_orders(stack, folder, figures)
                await check_flights(stack, folder, figures)
    return 0 if figures.met else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
