"""Discards: the work of deleting what a finished job has loaded."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model


class Discard(Model):
    """What a job has loaded is deleted, in chunks; there is one for a job at most."""

    job_id: UUID = fields.UUIDField(primary_key=True)
    """A foreign key, which the migration makes: Tortoise would forget it where it is the primary key, too."""
    attempt = fields.IntField(default=0)
    """The fencing token: it grows with every claim."""
    lease_until = fields.DatetimeField(null=True)
    next_index = fields.BigIntField(default=0)
    """No record below this index is left."""
    requested_at = fields.DatetimeField(auto_now_add=True)
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "discard"
        table_description = ""  # else every edit of the docstring would be a migration
