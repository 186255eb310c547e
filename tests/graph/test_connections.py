"""Lists: every element once, on whatever pages; cursors that are not ours are refused."""

import base64
import json
from typing import Any

import httpx
import pytest

from models import Job, RecordSchema
from tests.factories import make_job
from tests.graph.api import Owner, codes, data, execute, id_of
from tests.graph.rows import finish, load, make_schema

PAGE = "edges { cursor node { %s } } nodes { %s } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount"


async def _walk(
    client: httpx.AsyncClient, owner: Owner, field: str, key: str, first: int, **variables: Any
) -> list[Any]:
    """All elements of a list, page by page; `field` is its query with `%s` for first and after."""
    found: list[Any] = []
    after = None
    while True:
        query = field.replace("ARGUMENTS", f"first: {first}, after: {json.dumps(after)}").replace(
            "PAGE", PAGE % (key, key)
        )
        page = await data(client, owner, query, **variables)
        while "pageInfo" not in page:
            [page] = page.values()
        info = page["pageInfo"]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert len(page["nodes"]) <= first
        assert (after is not None) == info["hasPreviousPage"]
        if page["edges"]:
            assert [page["edges"][0]["cursor"], page["edges"][-1]["cursor"]] == [
                info["startCursor"],
                info["endCursor"],
            ]
        found += page["nodes"]
        if not info["hasNextPage"]:
            assert str(len(found)) == page["totalCount"]
            return found
        after = info["endCursor"]


@pytest.fixture
async def loaded(job: Job) -> Job:
    """A finished job with 7 records and 5 errors in 3 records."""
    errors: list[tuple[int, str | None, str]] = [
        (1, "id", "REQUIRED"), (1, "email", "INVALID_EMAIL"), (4, None, "COLUMN_COUNT"),
        (5, "id", "REQUIRED"), (5, "email", "REQUIRED"),
    ]  # fmt: skip
    await load(job, [f'{{"id": {n}}}' for n in range(7)], errors)
    await finish(job)
    return job


@pytest.mark.parametrize("first", [1, 2, 3, 7, 100])
async def test_records_are_walked_in_file_order(
    app_client: httpx.AsyncClient, partner: Owner, loaded: Job, first: int
) -> None:
    """Indexes count rejected records, too."""
    query = "query ($id: ID!) { job(id: $id) { records(ARGUMENTS) { PAGE } } }"

    found = await _walk(app_client, partner, query, "index data", first, id=id_of(loaded))

    assert ["0", "2", "3", "6", "7", "8", "9"] == [record["index"] for record in found]
    assert [{"id": n} for n in range(7)] == [record["data"] for record in found]


@pytest.mark.parametrize("first", [1, 4, 5, 1000])
async def test_large_records_are_walked_though_their_pages_end_early(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, first: int
) -> None:
    """A page holds 4 MiB at most, or one record; the cursor of the last one leads on."""
    lengths = [900_000, 1, 2_000_000, 1_500_000, 5_000_000, 5_000_000, 1, 1, 4_000_000, 1]
    await load(job, [json.dumps({"a": "x" * length}) for length in lengths], [(1, "id", "REQUIRED")])
    query = "query ($id: ID!) { job(id: $id) { records(ARGUMENTS) { PAGE } } }"

    found = await _walk(app_client, partner, query, "index data", first, id=id_of(job))

    assert ["0", *map(str, range(2, 11))] == [record["index"] for record in found]
    assert lengths == [len(record["data"]["a"]) for record in found]


@pytest.mark.parametrize("first", [1, 2, 100])
@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (
            "",
            [
                "1 id REQUIRED",
                "1 email INVALID_EMAIL",
                "4 None COLUMN_COUNT",
                "5 id REQUIRED",
                "5 email REQUIRED",
            ],
        ),
        ('filter: {field: "id"}', ["1 id REQUIRED", "5 id REQUIRED"]),
        ("filter: {code: REQUIRED}", ["1 id REQUIRED", "5 id REQUIRED", "5 email REQUIRED"]),
        ('filter: {field: "email", code: REQUIRED}', ["5 email REQUIRED"]),
        ("filter: {code: COLUMN_COUNT}", ["4 None COLUMN_COUNT"]),
        ("filter: {field: null, code: COLUMN_COUNT}", ["4 None COLUMN_COUNT"]),
        ('filter: {field: "nobody"}', []),
        ('filter: {field: ""}', []),
        ('filter: {field: "\\u0000"}', []),
    ],
    ids=["all", "field", "code", "both", "whole record", "null", "unknown", "empty", "NUL"],
)
async def test_errors_are_walked_and_counted_with_their_filter(
    app_client: httpx.AsyncClient, partner: Owner, loaded: Job, first: int, filter: str, expected: list[str]
) -> None:
    """In file order, and totalCount counts what passes."""
    query = f"query ($id: ID!) {{ job(id: $id) {{ errors(ARGUMENTS {filter}) {{ PAGE }} }} }}"

    found = await _walk(app_client, partner, query, "recordIndex field code", first, id=id_of(loaded))

    assert expected == [f"{error['recordIndex']} {error['field']} {error['code']}" for error in found]


async def test_an_error_says_where_and_what(
    app_client: httpx.AsyncClient, partner: Owner, loaded: Job
) -> None:
    """Every column reaches the client."""
    query = """query ($id: ID!) { job(id: $id) { errors(first: 1) { nodes {
        recordIndex line byteOffset field code message rawValue } } } }"""

    found = await data(app_client, partner, query, id=id_of(loaded))

    assert {
        "recordIndex": "1", "line": "3", "byteOffset": "10", "field": "id", "code": "REQUIRED",
        "message": "No.", "rawValue": "x",
    } == found["job"]["errors"]["nodes"][0]  # fmt: skip


async def test_error_summary_is_ordered_by_count_then_field_then_code(
    app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """Whole records come first among equals."""
    counts = {
        "b": {"REQUIRED": 2, "INVALID_DATE": 2},
        "a": {"TOO_LONG": 2},
        "": {"COLUMN_COUNT": 2},
        "c": {"REQUIRED": 9},
    }
    await Job.filter(id=job.id).update(error_counts=counts)

    found = await data(
        app_client,
        partner,
        "query ($id: ID!) { job(id: $id) { errorSummary { field code count } } }",
        id=id_of(job),
    )

    assert [
        ("c", "REQUIRED", "9"), (None, "COLUMN_COUNT", "2"), ("a", "TOO_LONG", "2"),
        ("b", "INVALID_DATE", "2"), ("b", "REQUIRED", "2"),
    ] == [tuple(entry.values()) for entry in found["job"]["errorSummary"]]  # fmt: skip


@pytest.mark.parametrize("first", [1, 2, 5, 100])
async def test_jobs_are_walked_newest_first(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, schema: RecordSchema, first: int
) -> None:
    """One's own only."""
    await make_job(partner=other_partner.row)
    made = [await make_job(partner=partner.row, schema=schema) for _ in range(5)]

    found = await _walk(app_client, partner, "{ jobs(ARGUMENTS) { PAGE } }", "id recordSchema { id }", first)

    assert [id_of(job) for job in reversed(made)] == [job["id"] for job in found]
    assert {id_of(schema)} == {job["recordSchema"]["id"] for job in found}


async def test_jobs_are_filtered_by_status_and_schema(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, schema: RecordSchema
) -> None:
    """Both may be given; a foreign or senseless schema finds nothing."""
    newer = await make_schema(partner=partner.row)
    foreign = await make_schema(partner=other_partner.row)
    done, _ = (
        await make_job(partner=partner.row, schema=schema),
        await make_job(partner=partner.row, schema=schema),
    )
    await make_job(partner=partner.row, schema=newer)
    await make_job(partner=other_partner.row, schema=foreign)
    await finish(done)
    query = "query ($filter: JobFilter) { jobs(filter: $filter) { totalCount nodes { id } } }"

    async def found(**filter: str) -> int:
        page = (await data(app_client, partner, query, filter=filter))["jobs"]
        assert str(len(page["nodes"])) == page["totalCount"]
        return len(page["nodes"])

    assert [3, 1, 2, 1, 1, 0, 0] == [
        await found(),
        await found(status="COMPLETED"),
        await found(status="PENDING"),
        await found(status="PENDING", recordSchemaId=id_of(schema)),
        await found(recordSchemaId=id_of(newer)),
        await found(recordSchemaId=id_of(foreign)),
        await found(recordSchemaId="senseless"),
    ]


async def test_record_schemas_are_walked_newest_first(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner
) -> None:
    """All versions, one's own only."""
    await make_schema(partner=other_partner.row)
    made = [await make_schema(partner=partner.row) for _ in range(3)]

    found = await _walk(app_client, partner, "{ recordSchemas(ARGUMENTS) { PAGE } }", "id version", 2)

    assert [(id_of(row), row.version) for row in reversed(made)] == [
        (node["id"], node["version"]) for node in found
    ]


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


_CURSORS = {
    "empty": "",
    "no base64": "%%%",
    "no JSON": base64.urlsafe_b64encode(b"hello").decode(),
    "no list": _encoded({"v": 1, "k": 2}),
    "a number": _encoded(5),
    "another version": _encoded([2, "records", 1]),
    "another list": _encoded([1, "errors", 1, 1]),
    "too short": _encoded([1, "records"]),
    "too long": _encoded([1, "records", 1, 2]),
    "a string for a number": _encoded([1, "records", "1"]),
    "a boolean": _encoded([1, "records", True]),
    "a float": _encoded([1, "records", 1.0]),
    "negative": _encoded([1, "records", -1]),
    "beyond 64 bits": _encoded([1, "records", 2**63]),
    "a book": "A" * 100_000,
}


@pytest.mark.parametrize("cursor", _CURSORS.values(), ids=_CURSORS)
async def test_a_damaged_cursor_is_bad_user_input(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, cursor: str
) -> None:
    """Whatever has become of it."""
    query = "query ($id: ID!, $after: String) { job(id: $id) { records(after: $after) { totalCount } } }"

    answer = await execute(app_client, partner, query, id=id_of(job), after=cursor)

    assert ["BAD_USER_INPUT"] == codes(answer)


@pytest.mark.parametrize("key", [5, "x", None, "\0"])
async def test_a_cursor_of_jobs_must_hold_an_id(
    app_client: httpx.AsyncClient, partner: Owner, key: object
) -> None:
    """Anything else is refused before the database sees it."""
    query = "query ($after: String) { jobs(after: $after) { totalCount } }"

    answer = await execute(app_client, partner, query, after=_encoded([1, "jobs", key]))

    assert ["BAD_USER_INPUT"] == codes(answer)


@pytest.mark.parametrize(
    ("query", "good"),
    [
        ("query ($n: Int, $id: ID!) { jobs(first: $n) { totalCount } job(id: $id) { id } }", [1, 100, None]),
        (
            "query ($n: Int, $id: ID!) { recordSchemas(first: $n) { totalCount } job(id: $id) { id } }",
            [1, 100, None],
        ),
        ("query ($n: Int, $id: ID!) { job(id: $id) { records(first: $n) { totalCount } } }", [1, 1000, None]),
        ("query ($n: Int, $id: ID!) { job(id: $id) { errors(first: $n) { totalCount } } }", [1, 1000, None]),
    ],
    ids=["jobs", "recordSchemas", "records", "errors"],
)
async def test_first_has_bounds(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, query: str, good: list[int | None]
) -> None:
    """100 for jobs and schemas, 1,000 for records and errors; outside it is BAD_USER_INPUT."""
    for first in good:
        assert "errors" not in await execute(app_client, partner, query, n=first, id=id_of(job))
    for first in (0, -1, (good[1] or 0) + 1):
        assert ["BAD_USER_INPUT"] == codes(await execute(app_client, partner, query, n=first, id=id_of(job)))


async def test_numbers_keep_all_their_digits(app_client: httpx.AsyncClient, partner: Owner, job: Job) -> None:
    """0.10 stays 0.10, and 30 digits stay 30 digits, in the text of the answer."""
    loaded = '{"a": 0.10, "b": 123456789012345678901234567890, "c": "ü", "d": null}'
    await load(job, [loaded], [])
    query = "query ($id: ID!) { job(id: $id) { records { nodes { data } } } }"

    response = await app_client.post(
        "/graphql", json={"query": query, "variables": {"id": id_of(job)}}, headers=partner.headers
    )

    assert '"a": 0.10' in response.text
    assert '"b": 123456789012345678901234567890,' in response.text
    assert {"a": 0.1, "b": 123456789012345678901234567890, "c": "ü", "d": None} == (
        response.json()["data"]["job"]["records"]["nodes"][0]["data"]
    )
