"""Submits a file, follows it to its end, and prints what came of it."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gql import Client, FileVar, GraphQLRequest
from gql.transport.httpx import HTTPXTransport
from gql.transport.websockets import WebsocketsTransport

URL = os.environ.get("SLUICE_URL", "http://localhost:8000/graphql")
HEADERS = {"X-API-Key": os.environ["SLUICE_API_KEY"]}

SUBMIT = """
  mutation ($input: SubmitFileInput!) {
    submitFile(input: $input) { job { id status } userErrors { code message field } }
  }
"""
CANCEL = """
  mutation ($input: CancelJobInput!) {
    cancelJob(input: $input) { job { id status } userErrors { code message field } }
  }
"""
WATCH = """
  subscription ($jobId: ID!) {
    jobProgress(jobId: $jobId) {
      status percent bytesTotal bytesRead recordsRead recordsAccepted recordsRejected
    }
  }
"""
RECORDS = """
  query ($id: ID!, $after: String) {
    job(id: $id) {
      page: records(first: 500, after: $after) {
        nodes { index data }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
"""
ERRORS = """
  query ($id: ID!, $after: String) {
    job(id: $id) {
      page: errors(first: 50, after: $after) {
        nodes { recordIndex line field code message rawValue }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
"""

http = Client(transport=HTTPXTransport(url=URL, headers=HEADERS, timeout=60))
web_socket = Client(transport=WebsocketsTransport(url=URL.replace("http", "ws", 1), headers=HEADERS))


def submit(schema_id: str, path: Path) -> str:
    """The id of a new job."""
    file = FileVar(str(path), filename=path.name)
    request = GraphQLRequest(SUBMIT, variable_values={"input": {"schemaId": schema_id, "file": file}})
    payload = http.execute(request, upload_files=True)["submitFile"]
    if payload["job"] is None:
        raise SystemExit("\n".join(error["message"] for error in payload["userErrors"]))
    return str(payload["job"]["id"])


def nodes(query: str, job_id: str) -> Iterator[dict[str, Any]]:
    """Everything in a list of a job, page by page."""
    after = None
    while True:
        variables = {"id": job_id, "after": after}
        page = http.execute(GraphQLRequest(query, variable_values=variables))["job"]["page"]
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def show(kind: str, value: dict[str, Any]) -> None:
    """One line of JSON."""
    print(json.dumps({kind: value}))


schema_id, path = sys.argv[1], Path(sys.argv[2])

# Stop a job: nothing more of it is loaded.
mistake = {"input": {"jobId": submit(schema_id, path)}}
show("cancelled", http.execute(GraphQLRequest(CANCEL, variable_values=mistake))["cancelJob"]["job"])

# Submit a file, and follow it to its end.
job_id = submit(schema_id, path)
for event in web_socket.subscribe(GraphQLRequest(WATCH, variable_values={"jobId": job_id})):
    show("progress", event["jobProgress"])

# Read what came of it.
for record in nodes(RECORDS, job_id):
    show("record", record)
for error in nodes(ERRORS, job_id):
    show("error", error)
