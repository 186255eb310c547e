"""The dashboard in a real browser, on a real API and worker: one of each for a file of tests."""

import secrets
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from models.partner import KEY_SCHEME, _hash
from sluice.client import ApiClient
from sluice.endpoints import Services
from tests.browser.chromium import Page, chromium, missing
from tests.dashboard.person import Person
from tests.stack import ROOT, Stack, running

BUILT = ROOT / "dashboard" / "dist"


@pytest.fixture(scope="session")
def built() -> Path:
    """Where the built page lies."""
    if not (BUILT / "index.html").exists():
        pytest.skip("the dashboard has not been built here: `make page` builds it, or says why it cannot")
    return BUILT


@pytest.fixture(scope="module")
async def browser(built: Path) -> AsyncIterator[Process]:
    """Chromium."""
    if reason := missing():
        pytest.skip(reason)
    async with chromium() as process:
        yield process


@pytest.fixture(scope="module")
async def stack(
    browser: Process, services: Services, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """An API that has the dashboard, and a worker."""
    async with running(services, tmp_path_factory.mktemp("dashboard")) as stack:
        yield stack


@pytest.fixture
async def partner(stack: Stack) -> AsyncIterator[ApiClient]:
    """Whose key is typed: one that has nothing yet."""
    async with await new_partner(stack, "Acme") as client:
        yield client


async def new_partner(stack: Stack, name: str) -> ApiClient:
    """As `Stack.partner`, without the second that a command takes: nearly every test here has one of its own."""
    prefix = secrets.token_hex(4)
    key = f"{KEY_SCHEME}_{prefix}_{secrets.token_hex(32)}"
    await stack.query(
        "INSERT INTO partner (id, name, key_prefix, key_hash, created_at) VALUES ($1, $2, $3, $4, now())",
        uuid7(), name, prefix, _hash(key),
    )  # fmt: skip
    return ApiClient(stack.url, key)


def key_of(client: ApiClient) -> str:
    """What the partner would type."""
    return client._headers["X-API-Key"]


@asynccontextmanager
async def visiting(url: str, browser: Process, **options: Any) -> AsyncIterator[Person]:
    """Somebody who has opened the page of the server at `url`; `options` are those of `Page.open`."""
    person = Person(await Page.open(browser, f"{url}/", **options), url)
    yield person
    await person.page.call(["title"])  # brings what was seen last
    person.assert_undisturbed()


@pytest.fixture
async def visitor(stack: Stack, browser: Process) -> AsyncIterator[Person]:
    """Somebody who has not signed in."""
    async with visiting(stack.url, browser) as visitor:
        yield visitor


@pytest.fixture
async def person(visitor: Person, partner: ApiClient) -> Person:
    """Somebody who has signed in."""
    await visitor.sign_in(key_of(partner))
    await visitor.sees("heading", "Send a file")
    return visitor
