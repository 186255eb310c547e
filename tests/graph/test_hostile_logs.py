"""No log of any process holds a key or a value that a partner sent, whatever goes wrong."""

import json
from pathlib import Path

import httpx

from sluice.endpoints import Services
from tests.graph.api import MAP, MULTIPART, closed, operations, part
from tests.stack import create_schema, finished, running, submit

_FIELDS = [{"name": "id", "type": "INTEGER"}, {"name": "email", "type": "EMAIL"}]
_WRONG_KEY = "slc_0a1b2c3d_" + "5ec2e7" * 10 + "beef"
_REFUSED = (
    "{ job(id: $marker }",
    "{ marker_field }",
    'query ($id: ID!) { job(id: $id, x: "marker-literal") { id } }',
)


async def test_no_log_holds_keys_or_values(services: Services, tmp_path: Path) -> None:
    """Good and bad records, damaged files, refused requests, wrong keys, and an error of ours with its stack trace."""
    async with running(services, tmp_path) as stack, await stack.partner() as client:
        own_key = client._headers["X-API-Key"]
        schema_id = await create_schema(client, fields=_FIELDS)
        job_id = ""
        files = {
            "marker-name.csv": b"id,email\n1,marker-good@example.com\nmarker-bad,marker bad\n",
            "marker-broken.json": b'[{"id": 1, "email": "marker-json@example.com"}, {"id" marker-damage',
            "marker-broken.xml": b"<a><b><id>marker-xml</id></a>",
        }
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
            job_id = await submit(client, schema_id, tmp_path / name, idempotencyKey=f"marker-{name}")
            job = await finished(client, job_id)
            assert ("COMPLETED" if name.endswith(".csv") else "FAILED") == job["status"]

        async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as http:
            for key in (_WRONG_KEY, "marker-key", own_key):
                headers = {"x-api-key": key, "user-agent": "marker-agent", "authorization": "marker-token"}
                for query in _REFUSED:
                    asked = {"query": query, "variables": {"id": "marker-variable"}}
                    await http.post("/graphql?marker=query", json=asked, headers=headers)
                await http.get(
                    "/graphql", params={"query": "marker", "variables": "{marker"}, headers=headers
                )
                body = [
                    part("operations", operations(schema_id)),
                    part("map", MAP),
                    part("1", b"marker", filename="marker.csv"),
                ]
                await http.post("/graphql", content=closed(body), headers=headers | MULTIPART)
            # A row that no code of ours writes: the API cannot show it, and logs why.
            await stack.query("UPDATE job SET format = 'NOPE'")
            broken = await http.post(
                "/graphql", headers={"x-api-key": own_key},
                json={"query": "query ($id: ID!) { job(id: $id) { marker: id } }", "variables": {"id": job_id}},
            )  # fmt: skip
        assert "Internal error" in broken.text

    events = [json.loads(line)["event"] for line in stack.log.splitlines() if line.startswith("{")]
    assert {"job created", "job claimed", "internal error"} <= set(events)
    log = stack.log.lower()
    assert "marker" not in log
    assert own_key.rpartition("_")[2] not in log
    assert _WRONG_KEY.rpartition("_")[2] not in log
