"""What a worker has rejected comes back by a link, and is rejected again, for the same reasons, when it is sent as it is."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.stack import create_schema, finished, running, submit

LINK = "query ($id: ID!) { job(id: $id) { rejectedFile { url filename } } }"
PATHS = "query ($id: ID!) { job(id: $id) { errors(first: 1000) { nodes { path } } } }"
FIELDS = [
    {"name": "id", "type": "INTEGER"},
    {"name": "name", "type": "STRING", "maxLength": 3, "required": False},
]

FILES: dict[str, tuple[bytes, bytes, str]] = {
    "csv": (
        b"\xef\xbb\xbfid;name\r\n"
        + b"1;a\r\n\r\n" * 3_000
        + b'x;"long\r\nname"\r\n'
        + b"2;b\r\n" * 3_000
        + b"3;four",
        b'\xef\xbb\xbfid;name\r\nx;"long\r\nname"\r\n3;four\r\n',
        "id",
    ),
    "ndjson": (
        b'{"id": 1}\n' * 6_000 + b'{"id": "x", "name": "long"}\n{',
        b'{"id": "x", "name": "long"}\n{\n',
        "/id",
    ),
    "json": (
        b"[" + b'{"id": 1},\n' * 6_000 + b'{"id": "x", "name": "long"} , 7]',
        b'[\n{"id": "x", "name": "long"},\n7\n]\n',
        "/6000/id",
    ),
    "xml": (
        b"<r>" + b"<o><id>1</id></o>\n" * 6_000 + b"<o><id>x</id><name>long</name></o><o/></r>",
        b"<r>\n<o><id>x</id><name>long</name></o>\n<o/>\n</r>\n",
        "/*/*[6001]/*[local-name()='id']",
    ),
}


@pytest.mark.parametrize("extension", FILES)
async def test_there_and_back(services: Services, tmp_path: Path, extension: str) -> None:
    """By real processes, over several batches."""
    content, cut, path = FILES[extension]
    (tmp_path / f"orders.{extension}").write_bytes(content)
    async with (
        running(services, tmp_path, workers=1) as stack,
        await stack.partner() as client,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        schema_id = await create_schema(client, fields=FIELDS)

        first = await _job(client, schema_id, tmp_path / f"orders.{extension}")
        link = (await client.execute(LINK, {"id": first["id"]}))["job"]["rejectedFile"]
        got = await http.get(link["url"])
        (tmp_path / link["filename"]).write_bytes(got.content)
        again = await _job(client, schema_id, tmp_path / link["filename"])
        paths = (await client.execute(PATHS, {"id": first["id"]}))["job"]["errors"]["nodes"]

    assert cut == got.content
    assert ("0", "2") == tuple(again["progress"][f"records{kind}"] for kind in ("Accepted", "Rejected"))
    assert _reasons(first) == _reasons(again)
    assert path == paths[0]["path"]


async def _job(client: ApiClient, schema_id: str, path: Path) -> dict[str, Any]:
    return await finished(client, await submit(client, schema_id, path))


def _reasons(job: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        tuple(error[name] for name in ("field", "code", "message", "rawValue"))
        for error in job["errors"]["nodes"]
    ]
