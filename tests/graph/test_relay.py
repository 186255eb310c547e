"""Connections while rows come in: `hasNextPage` is true to fact, cursors stay where they are, and damaged ones are refused."""

import asyncio
import random
from typing import Any

import httpx
import pytest
from tortoise import connections

from models import Job, RecordSchema
from tests.factories import make_job
from tests.graph.api import Owner, codes, data, execute, id_of
from tests.graph.rows import load, make_schema

_RECORDS = "query ($id: ID!, $first: Int, $after: String) { job(id: $id) { page: records(first: $first, after: $after) { nodes { index } pageInfo { hasNextPage endCursor } } } }"
_ERRORS = "query ($id: ID!, $first: Int, $after: String) { job(id: $id) { page: errors(first: $first, after: $after) { nodes { index: recordIndex } pageInfo { hasNextPage endCursor } } } }"
_JOBS = "query ($id: ID!, $first: Int, $after: String) { job(id: $id) { id } page: jobs(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"
_SCHEMAS = "query ($id: ID!, $first: Int, $after: String) { job(id: $id) { id } page: recordSchemas(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"
_LISTS = {"records": _RECORDS, "errors": _ERRORS, "jobs": _JOBS, "recordSchemas": _SCHEMAS}
_ROWS = 300


class Loader:
    """Commits rows of a job in small batches, as a worker does, and knows which are there."""

    def __init__(self, job: Job, statement: str, chance: random.Random) -> None:
        self._job = job
        self._statement = statement
        self._chance = chance
        self.count = 0
        self.caught_up = asyncio.Event()
        """Set by who walks, when there is nothing more."""

    async def run(self) -> None:
        """All of them, never far ahead of who walks."""
        while self.count < _ROWS:
            size = min(_ROWS - self.count, self._chance.randint(1, 9))
            await connections.get("default").execute_query(
                self._statement, [self._job.id, self.count, self.count + size - 1]
            )
            self.count += size
            if self._chance.random() < 0.3:
                self.caught_up.clear()
                await self.caught_up.wait()


_INSERT_RECORDS = (
    "INSERT INTO record (job_id, \"index\", data) SELECT $1, n, '{}' FROM generate_series($2::int, $3::int) n"
)
_INSERT_ERRORS = """
WITH loaded AS (
  INSERT INTO record_error (job_id, record_index, seq, line, byte_offset, field, code, message, raw_value)
  SELECT $1, n, 0, n + 2, n, 'id', 'REQUIRED', 'No.', '' FROM generate_series($2::int, $3::int) n
)
UPDATE job SET error_counts = jsonb_build_object('id', jsonb_build_object('REQUIRED', $3::int + 1)) WHERE id = $1
"""


@pytest.mark.parametrize(
    ("query", "statement"),
    [(_RECORDS, _INSERT_RECORDS), (_ERRORS, _INSERT_ERRORS)],
    ids=["records", "errors"],
)
async def test_a_list_that_grows_is_walked_without_gap_or_repetition(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, query: str, statement: str
) -> None:
    """False: there was nothing more when it was asked. True: the next page has something. The last cursor leads on."""
    loader = Loader(job, statement, random.Random(5))
    loading = asyncio.create_task(loader.run())
    found: list[int] = []
    after, promised, ends, pages = None, False, 0, 0
    while len(found) < _ROWS:
        there = loader.count
        answer = await data(app_client, partner, query, id=id_of(job), first=3, after=after)
        page = answer["job"]["page"]
        indexes = [int(node["index"]) for node in page["nodes"]]
        found += indexes
        assert indexes or not promised
        promised = page["pageInfo"]["hasNextPage"]
        pages += 1
        if not promised:
            ends += 1
            loader.caught_up.set()
            assert len(found) >= there, "there were more, and it said no"
        after = page["pageInfo"]["endCursor"] or after
    await loading

    assert list(range(_ROWS)) == found
    assert 1 < ends < pages - 1, "nothing was shown: the walker was always behind, or never"


async def test_new_jobs_shift_no_page(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """They come in at the front; who walks on behind it sees each older one once."""
    made = [id_of(await make_job(partner=partner.row, schema=schema)) for _ in range(9)]
    found: list[str] = []
    after, has_next = None, True
    while has_next:
        page = (await data(app_client, partner, _JOBS, id="x", first=2, after=after))["page"]
        found += [node["id"] for node in page["nodes"]]
        has_next, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
        await make_job(partner=partner.row, schema=schema)

    assert made[::-1] == found


@pytest.fixture
async def cursors(app_client: httpx.AsyncClient, partner: Owner, job: Job) -> dict[str, str]:
    """One of each list."""
    await make_job(partner=partner.row)
    await make_schema(partner=partner.row)
    await load(job, ["{}", "{}"], [(2, "id", "REQUIRED"), (3, "id", "REQUIRED")])
    found = {}
    for name, query in _LISTS.items():
        answer: dict[str, Any] = await data(app_client, partner, query, id=id_of(job), first=1)
        found[name] = (answer["page"] if "page" in answer else answer["job"]["page"])["pageInfo"]["endCursor"]
    return found


@pytest.mark.parametrize("name", _LISTS)
async def test_a_cursor_that_was_cut_or_belongs_elsewhere_is_refused(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, cursors: dict[str, str], name: str
) -> None:
    """BAD_USER_INPUT, for each list and each length; the whole one is taken."""
    own = cursors.pop(name)
    assert "errors" not in await execute(app_client, partner, _LISTS[name], id=id_of(job), after=own)

    bad = [own[:length] for length in range(len(own))] + [
        own + "=",
        own + "A",
        " " + own,
        own[1:],
        *cursors.values(),
    ]
    for cursor in bad:
        answer = await execute(app_client, partner, _LISTS[name], id=id_of(job), after=cursor)
        assert ["BAD_USER_INPUT"] == codes(answer), cursor


@pytest.mark.parametrize("name", _LISTS)
async def test_a_cursor_with_a_wrong_character_is_refused_or_is_another_cursor(
    app_client: httpx.AsyncClient, partner: Owner, job: Job, cursors: dict[str, str], name: str
) -> None:
    """Never an error of ours."""
    chance, refused = random.Random(5), 0
    for place in range(len(cursors[name])):
        damaged = cursors[name][:place] + chance.choice("Az09-_=%\u00e9") + cursors[name][place + 1 :]
        answer = await execute(app_client, partner, _LISTS[name], id=id_of(job), after=damaged)
        assert "errors" not in answer or ["BAD_USER_INPUT"] == codes(answer), damaged
        refused += "errors" in answer

    assert refused > len(cursors[name]) / 3
