"""The checker of discards: what is deleted, what is counted and how far it is are one, and always were."""

from itertools import pairwise
from uuid import UUID

import asyncpg

from tests.families import assert_families


async def assert_discarded(connection: asyncpg.Connection, job_id: UUID) -> None:
    """All of it as of one moment, since a worker may be deleting: see `_assert_discarded`."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await _assert_discarded(connection, job_id)


async def _assert_discarded(connection: asyncpg.Connection, job_id: UUID) -> None:
    """Nobody moved the discard with an old token or after its end, each chunk was counted by the transaction that moved
    it, and nothing below it is left: nothing at all once it is finished."""
    states = await connection.fetch("SELECT * FROM discard_history WHERE job_id = $1 ORDER BY seq", job_id)
    for before, after in pairwise(states):
        assert not before["finished"], (before, after)
        assert before["attempt"] <= after["attempt"], (before, after)
        assert before["next_index"] <= after["next_index"], (before, after)
        if before["next_index"] < after["next_index"]:
            assert before["attempt"] == after["attempt"], (before, after)
    assert await _movers(connection, "discard_history", "next_index", job_id) == await _movers(
        connection, "job_history", "discarded", job_id
    )
    reached, finished = (states[-1]["next_index"], states[-1]["finished"]) if states else (0, False)
    first = await connection.fetchval('SELECT min("index") FROM record WHERE job_id = $1', job_id)
    assert first is None or (first >= reached and not finished), (first, reached, finished)
    if finished:
        [job] = await connection.fetch("SELECT * FROM job WHERE id = $1", job_id)
        assert job["records_accepted"] == job["records_discarded"]
    await assert_families(connection.fetch)  # a retry holds nothing of what is gone


async def _movers(connection: asyncpg.Connection, table: str, column: str, job_id: UUID) -> list[str]:
    """The transactions that moved a column, in order."""
    rows = await connection.fetch(_MOVERS.format(table=table, column=column), job_id)
    return [row["transaction"] for row in rows]


_MOVERS = """
    SELECT transaction::text FROM (
        SELECT transaction, seq, {column} - lag({column}) OVER (ORDER BY seq) AS step FROM {table} WHERE job_id = $1
    ) AS steps WHERE step > 0 ORDER BY seq
"""
