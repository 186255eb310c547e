"""How the tests of this folder talk to the API."""

import asyncio
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx

from graph.ids import global_id
from models import Job, Partner, RecordSchema
from tests.stack import Stack

MAX_UPLOAD_BYTES = 8 * 1024 * 1024
BOUNDARY = "----sluice-test"
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
SUBMIT = (
    "mutation ($input: SubmitFileInput!) { submitFile(input: $input) {"
    " job { id filename format sizeBytes sha256 status } userErrors { code message field } } }"
)


@dataclass(frozen=True)
class Owner:
    """A partner and its API key."""

    row: Partner
    key: str

    @classmethod
    async def create(cls, name: str) -> Self:
        """A new one."""
        return cls(*await Partner.create_with_key(name))

    @property
    def id(self) -> UUID:
        """The row's id."""
        return self.row.id

    @property
    def headers(self) -> dict[str, str]:
        """What proves it."""
        return {"x-api-key": self.key}


def id_of(row: Job | RecordSchema | Partner) -> str:
    """The row's global id."""
    return global_id(type(row).__name__, row.id)


async def execute(client: httpx.AsyncClient, owner: Owner, query: str, **variables: Any) -> dict[str, Any]:
    """The whole GraphQL response, which must come with HTTP 200."""
    response = await client.post(
        "/graphql", json={"query": query, "variables": variables}, headers=owner.headers
    )
    assert 200 == response.status_code, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def data(client: httpx.AsyncClient, owner: Owner, query: str, **variables: Any) -> dict[str, Any]:
    """The data of a response without errors."""
    answer = await execute(client, owner, query, **variables)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]
    return found


def codes(answer: dict[str, Any]) -> list[str]:
    """`extensions.code` of each top-level error."""
    return [error["extensions"]["code"] for error in answer["errors"]]


def part(name: str, content: bytes | str, *, filename: str | None = None, **headers: str) -> bytes:
    """One part with the boundary before it."""
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    lines = [f"--{BOUNDARY}", f"Content-Disposition: {disposition}"]
    lines += [f"{header.replace('_', '-')}: {value}" for header, value in headers.items()]
    body = content.encode() if isinstance(content, str) else content
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body + b"\r\n"


def closed(parts: Iterable[bytes]) -> bytes:
    """The parts and the closing boundary."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def operations(schema_id: str, **more: Any) -> str:
    """The operations of a submission."""
    return json.dumps(
        {"query": SUBMIT, "variables": {"input": {"schemaId": schema_id, "file": None, **more}}}
    )


MAP = json.dumps({"0": ["variables.input.file"]})


def submission(schema_id: str, content: bytes = b"id\n1\n", filename: str = "a.csv", **more: Any) -> bytes:
    """The body of a proper submission."""
    return closed(
        [
            part("operations", operations(schema_id, **more)),
            part("map", MAP),
            part("0", content, filename=filename),
        ]
    )


async def submit(client: httpx.AsyncClient, owner: Owner, body: bytes) -> httpx.Response:
    """Posts a multipart body."""
    return await client.post("/graphql", content=body, headers=MULTIPART | owner.headers)


def stored_files(store: Path) -> set[str]:
    """What lies in the storage, whole or arriving."""
    return set(os.listdir(store)) if store.exists() else set()


async def open_upload(
    stack: Stack, owner: Owner | None, length: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a multipart body of that length is announced, and nothing of it sent."""
    reader, writer = await asyncio.open_connection(*stack.url.removeprefix("http://").split(":"))
    key = f"X-API-Key: {owner.key}\r\n" if owner else ""
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\n{key}Content-Type: {MULTIPART['content-type']}\r\n"
    writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode())
    return reader, writer
