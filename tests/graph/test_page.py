"""The page that a browser gets on /graphql, and its files; without a browser (tests/page has one)."""

import asyncio
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from graphql import OperationDefinitionNode, get_variable_values, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from graph.graphiql_page import BUILT, FILES_PATH, load
from graph.plain_page import WITHOUT_GRAPHIQL
from graph.schema import schema
from tests.graph.api import Owner, codes
from tests.stack import Stack

SCRIPT = b"export {};" * 1000
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
EXAMPLES = sorted((BUILT.parent / "examples").glob("*.graphql"))
HASHED = re.compile(r"[\w.-]+-[A-Z0-9]{8}\.\w+")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small build, and a file beside it that is nobody's business."""
    (tmp_path / "secret.js").write_text("secret")
    built = tmp_path / "dist"
    built.mkdir()
    (built / "index.html").write_text('<script src="graphql/page/page-A.js"></script>')
    (built / "page-A.js.gz").write_bytes(gzip.compress(SCRIPT))
    (built / "notes-B.txt.gz").write_bytes(gzip.compress(b"no media type is known for it"))
    return built


@pytest.fixture
def files(folder: Path) -> Iterator[TestClient]:
    """An HTTP client of the files alone."""
    page = load(folder)
    with TestClient(Starlette(routes=[Route(FILES_PATH, page.file)])) as client:
        yield client


def test_without_a_build_the_page_is_the_plain_one(tmp_path: Path) -> None:
    """It may load nothing, and there are no files."""
    page = load(tmp_path / "dist")

    assert WITHOUT_GRAPHIQL.encode() == page.response().body
    assert "script-src" not in page.headers["content-security-policy"]
    assert {} == page.files


def test_a_half_finished_build_is_none(folder: Path) -> None:
    """index.html is written last."""
    (folder / "index.html").unlink()

    assert WITHOUT_GRAPHIQL.encode() == load(folder).response().body


def test_a_build_is_served_under_a_policy_of_this_server_alone(folder: Path) -> None:
    """Nothing but its own files, and no script in the page itself."""
    response = load(folder).response()

    policy = response.headers["content-security-policy"]
    scripts = re.findall("script-src ([^;]+)", policy)
    assert b"page-A.js" in response.body
    assert policy.startswith("default-src 'none'; ")
    assert ["'self'"] == scripts
    assert "http" not in policy


def test_a_file_is_kept_for_ever_by_its_name(files: TestClient) -> None:
    """The name changes with the content."""
    response = files.get("/graphql/page/page-A.js")

    assert SCRIPT == response.content
    assert "text/javascript; charset=utf-8" == response.headers["content-type"]
    assert "public, max-age=31536000, immutable" == response.headers["cache-control"]
    assert "nosniff" == response.headers["x-content-type-options"]


def test_a_file_is_sent_compressed_to_those_who_can_read_it(files: TestClient) -> None:
    """Others get it as it is."""
    packed = files.get("/graphql/page/page-A.js", headers={"accept-encoding": "gzip, br"})
    plain = files.get("/graphql/page/page-A.js", headers={"accept-encoding": "identity"})

    assert ("gzip", "Accept-Encoding") == (packed.headers["content-encoding"], packed.headers["vary"])
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 10
    assert "content-encoding" not in plain.headers
    assert SCRIPT == plain.content == packed.content


async def test_a_file_is_unpacked_once(folder: Path) -> None:
    """Whoever asks without a key, and then does not read, makes the API hold no bytes of his own."""
    page = load(folder)
    request = Request({"type": "http", "headers": [], "path_params": {"name": "page-A.js"}})

    first, second = await page.file(request), await page.file(request)

    assert first.body is second.body


@pytest.mark.parametrize(
    "name",
    [
        "..%2fsecret.js",
        "%2e%2e%2fsecret.js",
        "..%2f..%2fpage.py",
        "page-A.js%00",
        "page-A.js.gz",
        "notes-B.txt",
        "..",
    ],
)
def test_nothing_else_is_a_file(files: TestClient, name: str) -> None:
    """Names lead nowhere outside, whatever they look like."""
    assert 404 == files.get(f"/graphql/page/{name}").status_code


async def test_no_way_leads_out_of_the_folder(stack: Stack) -> None:
    """As bytes on the wire, which no client has made better: 401, as everywhere without a key."""
    assert (BUILT.parent / "fetcher.js").exists()

    for name in ("../fetcher.js", "..%2ffetcher.js", "%2e%2e%2ffetcher.js", "/etc/passwd"):
        assert b"401" == (await _status_of(stack, f"/graphql/page/{name}"))


async def _status_of(stack: Stack, target: str) -> bytes:
    address = urlsplit(stack.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.split(b" ")[1]


async def test_a_file_that_is_not_there_is_a_404_for_those_with_a_key(
    app_client: httpx.AsyncClient, partner: Owner
) -> None:
    """Strangers learn nothing of what there is."""
    path = "/graphql/page/nothing.js"
    strangers = await app_client.get(path)
    response = await app_client.get(path, headers=partner.headers)

    assert (401, ["UNAUTHENTICATED"]) == (strangers.status_code, codes(strangers.json()))
    assert (404, ["NOT_FOUND"]) == (response.status_code, codes(response.json()))


async def test_the_built_page_names_files_that_are_there(app_client: httpx.AsyncClient) -> None:
    """Each with a hash in its name, without a key, and fast: they are in memory."""
    if not (BUILT / "index.html").exists():
        pytest.skip("GraphiQL has not been built here: `make page` builds it, or says why it cannot")
    page = await app_client.get("/graphql", headers=BROWSER)

    names = re.findall('(?:src|href)="graphql/page/([^"]+)"', page.text)
    assert [".css", ".js"] == sorted(Path(name).suffix for name in names)
    for name in [path.stem for path in BUILT.glob("*.gz")]:
        assert HASHED.fullmatch(name)
        response = await app_client.get(f"/graphql/page/{name}")
        assert (200, "gzip") == (response.status_code, response.headers["content-encoding"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_against_the_schema(path: Path) -> None:
    """With its variables: what is shown to newcomers works."""
    document = parse(path.read_text(encoding="utf-8"))
    [operation] = document.definitions
    given = path.with_suffix(".jsonc")
    variables = json.loads(given.read_text(encoding="utf-8")) if given.exists() else {}

    assert isinstance(operation, OperationDefinitionNode)
    assert [] == validate(schema._schema, document)
    defined = operation.variable_definitions or ()
    found = get_variable_values(schema._schema, defined, variables)
    errors = found if isinstance(found, list) else []
    assert variables.keys() == {each.variable.name.value for each in defined}
    assert all("'Upload!'" in error.message for error in errors), (
        errors
    )  # a file will take the place of the null


def test_there_are_examples() -> None:
    """The test above tests something."""
    assert 5 == len(EXAMPLES)
