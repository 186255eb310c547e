"""What is wrong with an upload is told before its bytes are taken, or as soon as they are too many."""

import asyncio
import json
import socket
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from graph.ids import global_id
from models import Job, RecordSchema
from tests.graph.api import (
    BOUNDARY,
    MAP,
    MAX_UPLOAD_BYTES,
    SUBMIT,
    Owner,
    closed,
    codes,
    id_of,
    open_upload,
    operations,
    part,
    stored_files,
    submission,
    submit,
)
from tests.stack import Stack


def _ops(**changes: object) -> str:
    return json.dumps({**json.loads(operations(global_id("RecordSchema", uuid4()))), **changes})


_OPERATIONS = part("operations", _ops())

_MAP = part("map", MAP)

_FILE = part("0", b"id\n1\n", filename="a.csv")

_VIOLATIONS = {
    "nothing": b"",
    "only the end": closed([]),
    "no boundary in the body": b"hello" * 10,
    "wrong boundary": closed([_OPERATIONS, _MAP, _FILE]).replace(b"sluice", b"sluici"),
    "map first": closed([_MAP, _OPERATIONS, _FILE]),
    "file first": closed([_FILE, _OPERATIONS, _MAP]),
    "file before map": closed([_OPERATIONS, _FILE, _MAP]),
    "operations twice": closed([_OPERATIONS, _OPERATIONS, _MAP, _FILE]),
    "map twice": closed([_OPERATIONS, _MAP, _MAP, _FILE]),
    "no map": closed([_OPERATIONS]),
    "no file": closed([_OPERATIONS, _MAP]),
    "a file not in the map": closed([_OPERATIONS, _MAP, part("1", b"x", filename="a.csv")]),
    "operations a file": closed([part("operations", _ops(), filename="o.json"), _MAP, _FILE]),
    "map a file": closed([_OPERATIONS, part("map", MAP, filename="m.json"), _FILE]),
    "operations a list": closed([part("operations", f"[{_ops()}]"), _MAP, _FILE]),
    "operations null": closed([part("operations", "null"), _MAP, _FILE]),
    "operations a string": closed([part("operations", '"x"'), _MAP, _FILE]),
    "operations broken": closed([part("operations", "{"), _MAP, _FILE]),
    "operations not UTF-8": closed([part("operations", b'{"query": "\xff"}'), _MAP, _FILE]),
    "operations deep": closed([part("operations", "[" * 100_000), _MAP, _FILE]),
    "operations nested in vain": closed([part("operations", '{"a":' * 1010 + "1" + "}" * 1010), _MAP, _FILE]),
    "operations NaN": closed([part("operations", '{"query": NaN}'), _MAP, _FILE]),
    "operations a huge number": closed([part("operations", '{"query": ' + "9" * 5000 + "}"), _MAP, _FILE]),
    "query missing": closed([part("operations", _ops(query=None)), _MAP, _FILE]),
    "query a number": closed([part("operations", _ops(query=1)), _MAP, _FILE]),
    "variables a list": closed([part("operations", _ops(variables=[None])), part("map", '{"0": ["variables.0"]}'), _FILE]),
    "operationName a number": closed([part("operations", _ops(operationName=1)), _MAP, _FILE]),
    "unknown operationName": closed([part("operations", _ops(operationName="Other")), _MAP, _FILE]),
    "a query": closed([part("operations", _ops(query="{ viewer { id } }")), _MAP, _FILE]),
    "map a list": closed([_OPERATIONS, part("map", "[]"), _FILE]),
    "map null": closed([_OPERATIONS, part("map", "null"), _FILE]),
    "map empty": closed([_OPERATIONS, part("map", "{}"), _FILE]),
    "map broken": closed([_OPERATIONS, part("map", "{0}"), _FILE]),
    "map a path without a list": closed([_OPERATIONS, part("map", '{"0": "variables.input.file"}'), _FILE]),
    "map an empty list": closed([_OPERATIONS, part("map", '{"0": []}'), _FILE]),
    "map a list of numbers": closed([_OPERATIONS, part("map", '{"0": [1]}'), _FILE]),
    "map two paths": closed([_OPERATIONS, part("map", '{"0": ["variables.input.file", "variables.f"]}'), _FILE]),
    "map two files": closed([_OPERATIONS, part("map", '{"0": ["variables.input.file"], "1": ["variables.f"]}'), _FILE]),
    "path outside variables": closed([_OPERATIONS, part("map", '{"0": ["operationName"]}'), _FILE]),
    "path to variables": closed([_OPERATIONS, part("map", '{"0": ["variables"]}'), _FILE]),
    "path to a value": closed([_OPERATIONS, part("map", '{"0": ["variables.input.schemaId"]}'), _FILE]),
    "path to nothing": closed([_OPERATIONS, part("map", '{"0": ["variables.input.other"]}'), _FILE]),
    "path through a null": closed([_OPERATIONS, part("map", '{"0": ["variables.input.file.x"]}'), _FILE]),
    "path through a string": closed([_OPERATIONS, part("map", '{"0": ["variables.input.schemaId.0"]}'), _FILE]),
    "path with empty steps": closed([_OPERATIONS, part("map", '{"0": ["variables."]}'), _FILE]),
    "path out of a list": closed([
        part("operations", _ops(variables={"input": [None]})), part("map", '{"0": ["variables.input.9"]}'), _FILE,
    ]),
    "path to a negative index": closed([
        part("operations", _ops(variables={"input": [None]})), part("map", '{"0": ["variables.input.-1"]}'), _FILE,
    ]),
    "truncated headers": closed([_OPERATIONS, _MAP]) [:-20] + b"\r\nContent-Dispo",
    "part without a name": closed([_OPERATIONS.replace(b'name="operations"', b""), _MAP, _FILE]),
    "part without a disposition": closed([_OPERATIONS.replace(b"Content-Disposition", b"X-Other"), _MAP, _FILE]),
    "a flood of headers": closed([part("operations", _ops(), **{f"X{i}": "1" for i in range(9)}), _MAP, _FILE]),
    "a long header": closed([part("operations", _ops(), X="1" * 5000), _MAP, _FILE]),
    "a broken header": closed([part("operations", _ops()).replace(b"form-data", b"form-data\rX"), _MAP, _FILE]),
    "a transfer encoding": closed([
        _OPERATIONS, _MAP, part("0", b"aQ==", filename="a.csv", Content_Transfer_Encoding="base64"),
    ]),
    "a long silence": b"\r\n" + b"x" * 700_000,
}  # fmt: skip


@pytest.mark.parametrize("body", _VIOLATIONS.values(), ids=_VIOLATIONS)
async def test_a_request_that_breaks_the_multipart_spec_is_refused_with_400(
    app_client: httpx.AsyncClient, partner: Owner, store: Path, body: bytes
) -> None:
    """It gets a clear message, never a 500, and nothing is stored."""
    before = stored_files(store)

    response = await submit(app_client, partner, body)

    assert 400 == response.status_code, response.text
    assert ["BAD_USER_INPUT"] == codes(response.json())
    assert response.json()["errors"][0]["message"].endswith(".")
    assert before == stored_files(store)


_LATE = {
    "no final boundary": lambda body: body[: -len(f"--{BOUNDARY}--\r\n")],
    "cut in the file": lambda body: body[: -len(f"--{BOUNDARY}--\r\n") - 4],
    "two files": lambda body: body.replace(f"--{BOUNDARY}--".encode(), _FILE + f"--{BOUNDARY}--".encode()),
}


@pytest.mark.parametrize("spoil", _LATE.values(), ids=_LATE)
async def test_a_fault_behind_the_file_is_refused_with_400_and_leaves_nothing(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path, spoil: object
) -> None:
    """A file is only kept when the request ends as it should."""
    before = stored_files(store)

    response = await submit(app_client, partner, spoil(submission(id_of(schema))))  # type: ignore[operator]

    assert (400, ["BAD_USER_INPUT"]) == (response.status_code, codes(response.json()))
    assert before == stored_files(store)
    assert 0 == await Job.filter(partner_id=partner.id).count()


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 300}"],
    ids=["missing", "empty", "too long"],
)
async def test_a_bad_boundary_is_refused_with_400(
    app_client: httpx.AsyncClient, partner: Owner, content_type: str
) -> None:
    """A boundary that cannot be used is named as the reason."""
    response = await app_client.post(
        "/graphql", content=b"x", headers=partner.headers | {"content-type": content_type}
    )

    assert 400 == response.status_code
    assert "boundary" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [part("operations", b"x" * 300_000), _OPERATIONS + part("map", b"x" * 20_000)],
    ids=["operations", "map"],
)
async def test_a_field_that_is_too_long_is_refused_with_413(
    app_client: httpx.AsyncClient, partner: Owner, body: bytes
) -> None:
    """operations and map are held in memory, so they are bounded."""
    response = await submit(app_client, partner, closed([body]))

    assert (413, ["PAYLOAD_TOO_LARGE"]) == (response.status_code, codes(response.json()))


async def test_a_file_that_is_too_large_is_refused_while_it_arrives(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path
) -> None:
    """One byte too many: 413, and nothing is left behind."""
    before = stored_files(store)

    response = await submit(app_client, partner, submission(id_of(schema), bytes(MAX_UPLOAD_BYTES + 1)))

    assert (413, ["PAYLOAD_TOO_LARGE"]) == (response.status_code, codes(response.json()))
    assert f"{MAX_UPLOAD_BYTES:,}" in response.json()["errors"][0]["message"]
    assert before == stored_files(store)


async def _read_answer(reader: asyncio.StreamReader) -> tuple[bytes, dict[str, object]]:
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
    answer: dict[str, object] = json.loads(body)
    return head, answer


async def test_an_announced_length_that_is_too_large_is_refused_before_the_body(
    stack: Stack, partner: Owner
) -> None:
    """600 MB are refused by their Content-Length alone."""
    reader, writer = await open_upload(stack, partner, 600_000_000)

    head, answer = await _read_answer(reader)

    writer.close()
    assert head.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in head.lower()
    assert ["PAYLOAD_TOO_LARGE"] == codes(answer)


async def test_a_wrong_key_is_refused_before_the_body(stack: Stack) -> None:
    """Not a byte of the body is needed to say 401."""
    reader, writer = await open_upload(stack, None, 1_000_000)

    head, answer = await _read_answer(reader)

    writer.close()
    assert head.startswith(b"HTTP/1.1 401")
    assert ["UNAUTHENTICATED"] == codes(answer)


async def test_a_wrong_schema_is_refused_before_the_file(stack: Stack, partner: Owner) -> None:
    """The userError comes as soon as the file's headers have arrived."""
    reader, writer = await open_upload(stack, partner, 5_000_000)
    start = submission(global_id("RecordSchema", uuid4()), b"")
    writer.write(start[: start.rindex(b"\r\n--")])

    head, answer = await _read_answer(reader)

    writer.close()
    assert head.startswith(b"HTTP/1.1 200")
    assert "NOT_FOUND" == answer["data"]["submitFile"]["userErrors"][0]["code"]  # type: ignore[index]


async def test_a_retry_that_cannot_be_is_refused_before_the_file(
    stack: Stack, store: Path, partner: Owner, job: Job
) -> None:
    """A job that is not finished: told as soon as the file's headers have arrived, and nothing is left of the origins."""
    before = stored_files(store)
    reader, writer = await open_upload(stack, partner, 5_000_000)
    query = "mutation ($input: RetryJobInput!) { retryJob(input: $input) { job { id } userErrors { code } } }"
    given = {"query": query, "variables": {"input": {"jobId": id_of(job), "file": None}}}
    writer.write(part("operations", json.dumps(given)) + _MAP + _FILE)

    _, answer = await _read_answer(reader)

    writer.close()
    assert {"job": None, "userErrors": [{"code": "INVALID_STATE"}]} == answer["data"]["retryJob"]  # type: ignore[index]
    assert before == stored_files(store)


async def test_an_invalid_operation_is_refused_before_the_file(stack: Stack, partner: Owner) -> None:
    """The document is validated while the file has not begun."""
    reader, writer = await open_upload(stack, partner, 5_000_000)
    writer.write(
        part("operations", _ops(query="mutation ($input: SubmitFileInput!) { nothing }")) + _MAP + _FILE
    )

    _, answer = await _read_answer(reader)

    writer.close()
    assert "BAD_USER_INPUT" in codes(answer)


async def test_a_client_that_goes_on_sending_can_read_an_early_refusal(stack: Stack) -> None:
    """A client that writes its whole body before it reads still gets the 401."""
    host, port = stack.url.removeprefix("http://").split(":")

    def talk() -> bytes:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
            for _ in range(18):
                connection.sendall(bytes(50_000))
                time.sleep(0.01)
            return connection.recv(65536)

    answer = await asyncio.to_thread(talk)

    assert answer.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in answer


def _variables(schema: RecordSchema) -> dict[str, object]:
    return {"input": {"schemaId": id_of(schema), "file": None}}


async def test_a_file_that_two_fields_submit_makes_one_job_and_says_so(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """The first field answers with the job; the second is told, and takes nothing from the first."""
    query = SUBMIT.replace("submitFile", "first: submitFile").replace(
        "} } }", "} } second: submitFile(input: $input) { job { id } userErrors { code field } } }"
    )
    body = closed([part("operations", _ops(query=query, variables=_variables(schema))), _MAP, _FILE])

    answer = (await submit(app_client, partner, body)).json()

    assert answer["data"]["first"]["job"]["id"] == id_of(await Job.get(partner_id=partner.id))
    wanted = {"job": None, "userErrors": [{"code": "INVALID", "field": ["input", "file"]}]}
    assert wanted == answer["data"]["second"]
