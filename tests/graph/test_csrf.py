"""What a foreign page can make a browser send without asking first (a "simple" request): it can do nothing, and reads nothing.

A browser sends cookies along, and whatever a form can say; it does not send X-API-Key without a preflight, which only
allowed origins pass. So there is nothing that `Apollo-Require-Preflight` would have to protect; it is welcome all the same.
"""

from pathlib import Path

import httpx
import pytest

from models import Job, RecordSchema
from tests.graph.api import MULTIPART, Owner, codes, id_of, submission

_CANCEL = "mutation ($id: ID!) { cancelJob(input: {jobId: $id}) { job { id } } }"
_FOREIGN = {"origin": "https://evil.example.com", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
_NO_ORIGIN: dict[str, str] = {}
_SENDERS = pytest.mark.parametrize("sender", [_FOREIGN, _NO_ORIGIN], ids=["foreign page", "old browser"])


def _cookies(owner: Owner) -> dict[str, str]:
    """All that a browser might have kept of a key."""
    return {"cookie": f"x-api-key={owner.key}; X-API-Key={owner.key}; apiKey={owner.key}"}


@_SENDERS
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MULTIPART["content-type"], b""),
        ("text/plain", b'{"query": "{ viewer { id } }"}'),
        ("application/x-www-form-urlencoded", b"query=%7B+viewer+%7B+id+%7D+%7D"),
        ("", b'{"query": "{ viewer { id } }"}'),
    ],
    ids=["multipart", "text", "form", "no type"],
)
async def test_a_simple_post_does_nothing(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, store: Path, sender: dict[str, str], content_type: str, body: bytes
) -> None:  # fmt: skip
    """An upload least of all: no job, no file."""
    files = set(store.iterdir()) if store.exists() else set()
    headers = {"content-type": content_type} | sender | _cookies(partner)

    response = await app_client.post("/graphql", content=body or submission(id_of(schema)), headers=headers)

    assert response.status_code == (403 if sender else 401)
    assert codes(response.json()) == (["FORBIDDEN"] if sender else ["UNAUTHENTICATED"])
    assert 0 == await Job.filter(partner_id=partner.id).count()
    assert files == (set(store.iterdir()) if store.exists() else set())


@_SENDERS
@pytest.mark.parametrize("query", ["{ viewer { id } }", _CANCEL], ids=["query", "mutation"])
async def test_a_get_does_nothing(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, sender: dict[str, str], query: str
) -> None:
    """Neither as a link nor as an image; the key cannot stand in the address."""
    params = {
        "query": query,
        "variables": f'{{"id": "{id_of(job)}"}}',
        "apiKey": partner.key,
        "x-api-key": partner.key,
    }

    response = await app_client.get("/graphql", params=params, headers=sender | _cookies(partner))

    assert response.status_code == (403 if sender else 401)
    assert "PENDING" == (await Job.get(id=job.id)).status


@pytest.mark.parametrize(
    "header", ["Apollo-Require-Preflight", "GraphQL-Preflight", "X-Apollo-Operation-Name"]
)
async def test_the_headers_of_csrf_prevention_are_accepted(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema, header: str
) -> None:
    """Clients may send them, and need not; they are no substitute for a key."""
    for owner, status in ((partner.headers, 200), ({}, 401)):
        headers = MULTIPART | owner | {header: "1"}
        response = await app_client.post("/graphql", content=submission(id_of(schema)), headers=headers)
        assert status == response.status_code
