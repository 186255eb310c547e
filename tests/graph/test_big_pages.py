"""Pages of large records end early, and no operation gives more data than fits into memory; nothing is lost by it."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tortoise import connections

from graph.context import MAX_DATA_MIB, Backends, Context
from graph.schema import schema as graph_schema
from models import Job, RecordSchema
from sluice.endpoints import Services
from tests.factories import make_job
from tests.graph.api import Owner, codes, data, execute, id_of
from tests.stack import Stack, running

_MIB = 1024 * 1024
_MAX_API_MIB = 200
_PAGE = """query ($id: ID!, $after: String) { job(id: $id) { records(first: 1000, after: $after) {
    nodes { index data } pageInfo { hasNextPage endCursor } totalCount } } }"""


@pytest.fixture(scope="module")
async def stack(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API of this file's own, whose memory tells what these tests made of it."""
    async with running(services, tmp_path_factory.mktemp("api"), workers=0) as stack:
        yield stack


async def _load(job: Job, count: int, length: int) -> None:
    """Records with a text of that length each."""
    await connections.get("default").execute_query(
        'INSERT INTO record (job_id, "index", data) SELECT $1, n, jsonb_build_object($$a$$, left(repeat(md5(n::text), $3 / 32 + 1), $3))'
        " FROM generate_series(0, $2 - 1) n",
        [job.id, count, length],
    )
    await Job.filter(id=job.id).update(records_accepted=count)


@pytest.fixture
async def four_mib(job: Job) -> Job:
    """A job whose first page of records has 4 MiB, and whose second one is short."""
    await _load(job, 5, _MIB - 100)
    return job


async def test_the_memory_of_the_api_does_not_grow_with_records(
    app_client: httpx.AsyncClient, stack: Stack, partner: Owner, job: Job
) -> None:
    """1,000 records of 300 KB: a client that pages by the rules gets each of them once."""
    await _load(job, 1_000, 300_000)
    found, after, is_more = [], None, True

    while is_more:
        page = (await data(app_client, partner, _PAGE, id=id_of(job), after=after))["job"]["records"]
        assert 0 < sum(len(record["data"]["a"]) for record in page["nodes"]) <= 4 * _MIB
        found += [record["index"] for record in page["nodes"]]
        after, is_more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    lists = " ".join(f"a{n}: records(first: 1000) {{ nodes {{ data }} }}" for n in range(4))
    await data(app_client, partner, f"query ($id: ID!) {{ job(id: $id) {{ {lists} }} }}", id=id_of(job))

    assert [str(index) for index in range(1_000)] == found
    assert _most_mib(stack.processes[0].pid) < _MAX_API_MIB


async def test_a_record_longer_than_a_page_is_a_page(
    app_client: httpx.AsyncClient, partner: Owner, job: Job
) -> None:
    """It can be read, whatever its length."""
    await _load(job, 3, 6 * _MIB)
    pages, after = [], None

    for _ in range(3):
        page = (await data(app_client, partner, _PAGE, id=id_of(job), after=after))["job"]["records"]
        after = page["pageInfo"]["endCursor"]
        pages.append((["index" in record for record in page["nodes"]], page["pageInfo"]["hasNextPage"]))

    assert [([True], True), ([True], True), ([True], False)] == pages


async def test_a_full_page_is_not_the_last_one_by_mistake(
    app_client: httpx.AsyncClient, partner: Owner, four_mib: Job
) -> None:
    """Neither when `first` and the limit of bytes end it at the same record, nor one beside it."""
    query = "query ($id: ID!, $n: Int) { job(id: $id) { records(first: $n) { nodes { index } pageInfo { hasNextPage } } } }"
    found = []

    for first in (3, 4, 5, 6):
        page = (await data(app_client, partner, query, id=id_of(four_mib), n=first))["job"]["records"]
        found.append((len(page["nodes"]), page["pageInfo"]["hasNextPage"]))

    assert [(3, True), (4, True), (4, True), (4, True)] == found


_LISTS = {
    "lists": ("a{n}: records(first: 1000) {{ nodes {{ data }} }}", ""),
    "names of the same data": ("records(first: 1000) {{ nodes {{ a{n}: data }} }}", ""),
    "names of the same nodes": ("records(first: 1000) {{ a{n}: nodes {{ data }} }}", ""),
    "names below edges": ("records(first: 1000) {{ edges {{ a{n}: node {{ data }} }} }}", ""),
    "fragments": (
        "records(first: 1000) {{ nodes {{ ...F{n} }} }}",
        "fragment F{n} on Record {{ ... on Record {{ a{n}: data }} }} ",
    ),
}


@pytest.mark.parametrize(("field", "fragment"), _LISTS.values(), ids=_LISTS)
async def test_an_operation_has_so_much_data_and_no_more(
    app_client: httpx.AsyncClient, partner: Owner, four_mib: Job, field: str, fragment: str
) -> None:
    """However the data comes into the answer. What is too much is an error, never a list that seems to be empty."""

    async def answer(times: int) -> dict[str, Any]:
        fields = " ".join(field.format(n=n) for n in range(times))
        fragments = " ".join(fragment.format(n=n) for n in range(times))
        query = f"query ($id: ID!) {{ job(id: $id) {{ {fields} }} }} {fragments}"
        return await execute(app_client, partner, query, id=id_of(four_mib))

    whole, too_much = await answer(4), await answer(6)

    assert "errors" not in whole
    assert 15 * _MIB < len(json.dumps(whole)) < MAX_DATA_MIB * _MIB
    assert {"BAD_USER_INPUT"} == set(codes(too_much))
    assert f"{MAX_DATA_MIB} MiB" in too_much["errors"][0]["message"]
    assert len(json.dumps(too_much)) < 10_000


async def test_the_same_field_twice_is_one_list(
    app_client: httpx.AsyncClient, partner: Owner, four_mib: Job
) -> None:
    """GraphQL merges it, and so do we when we count."""
    twice = "records(first: 1000) { nodes { data } ...F ... on RecordConnection { nodes { data } } } "
    query = "query ($id: ID!) { job(id: $id) { %s } } fragment F on RecordConnection { nodes { data data } }"

    answer = await execute(app_client, partner, query % (twice * 5), id=id_of(four_mib))

    assert "errors" not in answer


async def test_many_lists_of_small_records_are_allowed(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """What is counted is what was read, not what might have been."""
    for _ in range(20):
        await _load(await make_job(partner=partner.row, schema=schema), 3, 1_000)
    query = "{ jobs(first: 20) { nodes { records(first: 1000) { nodes { index data } } } } }"

    found = await data(app_client, partner, query)

    assert [3] * 20 == [len(job["records"]["nodes"]) for job in found["jobs"]["nodes"]]


async def test_operations_of_one_connection_do_not_share_what_they_may_give(
    partner: Owner, four_mib: Job
) -> None:
    """Equal ones at the same time, and one after the other, with the context of one WebSocket; nothing is left of them."""
    context = Context(cast("Backends", None), partner.key, partner.row)
    lists = " ".join(f"a{n}: records(first: 1000) {{ nodes {{ data }} }}" for n in range(3))
    query = f"query ($id: ID!) {{ job(id: $id) {{ {lists} }} }}"

    async def errors() -> Any:
        result = await graph_schema.execute(
            query, variable_values={"id": id_of(four_mib)}, context_value=context
        )
        return result.errors

    assert [None] * 3 == [*await asyncio.gather(errors(), errors(), errors())]
    assert [None, None] == [await errors(), await errors()]
    gc.collect()
    assert {} == context._allowances


async def test_how_many_there_are_is_told_without_reading_them(
    app_client: httpx.AsyncClient, partner: Owner, four_mib: Job
) -> None:
    """Twenty lists of 4 MiB would be too much."""
    lists = " ".join(f"a{n}: records(first: 1000) {{ totalCount }}" for n in range(20))

    found = await data(
        app_client, partner, f"query ($id: ID!) {{ job(id: $id) {{ {lists} }} }}", id=id_of(four_mib)
    )

    assert {"5"} == {page["totalCount"] for page in found["job"].values()}


def _most_mib(process_id: int) -> int:
    """The most memory that a process ever had."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


async def _fail(job: Job, count: int, length: int) -> None:
    """Errors with a raw value of that length each."""
    await connections.get("default").execute_query(
        "INSERT INTO record_error (job_id, record_index, seq, line, byte_offset, field, code, message, raw_value)"
        " SELECT $1, n, 0, n + 2, n, 'a', 'REQUIRED', 'No.', repeat('x', $3) FROM generate_series(0, $2 - 1) n",
        [job.id, count, length],
    )
    await Job.filter(id=job.id).update(records_rejected=count, error_counts={"a": {"REQUIRED": count}})


@pytest.mark.parametrize(("times", "is_refused"), [(1, False), (10, False), (25, True)])
async def test_texts_of_errors_count_too(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, times: int, is_refused: bool
) -> None:
    """A thousand values of a kilobyte: once is a page as ever, and under 25 names they would be 25 MB."""
    await _fail(job, 1_000, 1_024)
    names = " ".join(f"a{n}: rawValue" for n in range(times))
    query = f"query ($id: ID!) {{ job(id: $id) {{ errors(first: 1000) {{ nodes {{ message {names} }} }} }} }}"

    answer = await execute(app_client, partner, query, id=id_of(job))

    assert is_refused == ("errors" in answer)
    if is_refused:
        assert ["BAD_USER_INPUT"] == codes(answer)
        assert f"more than {MAX_DATA_MIB} MiB" in answer["errors"][0]["message"]
    else:
        assert 1_000 == len(answer["data"]["job"]["errors"]["nodes"])
