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
    byte_length = fields.BigIntField(null=True)
    """From the record's first byte to where the next begins, or would. None in rows from before there was this column."""
    field = fields.TextField(null=True)
    code = fields.CharField(max_length=32)
    message = fields.TextField()
    raw_value = fields.TextField(null=True)
    source = fields.TextField(null=True)
    """In the schema's language: where in the record the value is that no field of the schema names. None: see `field`."""
    origin_index = fields.BigIntField(null=True)
    """Of a retry's record: its index in the first job of the family. None: its own, or it names none that it may."""

    class Meta:
        table = "record_error"
        table_description = ""  # else every edit of the docstring would be a migration
