"""Sessions of the database by name: whoever takes over what another has left can end what that one may still be doing."""

import asyncpg
from tortoise import connections


async def name_session(connection: asyncpg.Connection, name: str) -> None:
    """Marks the caller's transaction, for `end_other_sessions`."""
    await connection.execute("SELECT set_config('application_name', $1, true)", name)


async def end_other_sessions(name: str) -> None:
    """Ends the sessions that are marked so, and waits up to 2 s for each.

    A worker that is frozen in the middle of a transaction would hold its rows for ever, and its successor would wait
    for them.
    """
    await connections.get("default").execute_query(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE application_name = $1 AND usename = current_user AND pid <> pg_backend_pid()",
        [name],
    )
