"""GraphiQL in a real browser, on a real API and worker."""

import json
import re
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.graphiql_page import BUILT
from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.browser.chromium import Page, chromium, missing
from tests.stack import Stack, create_schema, running, submit

RESPONSE = ".graphiql-response"
VARIABLES = ".graphiql-editor-tool"
BAR = ".bar"
ORDERS = "Order No,E-Mail,Amount,Currency\n1,ann@example.com,12.50,EUR\n2,bob(at)example.com,7.00,DM\n"
REFUSED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API that has GraphiQL, and a worker."""
    if not (BUILT / "index.html").exists():
        pytest.skip("GraphiQL has not been built here: `make page` builds it, or says why it cannot")
    if reason := missing():
        pytest.skip(reason)
    async with running(services, tmp_path_factory.mktemp("page")) as stack:
        yield stack


@pytest.fixture(scope="module")
async def partner(stack: Stack) -> AsyncIterator[ApiClient]:
    """Whose key is typed."""
    async with await stack.partner("Acme") as client:
        yield client


@pytest.fixture(scope="module")
async def browser(stack: Stack) -> AsyncIterator[Process]:
    """Chromium."""
    async with chromium() as process:
        yield process


@pytest.fixture
async def page(stack: Stack, browser: Process) -> AsyncIterator[Page]:
    """The page without a key. At the end it has asked nobody else for anything, and complained of nothing."""
    page = await opened(stack, browser)
    yield page
    await page.call(["title"])  # brings what was seen last
    own = stack.url.replace("http", "(http|ws)")
    assert page.requests
    assert [] == [url for url in page.requests if not re.match(f"{own}/", url)]
    assert [] == page.errors


async def opened(stack: Stack, browser: Process) -> Page:
    """The page, once one can type."""
    page = await Page.open(browser, f"{stack.url}/graphql")
    await page.shown(".graphiql-query-editor", "viewer")
    return page


def key_of(client: ApiClient) -> str:
    """What the partner would type."""
    return client._headers["X-API-Key"]


async def signed_in(page: Page, key: str) -> None:
    """Types the key."""
    await page.call(["getByLabel", "API key"], ["fill", key])
    await page.call(["getByLabel", "API key"], ["press", "Enter"])


async def run(page: Page, tab: str, variables: object = None) -> None:
    """Opens an example's tab, fills in the variables, and runs it."""
    await page.click("tab", tab)
    if variables is not None:
        await page.paste_over(VARIABLES, json.dumps(variables))
    await page.call(["locator", ".graphiql-execute-button"], ["click"])


async def test_without_a_key_the_page_asks_for_one(page: Page, stack: Stack) -> None:
    """The server is not even asked: it has given the page and its files, and nothing more."""
    await run(page, "WhoAmI")
    await page.shown(RESPONSE, "An API key is needed: type it into the field")

    await run(page, "WatchJob")
    await page.shown(RESPONSE, "An API key is needed: type it into the field")
    assert [f"{stack.url}/graphql"] == [url for url in page.requests if "/graphql/page/" not in url]


async def test_another_key_does_not_see_the_answers_to_the_one_before(
    page: Page, partner: ApiClient, stack: Stack
) -> None:
    """They go, and so does what was said before there was a key."""
    await signed_in(page, key_of(partner))
    await page.shown(RESPONSE, "^\\s*$")
    await run(page, "WhoAmI")
    await page.shown(RESPONSE, '"name": "Acme"')

    async with await stack.partner("Umbrella") as other:
        await signed_in(page, key_of(other))

    await page.shown(BAR, "Key of Umbrella")
    await page.shown(RESPONSE, "^\\s*$")


async def test_a_key_shows_whose_it_is_and_opens_the_documentation(page: Page, partner: ApiClient) -> None:
    """The bar, the first example, and the docs explorer by introspection."""
    await signed_in(page, key_of(partner))
    await page.shown(BAR, "Key of Acme")

    await run(page, "WhoAmI")

    await page.shown(RESPONSE, '"name": "Acme"')
    await page.call(["getByLabel", "Show Documentation Explorer"], ["click"])
    await page.click("link", "Query")
    await page.shown(".graphiql-plugin", "recordSchemas")


async def test_the_key_is_kept_in_this_tab_alone(page: Page, partner: ApiClient) -> None:
    """And it survives a reload there, as people expect."""
    await signed_in(page, key_of(partner))
    await run(page, "WhoAmI")
    await page.shown(RESPONSE, '"name": "Acme"')

    await page.call(["reload"])

    await page.shown(BAR, "Key of Acme")
    kept = await page.call(["evaluate", "JSON.stringify([sessionStorage, localStorage, document.cookie])"])
    in_tab, in_browser, cookies = json.loads(kept)
    assert key_of(partner) in json.dumps(in_tab)
    assert "WhoAmI" in json.dumps(in_browser)
    assert key_of(partner) not in json.dumps(in_browser)
    assert "" == cookies


async def test_a_wrong_key_is_told_in_words(stack: Stack, browser: Process) -> None:
    """Beside the field, in an answer, and in a subscription's."""
    page = await opened(stack, browser)
    await signed_in(page, "slc_00000000_" + "0" * 64)
    await page.shown(BAR, "This API key is not valid")

    await run(page, "WhoAmI")
    await page.shown(RESPONSE, "This API key is not valid")
    await run(page, "WatchJob")
    await page.shown(RESPONSE, "4403.*this API key is not valid")

    assert {REFUSED} == set(page.errors)


async def test_the_examples_lead_from_a_schema_to_its_records(
    page: Page, partner: ApiClient, tmp_path: Path
) -> None:
    """Create a schema, submit the file that was chosen, watch the job to its end, read what came of it."""
    (tmp_path / "orders.csv").write_text(ORDERS)
    await signed_in(page, key_of(partner))
    await page.shown(BAR, "Key of Acme")

    await run(page, "CreateSchema")
    schema_id = (await page.shown(RESPONSE, '"id": "([^"]+)"'))[1]

    await page.call(["getByLabel", "File for submitFile"], ["setInputFiles", str(tmp_path / "orders.csv")])
    await run(page, "SubmitFile", {"input": {"schemaId": schema_id, "file": None}})
    job_id = (await page.shown(RESPONSE, '"id": "([^"]+)"'))[1]

    await run(page, "WatchJob", {"id": job_id})
    await page.shown(RESPONSE, '"status": "COMPLETED".*"percent": 100.*"recordsAccepted": "1"')

    await run(page, "ReadJob")
    await page.shown(RESPONSE, '"filename": "orders.csv".*"INVALID_EMAIL".*"ann@example.com"')


async def test_a_job_is_watched_from_its_beginning_to_its_end(
    page: Page, partner: ApiClient, stack: Stack, tmp_path: Path
) -> None:
    """While somebody else submits it and no worker is there at first."""
    path = tmp_path / "orders.csv"
    path.write_text("id\n" + "\n".join(map(str, range(1000))) + "\n")
    worker = stack.processes[-1]
    worker.terminate()
    worker.wait(10)
    schema = await create_schema(partner, fields=[{"name": "id", "type": "INTEGER"}])
    job_id = await submit(partner, schema, path)
    await signed_in(page, key_of(partner))
    await page.shown(BAR, "Key of Acme")

    await run(page, "WatchJob", {"id": job_id})
    await page.shown(RESPONSE, '"status": "PENDING"')
    stack.start_worker()

    await page.shown(RESPONSE, '"status": "COMPLETED".*"recordsAccepted": "1000"')


async def test_the_page_follows_the_colours_of_the_system(page: Page) -> None:
    """Bar and GraphiQL alike."""
    colours = """[".bar", ".graphiql-container"].map((name) =>
        getComputedStyle(document.querySelector(name)).backgroundColor).join(" ")"""
    await page.call(["emulateMedia", {"colorScheme": "light"}])
    light = await page.call(["evaluate", colours])
    await page.call(["emulateMedia", {"colorScheme": "dark"}])
    dark = await page.call(["evaluate", colours])

    assert _is_bright(light) == [True, True]
    assert _is_bright(dark) == [False, False]


def _is_bright(colours: str) -> list[bool]:
    return [
        sum(map(int, channels.split(",")[:3])) > 3 * 128
        for channels in re.findall(r"rgba?\(([\d, ]+)", colours)
    ]
