"""Record schemas: what a partner's file looks like. Versioned and never changed once saved."""

from typing import Any
from uuid import UUID

from tortoise import connections, fields
from tortoise.exceptions import IntegrityError
from tortoise.models import Model
from uuid6 import uuid7

from models.partner import Partner

MAX_NAME_CHARS = 200
_TRIES = 20
"""Somebody who saves the same version at the same time costs one of them."""


class RecordSchema(Model):
    """One version of a schema. `definition` is what `tasks.pipeline.definition` parses."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    partner: fields.ForeignKeyRelation[Partner] = fields.ForeignKeyField(
        "models.Partner", related_name="record_schemas", on_delete=fields.RESTRICT
    )
    partner_id: UUID
    name = fields.CharField(max_length=MAX_NAME_CHARS)
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

    @classmethod
    async def newest_of_names(
        cls, partner_id: UUID, behind: str, limit: int, only: str | None = None
    ) -> list["RecordSchema"]:
        """The newest version of each of the partner's names, or of `only`, in the order of the names: up to `limit` of those
        behind the name `behind`, which need not exist and is "" before the first."""
        if only is not None:
            versions = cls.filter(partner_id=partner_id, name=only, name__gt=behind)
            return await versions.order_by("-version").limit(1)
        rows = await connections.get("default").execute_query_dict(
            _NEWEST_OF_NAMES, [partner_id, behind, limit]
        )
        return [cls._init_from_db(**row) for row in rows]

    @classmethod
    async def count_names(cls, partner_id: UUID, only: str | None = None) -> int:
        """How many names the partner's schemas have; with `only` 1 or 0. Each name has a first version, which stays."""
        first = cls.filter(partner_id=partner_id, version=1)
        return await (first if only is None else first.filter(name=only)).count()


_NEWEST_OF_NAMES = """
    WITH RECURSIVE found AS (  -- one look into the unique index for each name, however many versions it has
        (SELECT name, 1 AS place FROM record_schema WHERE partner_id = $1 AND name > $2 ORDER BY name LIMIT 1)
        UNION ALL
        SELECT next.name, found.place + 1 FROM found CROSS JOIN LATERAL (
            SELECT name FROM record_schema WHERE partner_id = $1 AND name > found.name ORDER BY name LIMIT 1
        ) AS next WHERE found.place < $3
    )
    SELECT newest.* FROM found CROSS JOIN LATERAL (
        SELECT * FROM record_schema WHERE partner_id = $1 AND name = found.name ORDER BY version DESC LIMIT 1
    ) AS newest ORDER BY newest.name
"""
