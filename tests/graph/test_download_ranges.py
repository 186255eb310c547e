"""Parts of a download, by real HTTP."""

import httpx
import pytest

from models import Job
from tests.graph.api import Owner
from tests.graph.finished import CUT, link


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=3-9", slice(3, 10)),
        ("bytes=30-", slice(30, None)),
        ("bytes=-4", slice(-4, None)),
        ("bytes=-4000", slice(0, None)),
        ("bytes=5-4000", slice(5, None)),
    ],
)
async def test_range(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job, asked: str, part: slice
) -> None:
    """One part of it."""
    url = (await link(app_client, partner, rejecting))["url"]

    answer = await app_client.get(url, headers={"range": asked})

    start, stop, _ = part.indices(len(CUT))
    assert (206, CUT[part]) == (answer.status_code, answer.content)
    assert f"bytes {start}-{stop - 1}/{len(CUT)}" == answer.headers["content-range"]
    assert str(stop - start) == answer.headers["content-length"]


@pytest.mark.parametrize("asked", ["bytes=4000-", "bytes=-0", "bytes=35-36"])
async def test_range_behind_the_end(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job, asked: str
) -> None:
    """416, with the size."""
    url = (await link(app_client, partner, rejecting))["url"]

    answer = await app_client.get(url, headers={"range": asked})

    assert (416, f"bytes */{len(CUT)}") == (answer.status_code, answer.headers["content-range"])


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "lines=0-1", "bytes=5-3", "bytes=-", "bytes=x-", "bytes=" + "9" * 50 + "-"]
)
async def test_range_that_is_none(
    app_client: httpx.AsyncClient, partner: Owner, rejecting: Job, asked: str
) -> None:
    """All of it, as if nothing had been asked."""
    url = (await link(app_client, partner, rejecting))["url"]

    answer = await app_client.get(url, headers={"range": asked})

    assert (200, CUT) == (answer.status_code, answer.content)


async def test_head_etag_and_if_range(app_client: httpx.AsyncClient, partner: Owner, rejecting: Job) -> None:
    """A download that broke off goes on where it was, if it is still the same."""
    url = (await link(app_client, partner, rejecting))["url"]

    head = await app_client.head(url)
    same = await app_client.get(url, headers={"range": "bytes=9-", "if-range": head.headers["etag"]})
    other = await app_client.get(url, headers={"range": "bytes=9-", "if-range": '"other"'})

    assert (200, b"", str(len(CUT))) == (head.status_code, head.content, head.headers["content-length"])
    assert (206, CUT[9:]) == (same.status_code, same.content)
    assert (200, CUT) == (other.status_code, other.content)
    assert head.headers["etag"] == same.headers["etag"] == other.headers["etag"]
