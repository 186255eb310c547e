"""GraphQL over HTTP: keys, statuses, media types, bodies."""

import httpx
import pytest
from starlette.datastructures import Headers

from graph.exact_json import MAX_VALUES
from graph.media_types import Accepted
from tests.factories import make_job
from tests.graph.api import Owner, codes, id_of
from tests.graph.rows import make_schema
from tests.stack import Stack

VIEWER = {"query": "{ viewer { id name createdAt } }"}
GRAPHQL_JSON = "application/graphql-response+json"


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-api-key": ""}, {"x-api-key": "nonsense"}, {"x-api-key": "slc_00000000_" + "0" * 64}],
    ids=["missing", "empty", "senseless", "unknown"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_valid_key_there_is_a_401(
    app_client: httpx.AsyncClient, headers: dict[str, str], method: str
) -> None:
    """Whatever is asked, in JSON."""
    response = await app_client.request(
        method, "/graphql", params={"query": "{ viewer { id } }"}, headers=headers
    )

    assert (401, "application/json") == (response.status_code, response.headers["content-type"])
    assert ["UNAUTHENTICATED"] == codes(response.json())


@pytest.mark.parametrize("liked", ["application/json", GRAPHQL_JSON])
async def test_a_refusal_has_the_media_type_that_the_client_likes_best(
    app_client: httpx.AsyncClient, liked: str
) -> None:
    """Apollo Client reads no message out of a 401 that is application/json."""
    accept = {"accept": f"{liked}, application/json;q=0.9"}

    response = await app_client.post("/graphql", json=VIEWER, headers={**accept, "x-api-key": "nonsense"})

    assert (401, liked) == (response.status_code, response.headers["content-type"])
    assert ["UNAUTHENTICATED"] == codes(response.json())


async def test_a_key_with_one_wrong_character_is_refused(
    app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """The whole secret counts."""
    wrong = partner.key[:-1] + ("0" if partner.key[-1] != "0" else "1")

    response = await app_client.post("/graphql", json=VIEWER, headers={"x-api-key": wrong})

    assert 401 == response.status_code


async def test_viewer_is_the_partner_whose_key_it_is(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """With a global id, and times in UTC."""
    response = await app_client.post("/graphql", json=VIEWER, headers=partner.headers)

    viewer = response.json()["data"]["viewer"]
    assert (id_of(partner.row), "Acme") == (viewer["id"], viewer["name"])
    assert viewer["createdAt"].endswith("Z")


async def test_a_browser_gets_a_page_without_a_key(app_client: httpx.AsyncClient) -> None:
    """It loads nothing from anywhere."""
    response = await app_client.get(
        "/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    )

    assert (200, "text/html; charset=utf-8") == (response.status_code, response.headers["content-type"])
    assert "http" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_a_query_by_get_is_answered(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Variables come as JSON in the query string."""
    params = {"query": "query ($id: ID!) { job(id: $id) { id } }", "variables": '{"id": "x"}'}

    response = await app_client.get("/graphql", params=params, headers=partner.headers)

    assert {"data": {"job": None}} == response.json()


async def test_a_mutation_by_get_is_refused(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """405, and POST is what is allowed."""
    params = {"query": 'mutation { cancelJob(input: {jobId: "x"}) { job { id } } }'}

    response = await app_client.get("/graphql", params=params, headers=partner.headers)

    assert (405, "POST") == (response.status_code, response.headers["allow"])
    assert ["BAD_USER_INPUT"] == codes(response.json())


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused_with_405(app_client: httpx.AsyncClient, method: str) -> None:
    """As a JSON error that says what is allowed."""
    response = await app_client.request(method, "/graphql")

    assert (405, "GET, POST") == (response.status_code, response.headers["allow"])
    assert ["BAD_USER_INPUT"] == codes(response.json())


_BAD_BODIES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "empty": (400, b"", {}),
    "broken": (400, b'{"query": ', {}),
    "not UTF-8": (400, b'{"query": "\xff"}', {}),
    "a list": (400, b'[{"query": "{ viewer { id } }"}]', {}),
    "a string": (400, b'"{ viewer { id } }"', {}),
    "null": (400, b"null", {}),
    "no query": (400, b"{}", {}),
    "a blank query": (400, b'{"query": " "}', {}),
    "a query that is none": (400, b'{"query": {}}', {}),
    "variables a list": (400, b'{"query": "{ viewer { id } }", "variables": []}', {}),
    "extensions a string": (400, b'{"query": "{ viewer { id } }", "extensions": "x"}', {}),
    "half a surrogate pair": (400, rb'{"query": "{ viewer { id } }", "variables": {"a": "\ud800"}}', {}),
    "too deep": (400, b"[" * 200_000, {}),
    "too long": (413, b'{"query": "' + b" " * 1_100_000 + b'"}', {}),
    "an unknown operation": (400, b'{"query": "query A { viewer { id } }", "operationName": "B"}', {}),
    "a subscription": (400, b'{"query": "subscription { jobProgress(jobId: 1) { status } }"}', {}),
    "text": (415, b"{ viewer { id } }", {"content-type": "text/plain"}),
    "a form": (415, b"query=1", {"content-type": "application/x-www-form-urlencoded"}),
    "no type": (415, b"{}", {"content-type": ""}),
    "another charset": (415, b"{}", {"content-type": "application/json; charset=utf-16"}),
    "compressed": (415, b"{}", {"content-encoding": "gzip"}),
}


@pytest.mark.parametrize(("status", "body", "headers"), _BAD_BODIES.values(), ids=_BAD_BODIES)
async def test_a_body_that_makes_no_sense_is_refused(
    app_client: httpx.AsyncClient, partner: Owner, status: int, body: bytes, headers: dict[str, str]
) -> None:
    """With a fitting status and a JSON error, never a 500."""
    response = await app_client.post(
        "/graphql", content=body, headers={"content-type": "application/json"} | headers | partner.headers
    )

    assert status == response.status_code, response.text
    assert codes(response.json()) in (["BAD_USER_INPUT"], ["PAYLOAD_TOO_LARGE"])


@pytest.mark.parametrize(
    "document",
    ["{", "{ nothing }", "{ job { id } }", "query ($n: Int!) { jobs(first: $n) { totalCount } }"],
    ids=["syntax", "unknown field", "missing argument", "missing variable"],
)
async def test_an_operation_that_was_never_executed_has_the_status_of_its_media_type(
    app_client: httpx.AsyncClient, partner: Owner, document: str
) -> None:
    """400 for application/graphql-response+json, 200 for application/json; no `data` in either."""
    statuses = []
    for accept in (GRAPHQL_JSON, "application/json"):
        response = await app_client.post(
            "/graphql", json={"query": document}, headers=partner.headers | {"accept": accept}
        )
        statuses.append(response.status_code)
        assert ["BAD_USER_INPUT"] == codes(response.json())
        assert "data" not in response.json()
        assert response.headers["content-type"].startswith(accept)

    assert [400, 200] == statuses


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5, application/json", "application/json"),
        (f"{GRAPHQL_JSON.upper()}; charset=utf-8, application/json;q=0.9", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=x", "application/json"),
    ],
)
def test_the_media_type_is_the_one_the_client_likes_better(accept: str, chosen: str) -> None:
    """application/json when it does not say."""
    assert chosen == Accepted.of(Headers({"accept": accept})).json


async def test_an_error_of_ours_is_masked(
    stack: Stack, app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """The client gets a reference, the log has the same one with the cause, and neither shows the query."""
    job = await make_job(partner=partner.row, schema=await make_schema(partner=partner.row), format="NOPE")

    response = await app_client.post(
        "/graphql", json={"query": "query Q($id: ID!) { job(id: $id) { id } }", "variables": {"id": id_of(job)}},
        headers=partner.headers,
    )  # fmt: skip

    [error] = response.json()["errors"]
    assert "INTERNAL" == error["extensions"]["code"]
    assert "NOPE" not in error["message"]
    reference = error["message"].split("reference ")[1].split()[0]
    assert reference in stack.log
    assert partner.key not in stack.log


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("POST", "/graphql/"), ("GET", "/other"), ("POST", "/health")]
)
async def test_elsewhere_there_is_json_for_those_with_a_key(
    app_client: httpx.AsyncClient, partner: Owner, method: str, path: str
) -> None:
    """401 without one, which tells nothing of what there is; no redirect, after which clients send their file twice."""
    strangers = await app_client.request(method, path)
    response = await app_client.request(method, path, headers=partner.headers)

    assert (401, ["UNAUTHENTICATED"]) == (strangers.status_code, codes(strangers.json()))
    assert response.status_code == (405 if path == "/health" else 404)
    assert codes(response.json()) == (["BAD_USER_INPUT"] if path == "/health" else ["NOT_FOUND"])


async def test_too_much_json_is_told_from_bad_json(app_client: httpx.AsyncClient, partner: Owner) -> None:
    """Valid JSON with too many values is not called invalid."""
    body = {**VIEWER, "variables": {"a": [1] * (MAX_VALUES + 1)}}

    response = await app_client.post("/graphql", json=body, headers=partner.headers)

    assert 400 == response.status_code
    assert (
        f"The body has too many values: {MAX_VALUES:,} are allowed."
        == response.json()["errors"][0]["message"]
    )
