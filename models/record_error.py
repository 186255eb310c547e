"""Errors in records: the table. Written by COPY alone (tasks/load.py). Not an exception."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model


class RecordError(Model):
    """One problem of one record. The table's primary key is (job_id, record_index, seq): the migration makes it."""

    job_id: UUID = fields.UUIDField(primary_key=True)
    record_index = fields.BigIntField()
    seq = fields.IntField()
    line = fields.BigIntField(null=True)
    byte_offset = fields.BigIntField()
    field = fields.TextField(null=True)
    code = fields.CharField(max_length=32)
    message = fields.TextField()
    raw_value = fields.TextField(null=True)

    class Meta:
        table = "record_error"
        table_description = ""  # else every edit of the docstring would be a migration
