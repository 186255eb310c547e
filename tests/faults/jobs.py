"""One job of a fault test: submitted, looked at, waited for."""

import asyncio
import json
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from sluice.client import ApiClient
from tests import samples
from tests.check import assert_as_in_file
from tests.stack import Stack, create_schema, finished, submit

RECORDS = 10_000


@dataclass(frozen=True)
class Case:
    """A sample file and its job."""

    stack: Stack
    client: ApiClient
    job_id: str
    path: Path

    @property
    def uuid(self) -> UUID:
        """As in the tables."""
        return uuid_of(self.job_id)

    async def row(self) -> asyncpg.Record:
        """The job as the database has it now."""
        [row] = await self.stack.query("SELECT * FROM job WHERE id = $1", self.uuid)
        return row

    async def index(self) -> int:
        """Of the first record that is not decided yet."""
        return int((await self.row())["next_index"])

    async def beyond(self, index: int) -> int:
        """Waits until more than `index` records are decided; how many are by then."""
        await until(lambda: self._is_beyond(index))
        return await self.index()

    async def whole(self, status: str = "COMPLETED", seconds: float = 60.0) -> dict[str, Any]:
        """The job once it is final, with that status and exactly what its file says."""
        job = await finished(self.client, self.job_id, seconds)
        assert status == job["status"], job["failure"]
        await assert_as_in_file(self.stack, self.uuid, self.path)
        return job

    async def _is_beyond(self, index: int) -> bool:
        return await self.index() > index


async def submitted(
    stack: Stack, client: ApiClient, folder: Path, records: int = RECORDS, **more: Any
) -> Case:
    """A sample file with so many records, in the format of the stack, submitted; `more` goes into the input."""
    schema_id = await create_schema(client, fields=samples.FIELDS)
    path = samples.write(folder / f"orders{stack.extension}", records)
    return Case(stack, client, await submit(client, schema_id, path, **more), path)


async def until(is_so: Callable[[], Awaitable[object]], seconds: float = 30.0) -> None:
    """Waits until `is_so`; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await is_so():
            await asyncio.sleep(0.01)


async def struck(stack: Stack, times: int = 1) -> None:
    """Waits until that many planned faults have struck."""

    async def enough() -> bool:
        return len(events(stack, "fault strikes")) >= times

    await until(enough)


def events(stack: Stack, name: str) -> list[dict[str, Any]]:
    """What the processes have logged under that name, in order."""
    lines = [
        json.loads(line) for line in stack.log.splitlines() if line.startswith("{") and line.endswith("}")
    ]
    return [line for line in lines if line["event"] == name]


def uuid_of(global_id: str) -> UUID:
    """The UUID in a global id."""
    return UUID(b64decode(global_id).decode().partition(":")[2])
