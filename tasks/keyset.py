"""Reads a long table a page at a time, each page as fast as the first."""

from typing import Any

import asyncpg
from tortoise import connections

# Of rows that were loaded just now PostgreSQL has no statistics yet. It would take a million of them for a few, and rather
# sort them all for each page than follow the index.
_IN_ORDER = "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"


async def page(query: str, *values: Any) -> list[asyncpg.Record]:
    """The rows of a query whose order is an index's own. The connection is free again when they are here."""
    async with connections.get("default").acquire_connection() as connection, connection.transaction():
        await connection.execute(_IN_ORDER)
        rows: list[asyncpg.Record] = await connection.fetch(query, *values)
    return rows
