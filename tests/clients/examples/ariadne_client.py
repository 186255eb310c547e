"""Submits a file, follows it to its end, and prints what came of it."""

import asyncio
import json
import os
import sys
from pathlib import Path

from sluice_client import BaseModel, CancelJobInput, Client, SubmitFileInput, Upload

URL = os.environ.get("SLUICE_URL", "http://localhost:8000/graphql")
HEADERS = {"X-API-Key": os.environ["SLUICE_API_KEY"]}


async def submit(client: Client, schema_id: str, path: Path) -> str:
    """The id of a new job."""
    with path.open("rb") as content:
        file = Upload(filename=path.name, content=content, content_type="application/octet-stream")
        answer = await client.submit_file(SubmitFileInput(schema_id=schema_id, file=file))
    job = answer.submit_file.job
    if job is None:
        raise SystemExit("\n".join(error.message for error in answer.submit_file.user_errors))
    return job.id


def show(kind: str, model: BaseModel | None) -> None:
    """One line of JSON."""
    print(json.dumps({kind: model and model.model_dump(mode="json", by_alias=True)}))


async def main(schema_id: str, path: Path) -> None:
    """The whole way of a file."""
    async with Client(URL, HEADERS, ws_url=URL.replace("http", "ws", 1), ws_headers=HEADERS) as client:
        # Stop a job: nothing more of it is loaded.
        mistake = await submit(client, schema_id, path)
        stopped = await client.cancel_job(CancelJobInput(job_id=mistake))
        show("cancelled", stopped.cancel_job.job)

        # Submit a file, and follow it to its end.
        job_id = await submit(client, schema_id, path)
        async for event in client.watch_job(job_id):
            show("progress", event.job_progress)

        # Read what came of it, page by page.
        after, more = None, True
        while more:
            page = await client.list_records(job_id, after)
            assert page.job
            for record in page.job.records.nodes:
                show("record", record)
            after, more = page.job.records.page_info.end_cursor, page.job.records.page_info.has_next_page
        after, more = None, True
        while more:
            found = await client.list_errors(job_id, after)
            assert found.job
            for error in found.job.errors.nodes:
                show("error", error)
            after, more = found.job.errors.page_info.end_cursor, found.job.errors.page_info.has_next_page


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
