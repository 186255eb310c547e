"""Which rejected records a retry has loaded since: the table. What is in it is not outstanding any more."""

from uuid import UUID

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
