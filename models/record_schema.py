"""Record schemas: what a partner's file looks like. Versioned and never changed once saved."""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.exceptions import IntegrityError
from tortoise.models import Model
from uuid6 import uuid7

from models.partner import Partner

_TRIES = 20
"""Somebody who saves the same version at the same time costs one of them."""


class RecordSchema(Model):
    """One version of a schema. `definition` is what `tasks.pipeline.definition` parses."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    partner: fields.ForeignKeyRelation[Partner] = fields.ForeignKeyField(
        "models.Partner", related_name="record_schemas", on_delete=fields.RESTRICT
    )
    partner_id: UUID
    name = fields.CharField(max_length=200)
    version = fields.IntField()
    definition: dict[str, Any] = fields.JSONField()
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "record_schema"
        table_description = ""  # else every edit of the docstring would be a migration
        unique_together = (("partner", "name", "version"),)

    @classmethod
    async def save_version(cls, partner_id: UUID, name: str, definition: dict[str, Any]) -> "RecordSchema":
        """Saves `definition` as the next version under this partner's `name`."""
        for tries_left in reversed(range(_TRIES)):
            latest = await cls.filter(partner_id=partner_id, name=name).order_by("-version").first()
            version = latest.version + 1 if latest else 1
            try:
                return await cls.create(
                    partner_id=partner_id, name=name, version=version, definition=definition
                )
            except IntegrityError:
                if not tries_left:
                    raise
        raise AssertionError("unreachable")
