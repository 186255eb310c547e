"""Job.records(includeRetries: true): one list of many jobs, any page of which costs what the first one costs."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from tortoise import connections

from graph import types_record
from models import Job
from tests.factories import make_job
from tests.graph.api import Owner, codes, data, execute, id_of

COUNT = 60_000
_LIMIT = 101
_PAGE = """query ($id: ID!, $after: String) { job(id: $id) { records(first: 1000, after: $after, includeRetries: true) {
    nodes { index originIndex } pageInfo { endCursor hasNextPage } totalCount } } }"""


@pytest.fixture
async def retry(job: Job, partner: Owner) -> Job:
    """A retry that has loaded every third record of `job`, in the opposite order."""
    retry = await make_job(
        partner=partner.row, status="COMPLETED", parent_id=job.id, root_id=job.id, records_accepted=COUNT // 3
    )
    database = connections.get("default")
    await database.execute_query(
        "INSERT INTO record (job_id, \"index\", data) SELECT $1, n, '{}' FROM generate_series(0, $2 - 1) n WHERE n % 3 > 0",
        [job.id, COUNT],
    )
    await database.execute_query(
        'INSERT INTO record (job_id, "index", data, origin_index)'
        " SELECT $1, n, '{}', ($2 / 3 - 1 - n) * 3 FROM generate_series(0, $2 / 3 - 1) n",
        [retry.id, COUNT],
    )
    await database.execute_query(
        'INSERT INTO retried_record (root_id, origin_index, job_id, "index")'
        ' SELECT $1, origin_index, job_id, "index" FROM record WHERE job_id = $2',
        [job.id, retry.id],
    )
    await database.execute_script("ANALYZE record; ANALYZE retried_record")
    await Job.filter(id=job.id).update(
        status="COMPLETED", records_accepted=COUNT - COUNT // 3, records_retried=COUNT // 3
    )
    return retry


async def _blocks(family_id: object, behind: int, only: Sequence[object] | None) -> int:
    """How many blocks PostgreSQL looks at for a page."""
    [row] = await connections.get("default").execute_query_dict(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {types_record._FAMILY_PAGE}",
        [family_id, behind, _LIMIT, 1_000_000, only],
    )
    plan: Any = row["QUERY PLAN"]
    node = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


async def test_a_page_at_the_end_costs_what_the_first_one_costs(job: Job, retry: Job) -> None:
    """For the whole family and for a retry alone."""
    for only in (None, [retry.id]):
        costs = [await _blocks(job.id, behind, only) for behind in (-1, COUNT // 2, COUNT - 400)]
        assert max(costs) < 1.1 * min(costs), (only, costs)
        assert max(costs) < 1_000, (only, costs)


async def test_the_family_is_one_list_in_the_order_of_the_first_file(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, retry: Job
) -> None:
    """Every record once, over page borders; on the retry its own alone, in the same order."""
    for asked, wanted in ((job, range(COUNT)), (retry, range(0, COUNT, 3))):
        found, after, is_more = [], None, True
        while is_more:
            page = (await data(app_client, partner, _PAGE, id=id_of(asked), after=after))["job"]["records"]
            found += [int(node["originIndex"]) for node in page["nodes"]]
            after, is_more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
            assert str(len(wanted)) == page["totalCount"]
        assert list(wanted) == found


async def test_the_cursors_of_the_two_lists_are_apart(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, retry: Job
) -> None:
    """A place in one is none in the other."""
    page = (await data(app_client, partner, _PAGE, id=id_of(job)))["job"]["records"]

    answer = await execute(
        app_client, partner, "query ($id: ID!, $after: String) { job(id: $id) { records(after: $after) { totalCount } } }",
        id=id_of(job), after=page["pageInfo"]["endCursor"],
    )  # fmt: skip

    assert ["BAD_USER_INPUT"] == codes(answer)
