"""Accepted records: the table. Written by COPY alone (tasks/load.py), read with all digits (graph/types_record.py)."""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model


class Record(Model):
    """An accepted record. The table's primary key is (job_id, index), which Tortoise cannot say: the migration does.

    `job_id` is called the pk here because a model must have one: query by `job_id` and `index`, never by pk alone.
    """

    job_id: UUID = fields.UUIDField(primary_key=True)
    index = fields.BigIntField()
    data: dict[str, Any] = fields.JSONField()
    origin_index = fields.BigIntField(null=True)
    """Of a retry's record: its index in the first job of the family. None: its own."""

    class Meta:
        table = "record"
        table_description = ""  # else every edit of the docstring would be a migration
