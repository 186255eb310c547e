"""What a page of record schemas costs a partner whose program saves a version for every file: as little as anybody."""

import json
import logging
from typing import Any, cast

import orjson
import pytest
from tortoise import connections

from graph import types_schema
from graph.context import Backends, Context
from graph.schema import schema as graph_schema
from tests.graph.api import Owner
from tests.graph.rows import make_schema

_VERSIONS = 50_000
_LIST = """query ($after: String, $name: String, $latest: Boolean!) {
    recordSchemas(after: $after, name: $name, latest: $latest) { nodes { name version } pageInfo { endCursor } } }"""


async def _fill(owner: Owner, definition: Any, name: str, versions: int) -> None:
    await connections.get("default").execute_query(
        "INSERT INTO record_schema (id, partner_id, name, version, definition, created_at)"
        " SELECT gen_random_uuid(), $1::uuid, $2, n, $3::jsonb, clock_timestamp() FROM generate_series(1, $4::int) AS n",
        [owner.id, name, orjson.dumps(definition).decode(), versions],
    )


@pytest.fixture
async def many(partner: Owner, other_partner: Owner) -> None:
    """50,000 versions of one name in the middle of 30 others, and a stranger's as many."""
    definition = (await make_schema(partner=partner.row)).definition
    for owner in (partner, other_partner):
        for number in range(30):
            await _fill(owner, definition, f"{'a' if number < 15 else 'z'} {number:02}", 1 + number % 3)
        await _fill(owner, definition, "many", _VERSIONS)
    await connections.get("default").execute_script("ANALYZE record_schema")


async def _page(
    owner: Owner, caplog: pytest.LogCaptureFixture, **asked: Any
) -> tuple[list[tuple[str, int]], str, list[int]]:
    """A page's names and versions, its last cursor, and how many rows each of its statements made PostgreSQL read."""
    caplog.clear()
    context = Context(cast("Backends", None), owner.key, owner.row)
    with caplog.at_level(logging.DEBUG, "tortoise.db_client"):
        result = await graph_schema.execute(_LIST, variable_values=asked, context_value=context)
    assert result.errors is None
    statements = [record.args for record in caplog.records if record.name == "tortoise.db_client"]
    found = cast("dict[str, Any]", result.data)["recordSchemas"]
    nodes = [(node["name"], node["version"]) for node in found["nodes"]]
    return nodes, found["pageInfo"]["endCursor"], [await _rows(*cast("Any", given)) for given in statements]


async def _rows(statement: str, values: list[Any]) -> int:
    [row] = await connections.get("default").execute_query_dict(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values
    )
    plan: Any = row["QUERY PLAN"]
    return _read(json.loads(plan)[0]["Plan"] if isinstance(plan, str) else plan[0]["Plan"])


def _read(node: dict[str, Any]) -> int:
    """The rows that the scans of tables and indexes below it gave or threw away."""
    own = 0
    if "Relation Name" in node:
        own = round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    return own + sum(_read(inner) for inner in node.get("Plans", ()))


async def test_a_page_reads_what_it_shows(
    partner: Owner, many: None, caplog: pytest.LogCaptureFixture
) -> None:
    """The first one of the newest and the one behind it; the first and a late one of a name; and its newest alone."""
    late_cursor = types_schema._VERSIONS._cursor((41,))
    names, cursor, first_read = await _page(partner, caplog, latest=True)
    more, _, more_read = await _page(partner, caplog, latest=True, after=cursor)
    versions, _, versions_read = await _page(partner, caplog, name="many", latest=False)
    late, _, late_read = await _page(partner, caplog, name="many", latest=False, after=late_cursor)
    newest, _, newest_read = await _page(partner, caplog, name="many", latest=True)

    wanted = [
        *(f"a {number:02}" for number in range(15)),
        "many",
        "orders",
        *(f"z {number}" for number in range(15, 30)),
    ]
    assert wanted == [name for name, _ in names + more]
    assert ("many", _VERSIONS) in names
    assert [("many", _VERSIONS - number) for number in range(20)] == versions
    assert [("many", 40 - number) for number in range(20)] == late
    assert [("many", _VERSIONS)] == newest
    for read in (first_read, more_read, versions_read, late_read, newest_read):
        assert [True] == [rows <= 3 * 21 for rows in read], read
