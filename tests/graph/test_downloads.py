"""Links to rejected records and error reports: what they give, to whom, and for how long."""

import csv
import io
import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from graph.context import Backends, Context
from graph.download_links import Kind, Link
from graph.schema import schema as graph_schema
from models import Job
from settings import Settings
from tests.factories import make_job
from tests.graph.api import Owner, codes, data, execute, id_of
from tests.graph.finished import CONTENT, CUT, INDEXED, REJECTED, REPORT, finished_job, link, retried
from tests.graph.in_process import application
from tests.stack import Stack


async def test_rejected_file(app_client: httpx.AsyncClient, partner: Owner, rejecting: Job) -> None:
    """The very bytes, to whoever has the link."""
    offered = await link(app_client, partner, rejecting)

    answer = await app_client.get(offered["url"])

    assert (200, CUT) == (answer.status_code, answer.content)
    assert ("orders.rejected.csv", str(len(CUT))) == (offered["filename"], offered["sizeBytes"])
    assert (
        "attachment; filename=\"orders.rejected.csv\"; filename*=UTF-8''orders.rejected.csv"
        == (answer.headers["content-disposition"])
    )
    assert {
        "content-type": "text/csv",
        "accept-ranges": "bytes",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }.items() <= answer.headers.items()
    left = datetime.fromisoformat(offered["expiresAt"]) - datetime.now(UTC)
    assert 3_500 < left.total_seconds() <= 3_600


async def test_rejected_file_with_index(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job
) -> None:
    """Each record says which it is."""
    offered = await link(app_client, partner, rejecting, INDEXED)

    assert (
        b'sluice:index,id,name\r\n1,x,"b\r\nc"\r\n3,y,=cmd\r\n4,z,e\r\n'
        == (await app_client.get(offered["url"])).content
    )


@pytest.mark.parametrize(
    ("format", "content", "cut"),
    [
        ("TSV", b"id\tname\nx\ta\n", b"id\tname\nx\ta\n"),
        ("NDJSON", b'{"id": 1}\n{"id": "x"}', b'{"id": "x"}\n'),
        ("JSON", b'[{"id": 1}, {"id": "x"}]', b'[\n{"id": "x"}\n]\n'),
        ("XML", b"<r><o><id>1</id></o><o><id>x</id></o></r>", b"<r>\n<o><id>x</id></o>\n</r>\n"),
    ],
)
async def test_every_format(
    app_client: httpx.AsyncClient, partner: Owner, store: Path, format: str, content: bytes, cut: bytes
) -> None:
    """In its own."""
    job = await finished_job(partner, store, content, format=format)

    assert cut == (await app_client.get((await link(app_client, partner, job))["url"])).content


async def test_error_report_for_people(app_client: httpx.AsyncClient, partner: Owner, store: Path) -> None:
    """A row for each error, and no cell that a spreadsheet would run."""
    definition = {
        "fields": [{"name": "=id", "source": "id", "type": "INTEGER"}, {"name": "n", "type": "INTEGER"}]
    }
    content = b'id,n\n"=cmd()",1\n" +1-1",@x\n'
    job = await finished_job(partner, store, content, definition=definition)
    offered = await link(app_client, partner, job, REPORT)

    answer = await app_client.get(offered["url"])

    assert ("orders.errors.csv", str(len(answer.content))) == (offered["filename"], offered["sizeBytes"])
    assert "text/csv; charset=utf-8" == answer.headers["content-type"]
    assert answer.content.count(b"\r\n") == answer.content.count(b"\n") == 4
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert ["recordIndex", "line", "byteOffset", "path", "field", "code", "message", "rawValue"] == list(
        rows[0]
    )
    assert [
        ("0", "2", "5", "id", "'=id", "INVALID_INTEGER", "'=cmd()"),
        ("1", "3", "16", "id", "'=id", "INVALID_INTEGER", "' +1-1"),
        ("1", "3", "16", "n", "n", "INVALID_INTEGER", "'@x"),
    ] == [tuple(value for name, value in row.items() if name != "message") for row in rows]


async def test_error_report_for_programs(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job
) -> None:
    """The same as Job.errors says, as it stood in the file."""
    errors = "query ($id: ID!) { job(id: $id) { errors { nodes { recordIndex line byteOffset path field code message rawValue } } } }"
    listed = (await data(app_client, partner, errors, id=id_of(rejecting)))["job"]["errors"]["nodes"]
    offered = await link(app_client, partner, rejecting, REPORT, format="NDJSON")

    answer = await app_client.get(offered["url"])

    rows = [json.loads(line) for line in answer.text.splitlines()]
    for row in rows:
        row |= {name: str(row[name]) for name in ("recordIndex", "line", "byteOffset")}
    assert listed == rows
    assert "orders.errors.ndjson" == offered["filename"]


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING"])
async def test_nothing_before_the_end(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job, status: str
) -> None:
    """There may be more to come."""
    await Job.filter(id=rejecting.id).update(status=status)

    assert [None, None] == [await link(app_client, partner, rejecting, query) for query in (REJECTED, REPORT)]


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
async def test_a_job_that_did_not_complete(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job, status: str
) -> None:
    """What was rejected before can be had."""
    await Job.filter(id=rejecting.id).update(status=status)

    assert CUT == (await app_client.get((await link(app_client, partner, rejecting))["url"])).content


async def test_nothing_where_nothing_was_rejected(
    app_client: httpx.AsyncClient, partner: Owner, store: Path
) -> None:
    """Null, not an empty file."""
    job = await finished_job(partner, store, b"id\n1\n")

    assert [None, None] == [await link(app_client, partner, job, query) for query in (REJECTED, REPORT)]


async def test_what_retries_have_loaded_is_left_out(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job
) -> None:
    """And links from before say so."""
    before = await link(app_client, partner, rejecting)
    retry = await make_job(partner=partner.row, parent_id=rejecting.id, root_id=rejecting.id)
    await retried(rejecting, retry, 3)
    after = await link(app_client, partner, rejecting)

    old = await app_client.get(before["url"])

    assert (410, ["NOT_FOUND"]) == (old.status_code, codes(old.json()))
    assert "Retries have loaded some" in old.json()["errors"][0]["message"]
    assert CUT.replace(b"y,=cmd\r\n", b"") == (await app_client.get(after["url"])).content
    assert (
        200 == (await app_client.get((await link(app_client, partner, rejecting, REPORT))["url"])).status_code
    )
    await retried(rejecting, retry, 1, 4)
    assert await link(app_client, partner, rejecting) is None


async def test_a_retry_gives_its_own(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job, store: Path
) -> None:
    """Of its file, those of which it is known which record of the first job they are, by that record's index."""
    retry = await finished_job(
        partner, store, b"id,name\nw,1\nw,2\nw,3\n", parent_id=rejecting.id, root_id=rejecting.id
    )
    other = await make_job(partner=partner.row, parent_id=rejecting.id, root_id=rejecting.id)
    for index, origin in ((0, 1), (2, 4)):
        await retry._meta.db.execute_query(
            "UPDATE record_error SET origin_index = $3 WHERE job_id = $1 AND record_index = $2",
            [retry.id, index, origin],
        )

    offered = await link(app_client, partner, retry, INDEXED)

    assert b"sluice:index,id,name\n1,w,1\n4,w,3\n" == (await app_client.get(offered["url"])).content
    await retried(rejecting, other, 1)
    assert (
        b"id,name\nw,3\n" == (await app_client.get((await link(app_client, partner, retry))["url"])).content
    )
    await retried(rejecting, other, 4)
    assert await link(app_client, partner, retry) is None


async def test_a_file_without_a_header_has_no_place_for_indexes(
    app_client: httpx.AsyncClient, partner: Owner, store: Path
) -> None:
    """It says so at once."""
    definition = {"fields": [{"name": "id", "source": "1", "type": "INTEGER"}], "csv": {"header": False}}
    job = await finished_job(partner, store, b"1\nx\n", definition=definition)

    answer = await execute(app_client, partner, INDEXED, id=id_of(job))

    assert ["BAD_USER_INPUT"] == codes(answer)
    assert "csv.header" in answer["errors"][0]["message"]


async def test_another_partners_job(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, rejecting: Job
) -> None:
    """Nobody signs for another."""
    expires_at = int(time.time()) + 60
    own = Link(rejecting.id, Kind.REJECTED, expires_at)

    forged = await app_client.get(f"/downloads/{own.token(bytes(other_partner.row.key_hash))}")
    right = await app_client.get(f"/downloads/{own.token(bytes(partner.row.key_hash))}")

    assert (404, ["NOT_FOUND"]) == (forged.status_code, codes(forged.json()))
    assert 200 == right.status_code


async def test_every_character_of_a_link_counts(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job
) -> None:
    """One that is changed anywhere leads nowhere."""
    url = (await link(app_client, partner, rejecting))["url"]
    start = url.rindex("/") + 1

    changed = [url[:k] + ("A" if url[k] != "A" else "B") + url[k + 1 :] for k in range(start, len(url))]
    changed += [url[:-1], url + "A", url + "=", url[:start] + "é", url[:start] + "A" * 5_000]
    answers = [await app_client.get(each) for each in changed]

    assert {404} == {answer.status_code for answer in answers}
    assert 1 == len({answer.text for answer in answers})


async def test_a_link_expires(app_client: httpx.AsyncClient, partner: Owner, rejecting: Job) -> None:
    """It says so."""
    late = Link(rejecting.id, Kind.REJECTED, int(time.time()) - 1)

    answer = await app_client.get(f"/downloads/{late.token(bytes(partner.row.key_hash))}")

    assert (410, ["NOT_FOUND"]) == (answer.status_code, codes(answer.json()))
    assert "expired" in answer.json()["errors"][0]["message"]
    assert "no-store" == answer.headers["cache-control"]


async def test_a_link_dies_with_the_key(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job
) -> None:
    """A key that is replaced takes its links with it."""
    url = (await link(app_client, partner, rejecting))["url"]
    await type(partner.row).filter(id=partner.id).update(key_hash=b"another")

    assert 404 == (await app_client.get(url)).status_code


@pytest.mark.parametrize("damage", ["gone", "cut"])
async def test_a_stored_file_that_vanished(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job, store: Path, damage: str
) -> None:
    """The link says it, and so does the size; the report needs no file."""
    path = store / rejecting.storage_key
    path.unlink() if damage == "gone" else path.write_bytes(CONTENT[:-1])
    query = "query ($id: ID!) { job(id: $id) { rejectedFile { url } } }"
    url = (await link(app_client, partner, rejecting, query))["url"]

    answers = [await app_client.get(url), await app_client.get(url, headers={"range": "bytes=0-3"})]

    assert [410, 410] == [answer.status_code for answer in answers]
    assert "Submit it again" in answers[0].json()["errors"][0]["message"]
    assert ["BAD_USER_INPUT"] == codes(await execute(app_client, partner, REJECTED, id=id_of(rejecting)))
    assert (
        200 == (await app_client.get((await link(app_client, partner, rejecting, REPORT))["url"])).status_code
    )


async def test_errors_from_before_lengths_were_noted(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job
) -> None:
    """It cannot be told where their records end."""
    await rejecting._meta.db.execute_query(
        "UPDATE record_error SET byte_length = NULL WHERE job_id = $1", [rejecting.id]
    )
    url = (await link(app_client, partner, rejecting, REJECTED.replace("sizeBytes", "")))["url"]

    answer = await app_client.get(url)

    assert 410 == answer.status_code
    assert "did not note where a record ends" in answer.text


async def test_other_methods(app_client: httpx.AsyncClient, partner: Owner, rejecting: Job) -> None:
    """A link is for fetching."""
    url = (await link(app_client, partner, rejecting))["url"]

    assert 405 == (await app_client.post(url, headers=partner.headers)).status_code


@pytest.mark.parametrize(
    ("filename", "saved"),
    [
        ('../"evil\r\nSet-Cookie: a=b".csv', ".._evil__Set-Cookie_ a=b_.rejected.csv"),
        ("größe‮vsc.csv", "größe_vsc.rejected.csv"),
        ("orders", "orders.rejected.csv"),
        ("x" * 255, "x" * 242 + ".rejected.csv"),
        (".csv", "rejected.csv"),
        ("C:\\orders.CSV", "C__orders.rejected.CSV"),
    ],
)
async def test_hostile_names(
    app_client: httpx.AsyncClient, partner: Owner, store: Path, filename: str, saved: str
) -> None:
    """A name is one header's value, and no path."""
    job = await finished_job(partner, store, CONTENT, filename=filename)

    answer = await app_client.get((await link(app_client, partner, job))["url"])

    assert "set-cookie" not in answer.headers
    disposition = answer.headers["content-disposition"]
    assert saved.lstrip("._") in unquote(disposition.rpartition("UTF-8''")[2])
    assert disposition.isascii()
    assert not set("/\\:") & set(disposition.partition('filename="')[2].partition('"')[0])


async def test_the_rate_limit_counts(stack: Stack, partner: Owner, rejecting: Job) -> None:
    """For the partner whose job it is; links that nobody gave cost nobody anything."""
    made = Link(rejecting.id, Kind.REJECTED, int(time.time()) + 60)
    path, forged = (f"/downloads/{made.token(key)}" for key in (bytes(partner.row.key_hash), b"another"))

    async with application(stack, requests_per_minute=2) as (app, state):
        transport = httpx.ASGITransport(_with_state(app, state))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            statuses = [(await client.get(each)).status_code for each in (path, forged, forged, path, path)]

    assert [200, 404, 404, 200, 429] == statuses


async def test_the_operator_says_where_links_lead(stack: Stack, partner: Owner, rejecting: Job) -> None:
    """Behind a proxy the API does not know its own address."""
    async with application(stack, public_url="https://api.example.com/sluice/") as (app, state):
        transport = httpx.ASGITransport(_with_state(app, state))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            url = (await link(client, partner, rejecting))["url"]

    assert url.startswith("https://api.example.com/sluice/downloads/")


def _with_state(app: Starlette, state: dict[str, Any]) -> ASGIApp:
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return served


async def test_a_page_of_a_strange_origin(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job
) -> None:
    """It may not read what a link leads to."""
    url = (await link(app_client, partner, rejecting))["url"]

    assert 403 == (await app_client.get(url, headers={"origin": "https://evil.example"})).status_code


@pytest.mark.parametrize("retries", [1, 15])
async def test_links_of_a_page_of_retries_cost_two_statements(
    partner: Owner, rejecting: Job, caplog: pytest.LogCaptureFixture, retries: int
) -> None:
    """Whatever is asked of each, but for the size: the jobs, and what is outstanding of all of them."""
    for _ in range(retries):
        await make_job(
            partner=partner.row,
            parent_id=rejecting.id,
            root_id=rejecting.id,
            status="COMPLETED",
            records_rejected=1,
        )
    backends = cast("Backends", SimpleNamespace(settings=Settings()))
    query = "{ jobs(first: 20) { nodes { rejectedFile { url expiresAt } errorReport { url filename } } } }"

    with caplog.at_level(logging.DEBUG, "tortoise.db_client"):
        result = await graph_schema.execute(
            query, context_value=Context(backends, partner.key, partner.row, base_url="http://h")
        )

    assert result.errors is None
    assert 2 == sum(record.name == "tortoise.db_client" for record in caplog.records)
