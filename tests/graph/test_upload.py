"""submitFile, from the client's bytes to the job's row."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from graph.uploads import clean_filename
from models import Job, RecordSchema
from tests.graph.api import (
    BOUNDARY,
    MAX_UPLOAD_BYTES,
    MULTIPART,
    Owner,
    codes,
    id_of,
    open_upload,
    operations,
    stored_files,
    submission,
    submit,
)
from tests.stack import Stack


async def test_submit_file_answers_with_a_pending_job(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path
) -> None:
    """The job says what was received, and the stored bytes are the client's."""
    content = os.urandom(3_000_001) + b"\r\n--" + BOUNDARY.encode()[:-1] + b"x"

    response = await submit(app_client, partner, submission(id_of(schema), content, "dir/orders.CSV"))

    payload = response.json()["data"]["submitFile"]
    assert [] == payload["userErrors"]
    job = await Job.get(partner_id=partner.id)
    assert {
        "id": id_of(job),
        "filename": "orders.CSV",
        "format": "CSV",
        "sizeBytes": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "status": "PENDING",
    } == payload["job"]
    assert content == (store / job.storage_key).read_bytes()


@pytest.mark.parametrize("chunk", [1, 7, 1000])
async def test_submit_file_does_not_care_how_the_bytes_are_cut(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, chunk: int
) -> None:
    """Boundaries and headers may be split anywhere on the way."""
    body = submission(id_of(schema), b"id\r\n1\r\n--")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), chunk):
            yield body[start : start + chunk]

    response = await app_client.post("/graphql", content=pieces(), headers=MULTIPART | partner.headers)

    assert "9" == response.json()["data"]["submitFile"]["job"]["sizeBytes"]


async def test_submit_file_takes_quoted_boundaries_and_any_case(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """Header names, the media type and the boundary's quotes are as RFC 2046 allows."""
    body = submission(id_of(schema)).replace(b"Content-Disposition", b"CONTENT-disposition")
    headers = {"Content-Type": f'Multipart/Form-Data; charset=utf-8; Boundary="{BOUNDARY}"'}

    response = await app_client.post("/graphql", content=body, headers=headers | partner.headers)

    assert response.json()["data"]["submitFile"]["job"]


async def test_submit_file_accepts_an_empty_file(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """What is in the file is the worker's business."""
    response = await submit(app_client, partner, submission(id_of(schema), b""))

    assert "0" == response.json()["data"]["submitFile"]["job"]["sizeBytes"]


async def test_a_file_of_the_largest_size_is_taken(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """The limit itself is allowed."""
    response = await submit(app_client, partner, submission(id_of(schema), bytes(MAX_UPLOAD_BYTES)))

    assert str(MAX_UPLOAD_BYTES) == response.json()["data"]["submitFile"]["job"]["sizeBytes"]


async def test_the_file_is_written_to_its_final_place_while_it_arrives(
    stack: Stack, partner: Owner, schema: RecordSchema, store: Path
) -> None:
    """There is one .part file that grows, and no copy elsewhere; a client that leaves leaves nothing behind."""
    before, log = stored_files(store), len(stack.log)
    body = submission(id_of(schema), bytes(6_000_000))
    reader, writer = await open_upload(stack, partner, len(body))
    writer.write(body[:5_000_000])
    await writer.drain()

    async with asyncio.timeout(10):
        while (
            not (new := stored_files(store) - before) or (store / next(iter(new))).stat().st_size < 4_000_000
        ):
            await asyncio.sleep(0.01)
    [name] = new
    assert name.endswith(".part")
    writer.close()
    async with asyncio.timeout(10):
        while stored_files(store) - before:
            await asyncio.sleep(0.01)

    assert 0 == await Job.filter(partner_id=partner.id).count()
    assert "Traceback" not in stack.log[log:]
    del reader


@pytest.mark.parametrize(
    ("filename", "more", "code", "field"),
    [
        ("a.pdf", {}, "UNSUPPORTED_FORMAT", "format"),
        ("", {}, "UNSUPPORTED_FORMAT", "format"),
        ("a.csv", {"idempotencyKey": ""}, "INVALID", "idempotencyKey"),
        ("a.csv", {"idempotencyKey": "x" * 201}, "INVALID", "idempotencyKey"),
        ("a.csv", {"idempotencyKey": "a\0b"}, "INVALID", "idempotencyKey"),
    ],
    ids=["unknown extension", "no name", "empty key", "long key", "NUL in the key"],
)
async def test_a_submission_that_makes_no_sense_is_a_user_error(
    app_client: httpx.AsyncClient,
    partner: Owner,
    schema: RecordSchema,
    filename: str,
    more: dict[str, str],
    code: str,
    field: str,
) -> None:
    """It comes with HTTP 200 and the path of the argument."""
    response = await submit(app_client, partner, submission(id_of(schema), b"", filename, **more))

    [error] = response.json()["data"]["submitFile"]["userErrors"]
    assert (code, ["input", field]) == (error["code"], error["field"])


async def test_format_wins_over_the_extension(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """What the client says is believed."""
    response = await submit(app_client, partner, submission(id_of(schema), filename="a.csv", format="NDJSON"))

    assert "NDJSON" == response.json()["data"]["submitFile"]["job"]["format"]


async def test_the_same_idempotency_key_answers_with_the_same_job(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path
) -> None:
    """Twice the same submission, also at the same time, is one job and one file."""
    body = submission(id_of(schema), b"id\n7\n", idempotencyKey="once")
    before = stored_files(store)

    responses = await asyncio.gather(*(submit(app_client, partner, body) for _ in range(5)))
    responses.append(await submit(app_client, partner, body))

    assert 1 == len({response.json()["data"]["submitFile"]["job"]["id"] for response in responses})
    assert 1 == len(stored_files(store) - before)


@pytest.mark.parametrize("other", ["content", "schema"])
async def test_an_idempotency_key_for_something_else_is_a_conflict(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path, other: str
) -> None:
    """Another file or another schema under the same key is refused, and its file deleted."""
    await submit(app_client, partner, submission(id_of(schema), idempotencyKey="k"))
    newer = await RecordSchema.save_version(partner.id, schema.name, schema.definition)
    before = stored_files(store)

    body = (
        submission(id_of(schema), b"else", idempotencyKey="k")
        if other == "content"
        else submission(id_of(newer), idempotencyKey="k")
    )
    response = await submit(app_client, partner, body)

    payload = response.json()["data"]["submitFile"]
    assert (None, "IDEMPOTENCY_CONFLICT") == (payload["job"], payload["userErrors"][0]["code"])
    assert before == stored_files(store)


async def test_idempotency_keys_of_partners_are_apart(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, schema: RecordSchema
) -> None:
    """Two partners may use the same key."""
    others = await RecordSchema.save_version(other_partner.id, "orders", schema.definition)
    mine = await submit(app_client, partner, submission(id_of(schema), idempotencyKey="k"))
    theirs = await submit(app_client, other_partner, submission(id_of(others), idempotencyKey="k"))

    ids = {response.json()["data"]["submitFile"]["job"]["id"] for response in (mine, theirs)}
    assert 2 == len(ids)


async def test_a_file_as_json_is_refused_with_a_clear_message(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """A string in the place of the upload is named as what is wrong."""
    ops = json.loads(operations(id_of(schema)))
    ops["variables"]["input"]["file"] = "a.csv"

    response = await app_client.post("/graphql", json=ops, headers=partner.headers)

    assert ["BAD_USER_INPUT"] == codes(response.json())
    assert "multipart/form-data" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\a.csv", "a.csv"),
        ("a\0\n\x1b[31m.csv", "a[31m.csv"),
        ("", "file"),
        ("..", "file"),
        (" / ", "file"),
        ("é" * 300 + ".csv", "é" * 251 + ".csv"),
        ("x" * 300, "x" * 255),
        ("Übersicht 2026.csv", "Übersicht 2026.csv"),
        ("\u202evsc.exe", "vsc.exe"),
        ("\ud800.csv", ".csv"),
    ],
)
def test_clean_filename_is_a_name_to_show(sent: str, kept: str) -> None:
    """Never a path, never a control character, never empty, never over 255 characters."""
    assert kept == clean_filename(sent)
