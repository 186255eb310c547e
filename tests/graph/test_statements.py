"""How many SQL statements a query costs: as many for twenty rows as for one, and none that counts what is counted already."""

import logging
from typing import cast

import pytest

from graph.context import Backends, Context
from graph.schema import schema as graph_schema
from tests.factories import make_job
from tests.graph.api import Owner, id_of
from tests.graph.rows import load, make_schema

_JOB = "query ($id: ID!) { job(id: $id) { %s } }"
_STATEMENTS = {
    "{ viewer { name } }": 0,
    _JOB % "status progress { percent recordsRead } failure { code } errorSummary { count }": 1,
    _JOB % "recordSchema { name fields { name } }": 2,
    _JOB % "records(first: 10) { totalCount nodes { index data } pageInfo { hasNextPage } }": 2,
    _JOB % "errors(first: 10) { totalCount nodes { line message } pageInfo { hasNextPage } }": 2,
    _JOB % "errors(first: 10) { nodes { path } }": 3,
    _JOB % 'errors(filter: {field: "nobody"}) { totalCount nodes { line } }': 1,
    "{ jobs(first: 20) { totalCount nodes { status progress { percent } errorSummary { count } recordSchema { name } } } }": 3,
    "{ jobs(first: 20) { nodes { status dryRun onFailure discard { percent } commit { id } dryRunJob { id } } } }": 2,
    "{ jobs(first: 20) { nodes { outstanding parent { id } } } }": 3,
    _JOB % "outstanding": 1,
    _JOB % "retries(first: 20) { totalCount nodes { outstanding parent { id } } }": 5,
    _JOB
    % "records(first: 10, includeRetries: true) { totalCount nodes { data } pageInfo { hasNextPage } }": 2,
    "{ jobs(first: 20) { nodes { status } } }": 1,
    "{ recordSchemas(first: 20) { totalCount nodes { name fields { name } csv { quote } } } }": 2,
    "{ recordSchemas(first: 20, latest: true) { totalCount nodes { name fields { name } csv { quote } } } }": 2,
    '{ recordSchemas(first: 20, name: "orders") { totalCount nodes { name version } pageInfo { hasNextPage } } }': 2,
    '{ recordSchemas(first: 20, name: "orders", latest: true) { totalCount nodes { name version } } }': 2,
}


@pytest.mark.parametrize("jobs", [1, 20])
@pytest.mark.parametrize("query", _STATEMENTS)
async def test_a_query_costs_so_many_statements(
    partner: Owner, caplog: pytest.LogCaptureFixture, query: str, jobs: int
) -> None:
    """However many rows there are."""
    rows = [
        await make_job(partner=partner.row, schema=await make_schema(partner=partner.row))
        for _ in range(jobs)
    ]
    await load(rows[0], ['{"id": 1}'] * 20, [(20 + n, "id", "REQUIRED") for n in range(20)])
    for row in rows:
        retry = await make_job(partner=partner.row, parent_id=rows[0].id, root_id=rows[0].id)
        await load(retry, [], [(0, "id", "REQUIRED")])
        await make_job(partner=partner.row, parent_id=row.id, root_id=row.id)
    context = Context(cast("Backends", None), partner.key, partner.row)

    with caplog.at_level(logging.DEBUG, "tortoise.db_client"):
        result = await graph_schema.execute(
            query, variable_values={"id": id_of(rows[0])} if "$id" in query else None, context_value=context
        )

    assert result.errors is None
    statements = [record.getMessage() for record in caplog.records if record.name == "tortoise.db_client"]
    assert _STATEMENTS[query] == len(statements), statements
