"""Which rejected records a retry has loaded since: the table. What is in it is not outstanding any more."""

from collections.abc import Collection, Mapping
from uuid import UUID

import asyncpg
from tortoise import fields
from tortoise.models import Model


class RetriedRecord(Model):
    """A record that its first job rejected and a retry has loaded.

    The table's primary key is (root_id, origin_index), made by the migration: whatever is retried at the same time, one
    of them loads it. A row comes and goes in the transaction that loads or deletes its record.
    """

    root_id: UUID = fields.UUIDField(primary_key=True)
    origin_index = fields.BigIntField()
    """The record's index in the job `root_id`."""
    job_id: UUID = fields.UUIDField()
    """The retry that has loaded it."""
    index = fields.BigIntField()
    """The record's index in that retry."""

    class Meta:
        table = "retried_record"
        table_description = ""  # else every edit of the docstring would be a migration

    @classmethod
    async def claim(
        cls, connection: asyncpg.Connection, root_id: UUID, job_id: UUID, indexes: Mapping[int, int]
    ) -> set[int]:
        """Inside the caller's open transaction, takes origins for the retry `job_id`: `indexes` has its own index of each.

        Gives the origins that nobody else has taken. It waits for a transaction in which another retry takes one of
        them; all take them in the same order, so that no two wait for each other.
        """
        rows = await connection.fetch(_CLAIM, root_id, job_id, list(indexes), list(indexes.values()))
        return {row["origin_index"] for row in rows}

    @classmethod
    async def release(
        cls, connection: asyncpg.Connection, root_id: UUID, job_id: UUID, origins: Collection[int]
    ) -> int:
        """Inside the caller's open transaction, lets go of those of these origins that the retry `job_id` has taken.

        Gives how many they were. A retry that takes one of them waits for the transaction, and has it then.
        """
        return len(await connection.fetch(_RELEASE, root_id, job_id, list(origins)))

    @classmethod
    async def is_claimed_by(
        cls, connection: asyncpg.Connection, root_id: UUID, job_id: UUID, origin: int
    ) -> bool:
        """Whether this very retry has taken the origin."""
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT FROM retried_record WHERE root_id = $1 AND origin_index = $2 AND job_id = $3)",
                root_id, origin, job_id,
            )
        )  # fmt: skip


_CLAIM = """
    INSERT INTO retried_record (root_id, origin_index, job_id, "index")
    SELECT $1, origin, $2, mine FROM unnest($3::bigint[], $4::bigint[]) AS claimed (origin, mine) ORDER BY origin
        ON CONFLICT DO NOTHING
 RETURNING origin_index
"""

_RELEASE = """
    WITH held AS MATERIALIZED (  -- in the order of `_CLAIM`
        SELECT origin_index FROM retried_record
         WHERE root_id = $1 AND job_id = $2 AND origin_index = ANY($3::bigint[]) ORDER BY origin_index FOR UPDATE
    )
    DELETE FROM retried_record WHERE root_id = $1 AND origin_index IN (SELECT origin_index FROM held)
 RETURNING origin_index
"""
