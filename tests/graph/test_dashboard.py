"""What there is on /: the dashboard for browsers, with its files, and JSON for all others; without a browser."""

import gzip
import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from graph import dashboard_page
from graph.dashboard_page import BUILT, FILES_PATH, PATH, is_built
from graph.plain_page import WITHOUT_DASHBOARD
from tests.graph.api import Owner, codes

HTML = '<!doctype html><title>Sluice</title><script type="module" src="/assets/index-A1b2C3d4.js"></script>'
SCRIPT = b"export {};" * 1000
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
OTHERS = [{"accept": "*/*"}, {"accept": "application/json"}, {"accept": ""}]
FILES = {
    "index-A1b2C3d4.js": "text/javascript; charset=utf-8",
    "index-B1b2C3d4.css": "text/css; charset=utf-8",
    "icon-C1b2C3d4.svg": "image/svg+xml",
    "text-D1b2C3d4.woff2": "font/woff2",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small build, with things in and beside it that are nobody's business."""
    built = tmp_path / "dist"
    assets = built / "assets"
    assets.mkdir(parents=True)
    (tmp_path / "secret.js.gz").write_bytes(gzip.compress(b"secret"))
    (built / "stats-A1b2C3d4.js.gz").write_bytes(gzip.compress(b"secret"))
    (assets / "index-A1b2C3d4.js.map").write_text("secret")
    for name in FILES:
        (assets / f"{name}.gz").write_bytes(gzip.compress(SCRIPT))
    (built / "index.html").write_text(HTML)
    return built


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    """An HTTP client of that build alone."""
    with serving(folder) as client:
        yield client


def serving(folder: Path) -> TestClient:
    """What `folder` holds, on the paths that the API has for it."""
    page = dashboard_page.load(folder)
    return TestClient(Starlette(routes=[Route(PATH, page.home), Route(FILES_PATH, page.file)]))


def directives(headers: Mapping[str, str]) -> dict[str, str]:
    """The Content-Security-Policy."""
    policy = headers["content-security-policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in policy)


def test_a_browser_gets_the_dashboard(client: TestClient) -> None:
    """Asked anew each time, since it names the files of one build; HEAD says the same."""
    response, head = client.get("/", headers=BROWSER), client.head("/", headers=BROWSER)

    assert (200, HTML) == (response.status_code, response.text)
    assert "text/html; charset=utf-8" == response.headers["content-type"]
    assert ("no-cache", "Accept") == (response.headers["cache-control"], response.headers["vary"])
    assert (200, response.headers) == (head.status_code, head.headers)


def test_it_may_load_from_this_server_alone_and_run_no_text(client: TestClient) -> None:
    """Whatever is missing here is refused."""
    response = client.get("/", headers=BROWSER)

    assert {
        "default-src": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'", "form-action": "'none'",
        "script-src": "'self'", "style-src": "'self'", "img-src": "'self'", "font-src": "'self'", "connect-src": "'self'",
        "require-trusted-types-for": "'script'",
    } == directives(response.headers)  # fmt: skip
    for name, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }.items():
        assert value == response.headers[name]
    granted = re.sub(r"[a-z-]+=\(\)(, |$)", "", response.headers["permissions-policy"])
    assert ("", True) == (granted, "camera=()" in response.headers["permissions-policy"])


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_kept_for_ever_by_its_name(client: TestClient, name: str) -> None:
    """Compressed for those who can read it, as it is for others; opened alone, it may do nothing."""
    packed = client.get(f"/assets/{name}", headers={"accept-encoding": "gzip, br"})
    plain = client.get(f"/assets/{name}", headers={"accept-encoding": "identity"})

    assert SCRIPT == packed.content == plain.content
    assert ("gzip", None) == (packed.headers["content-encoding"], plain.headers.get("content-encoding"))
    for response in (packed, plain):
        assert FILES[name] == response.headers["content-type"]
        assert "public, max-age=31536000, immutable" == response.headers["cache-control"]
        assert "Accept-Encoding" == response.headers["vary"]
        assert {"'none'"} == set(directives(response.headers).values())


@pytest.mark.parametrize(
    "name",
    [
        "..%2fsecret.js", "%2e%2e%2findex.html", "stats-A1b2C3d4.js", "index-A1b2C3d4.js.map", "index-A1b2C3d4.js.gz",
        "index-A1b2C3d4.js%00", "nothing.js", "",
    ],
)  # fmt: skip
def test_nothing_else_is_a_file(client: TestClient, name: str) -> None:
    """Only what was built to be loaded, by its whole name."""
    assert 404 == client.get(f"/assets/{name}").status_code


@pytest.mark.parametrize("accept", OTHERS, ids=str)
def test_the_page_is_for_browsers_alone(client: TestClient, accept: dict[str, str]) -> None:
    """And a cache that keeps the answer for others keeps it from browsers."""
    response = client.get("/", headers=accept)

    assert (404, "Accept") == (response.status_code, response.headers["vary"])


def test_without_a_build_a_browser_is_told_what_to_do(tmp_path: Path) -> None:
    """On a page with nothing to load: its style is named in its policy, by its hash."""
    response = serving(tmp_path).get("/", headers=BROWSER)

    assert (200, WITHOUT_DASHBOARD) == (response.status_code, response.text)
    assert "<code>make page</code>" in response.text
    assert ["/graphql"] == re.findall('href="(.*?)"', response.text)
    [style] = re.findall("<style>(.*?)</style>", response.text, re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    wanted = {"default-src": "'none'", "style-src": f"'sha256-{digest}'"}
    assert wanted.items() <= directives(response.headers).items()
    assert "script" not in response.headers["content-security-policy"]


def test_a_half_finished_build_is_none(folder: Path) -> None:
    """index.html is written last."""
    assert is_built(folder)
    (folder / "index.html").unlink()

    assert not is_built(folder)
    assert WITHOUT_DASHBOARD == serving(folder).get("/", headers=BROWSER).text
    assert 404 == serving(folder).get("/assets/index-A1b2C3d4.js").status_code


async def test_a_real_api_has_a_page_on_its_root(app_client: httpx.AsyncClient) -> None:
    """The dashboard where it has been built, else the page that says so; no key, and no word of ours that is unsafe."""
    response = await app_client.get("/", headers=BROWSER)
    head = await app_client.head("/", headers=BROWSER)

    assert (200, 200, b"") == (response.status_code, head.status_code, head.content)
    assert is_built() == (WITHOUT_DASHBOARD != response.text)
    assert "unsafe" not in response.headers["content-security-policy"]
    assert not response.headers.get("set-cookie")


@pytest.mark.parametrize("accept", OTHERS, ids=str)
async def test_a_program_is_told_where_the_api_is(
    app_client: httpx.AsyncClient, partner: Owner, accept: dict[str, str]
) -> None:
    """In JSON, with a key and without."""
    strangers = await app_client.get("/", headers=accept)
    response = await app_client.get("/", headers=accept | partner.headers)

    assert (401, ["UNAUTHENTICATED"]) == (strangers.status_code, codes(strangers.json()))
    assert (404, ["NOT_FOUND"]) == (response.status_code, codes(response.json()))
    for answer in (strangers, response):
        assert "POST /graphql" in answer.json()["errors"][0]["message"]


async def test_the_built_dashboard_names_files_that_are_there(app_client: httpx.AsyncClient) -> None:
    """Each with a hash in its name, on this server, compressed."""
    if not is_built():
        pytest.skip("the dashboard has not been built here: `make page` builds it, or says why it cannot")
    page = await app_client.get("/", headers=BROWSER)

    names = re.findall('(?:src|href)="([^"]+)"', page.text)
    assert {".js", ".css"} <= {Path(urlsplit(name).path).suffix for name in names}
    for name in [*names, *(f"/assets/{path.stem}" for path in (BUILT / "assets").glob("*.gz"))]:
        assert re.fullmatch(r"/assets/[\w.-]+-[\w-]{8,}\.\w+", name)
        response = await app_client.get(name)
        assert (200, "gzip") == (response.status_code, response.headers["content-encoding"])


def test_the_first_load_stays_small() -> None:
    """All of its script, compressed: what somebody waits for on a slow line."""
    if not is_built():
        pytest.skip("the dashboard has not been built here: `make page` builds it, or says why it cannot")
    scripts = [path.stat().st_size for path in (BUILT / "assets").glob("*.js.gz")]

    assert scripts
    assert sum(scripts) < 150_000
