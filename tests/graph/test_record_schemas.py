"""The lists of record schemas: all versions, those of a name, and the newest of each name, whatever else there is."""

import base64
import json
from typing import Any

import httpx
import pytest

from models import RecordSchema
from tasks.pipeline.definition import define
from tests.factories import DEFINITION
from tests.graph.api import Owner, codes, data, execute

_LIST = """query ($first: Int = 2, $after: String, $name: String, $latest: Boolean! = false) {
    recordSchemas(first: $first, after: $after, name: $name, latest: $latest) {
        totalCount nodes { id name version } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
_LONGEST = "\1" * 199 + "x"
_SAVED = ("stock", "orders", "orders", "Öl", "stock", "orders", "prices", "orders", "orders", _LONGEST)


async def _save(owner: Owner, *names: str) -> None:
    for name in names:
        await RecordSchema.save_version(owner.id, name, define(DEFINITION).model_dump(mode="json"))


@pytest.fixture
async def saved(partner: Owner, other_partner: Owner) -> None:
    """Versions of five names, and a stranger's of the same names and more, older and newer ones."""
    await _save(other_partner, "orders", "a", "stock", "zzz")
    await _save(partner, *_SAVED)
    await _save(other_partner, *_SAVED, "b")


async def _page(client: httpx.AsyncClient, owner: Owner, **asked: Any) -> Any:
    return (await data(client, owner, _LIST, **asked))["recordSchemas"]


async def _walk(client: httpx.AsyncClient, owner: Owner, **asked: Any) -> list[tuple[str, int]]:
    """Names and versions of all elements, page by page, each of which counts the same."""
    found: list[tuple[str, int]] = []
    after, totals, is_more = None, set(), True
    while is_more:
        page = await _page(client, owner, after=after, **asked)
        assert (after is not None) == page["pageInfo"]["hasPreviousPage"]
        found += [(node["name"], node["version"]) for node in page["nodes"]]
        totals.add(page["totalCount"])
        after, is_more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert {str(len(found))} == totals
    return found


_ORDERS = [("orders", version) for version in (5, 4, 3, 2, 1)]
_NEWEST = [(_LONGEST, 1), ("orders", 5), ("prices", 1), ("stock", 2), ("Öl", 1)]


@pytest.mark.parametrize("first", [1, 2, 5, 100])
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"name": "orders"}, _ORDERS),
        ({"name": "stock"}, [("stock", 2), ("stock", 1)]),
        ({"latest": True}, _NEWEST),
        ({"latest": True, "name": None}, _NEWEST),
        ({"latest": True, "name": "orders"}, [("orders", 5)]),
        ({"latest": True, "name": "Öl"}, [("Öl", 1)]),
    ],
    ids=["a name", "another name", "newest", "no name", "newest of a name", "newest of another"],
)
async def test_schemas_are_walked(
    app_client: httpx.AsyncClient,
    partner: Owner,
    saved: None,
    first: int,
    asked: dict[str, Any],
    expected: list[tuple[str, int]],
) -> None:
    """One's own only: versions newest first, names in their order; and totalCount counts what passes."""
    assert expected == await _walk(app_client, partner, first=first, **asked)


async def test_without_either_all_versions_are_walked(
    app_client: httpx.AsyncClient, partner: Owner, saved: None
) -> None:
    """As ever; also when both are given, as what they are by default."""
    for arguments in ("", "name: null, latest: false"):
        query = f"{{ recordSchemas(first: 100 {arguments}) {{ nodes {{ name }} }} }}"
        found = (await data(app_client, partner, query))["recordSchemas"]["nodes"]
        assert list(reversed(_SAVED)) == [node["name"] for node in found]
    assert list(reversed(_SAVED)) == [name for name, _ in await _walk(app_client, partner)]


@pytest.mark.parametrize(
    "name",
    ["a", "zzz", "Orders", "order%", "", " ", "\0", "x" * 10_000],
    ids=["theirs", "also theirs", "capital", "pattern", "empty", "blank", "NUL", "a book"],
)
@pytest.mark.parametrize("latest", [False, True])
async def test_a_name_that_is_not_ones_own_finds_nothing(
    app_client: httpx.AsyncClient, partner: Owner, saved: None, name: str, latest: bool
) -> None:
    """P8: another partner's name is like nobody's, and like one that nobody can have."""
    page = await _page(app_client, partner, name=name, latest=latest)

    assert ("0", [], False) == (page["totalCount"], page["nodes"], page["pageInfo"]["hasNextPage"])


async def test_a_new_version_between_two_pages_moves_nothing(
    app_client: httpx.AsyncClient, partner: Owner, saved: None
) -> None:
    """A name on a later page stays there with the version that is newest then; a page of versions goes on where it ended."""
    names = await _page(app_client, partner, latest=True)
    versions = await _page(app_client, partner, name="orders")

    await _save(partner, "orders", "stock", "orders")
    more_names = await _page(app_client, partner, latest=True, after=names["pageInfo"]["endCursor"], first=9)
    more = await _page(app_client, partner, name="orders", after=versions["pageInfo"]["endCursor"], first=9)

    assert [("prices", 1), ("stock", 3), ("Öl", 1)] == [
        (node["name"], node["version"]) for node in more_names["nodes"]
    ]
    assert [3, 2, 1] == [node["version"] for node in more["nodes"]]


async def test_behind_the_newest_version_of_a_name_is_nothing(
    app_client: httpx.AsyncClient, partner: Owner, saved: None
) -> None:
    """Not even once there is a newer one: the list has one element."""
    page = await _page(app_client, partner, name="orders", latest=True)
    await _save(partner, "orders")

    found = await _page(app_client, partner, name="orders", latest=True, after=page["pageInfo"]["endCursor"])

    assert ([], "1", False) == (found["nodes"], found["totalCount"], found["pageInfo"]["hasNextPage"])


_LISTS: dict[str, dict[str, Any]] = {"all": {}, "of a name": {"name": "orders"}, "newest": {"latest": True}}


@pytest.mark.parametrize("given", _LISTS)
@pytest.mark.parametrize("used", _LISTS)
async def test_a_cursor_leads_on_in_its_own_list_only(
    app_client: httpx.AsyncClient, partner: Owner, saved: None, given: str, used: str
) -> None:
    """In another one it is BAD_USER_INPUT, as damaged ones are."""
    cursor = (await _page(app_client, partner, **_LISTS[given]))["pageInfo"]["endCursor"]

    answer = await execute(app_client, partner, _LIST, after=cursor, **_LISTS[used])

    assert (given == used) == ("errors" not in answer)
    if given != used:
        assert ["BAD_USER_INPUT"] == codes(answer)


@pytest.mark.parametrize("used", ["of a name", "newest"])
async def test_a_foreign_cursor_shows_only_ones_own_schemas(
    app_client: httpx.AsyncClient, partner: Owner, other_partner: Owner, saved: None, used: str
) -> None:
    """P8: it is a place in an order, never a right."""
    mine = {str(node["id"]) for node in (await _page(app_client, partner, first=100))["nodes"]}
    cursor = (await _page(app_client, other_partner, first=1, **_LISTS[used]))["pageInfo"]["endCursor"]

    found = (await _page(app_client, partner, first=100, after=cursor, **_LISTS[used]))["nodes"]

    assert found
    assert {node["id"] for node in found} <= mine


def _cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


@pytest.mark.parametrize("key", [0, -1, 2**31, 2**63, "1", 1.5, None, "name"])
async def test_a_cursor_of_a_name_must_hold_a_version(
    app_client: httpx.AsyncClient, partner: Owner, key: object
) -> None:
    """0 is a place before every version; anything else that no version is never comes to the database."""
    answer = await execute(
        app_client, partner, _LIST, name="orders", after=_cursor(1, "recordSchemas of a name", key)
    )

    assert codes(answer) == ["BAD_USER_INPUT"] if key != 0 else "errors" not in answer


@pytest.mark.parametrize(
    "key",
    ["\0", "x" * 201, "x" * 5_000, 5, None, ["a"]],
    ids=["NUL", "201 characters", "5,000 characters", "a number", "null", "a list"],
)
@pytest.mark.parametrize("name", [None, "orders"])
async def test_a_cursor_of_names_must_hold_a_name(
    app_client: httpx.AsyncClient, partner: Owner, name: str | None, key: object
) -> None:
    """What no schema can be called never comes to the database."""
    after = _cursor(1, "recordSchemas of each name", key)

    answer = await execute(app_client, partner, _LIST, name=name, latest=True, after=after)

    assert ["BAD_USER_INPUT"] == codes(answer)


@pytest.mark.parametrize("asked", [{"name": "orders"}, {"latest": True}, {"name": "orders", "latest": True}])
async def test_first_has_the_bounds_of_every_list_of_schemas(
    app_client: httpx.AsyncClient, partner: Owner, asked: dict[str, Any]
) -> None:
    """1 to 100, and the product of `first` counts."""
    for first, is_refused in ((0, True), (1, False), (100, False), (101, True)):
        answer = await execute(app_client, partner, _LIST, first=first, **asked)
        assert is_refused == ("errors" in answer)
        assert not is_refused or codes(answer) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("arguments", ['name: "orders"', "latest: true"])
async def test_the_nodes_of_fewer_schemas_are_counted_as_those_of_all(
    app_client: httpx.AsyncClient, partner: Owner, arguments: str
) -> None:
    """By `first`, not by what there is: 4 pages of 100 with their fields are 20,000 nodes, and 5 are too many."""
    page = f"recordSchemas(first: 100, {arguments}) {{ nodes {{ fields {{ name }} }} }}"

    for pages, is_refused in ((4, False), (5, True)):
        query = "{ " + " ".join(f"a{number}: {page}" for number in range(pages)) + " }"
        answer = await execute(app_client, partner, query)
        assert is_refused == ("errors" in answer)
        assert not is_refused or "20,000 nodes" in answer["errors"][0]["message"]
