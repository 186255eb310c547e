"""Rows to test with: plain functions, keyword-only, every value optional."""

from typing import Any
from uuid import uuid4

from models import Job, Partner, RecordSchema
from tasks.pipeline.definition import define

DEFINITION: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "INTEGER"},
        {"name": "email", "type": "EMAIL"},
        {"name": "amount", "type": "NUMBER", "required": False, "min": 0},
    ]
}


async def make_partner(*, name: str = "Acme") -> Partner:
    """A partner with a key nobody knows."""
    partner, _ = await Partner.create_with_key(name)
    return partner


async def make_schema(*, partner: Partner, definition: dict[str, Any] = DEFINITION) -> RecordSchema:
    """The next version of a schema called `orders`, saved as the API saves it."""
    return await RecordSchema.save_version(partner.id, "orders", define(definition).model_dump(mode="json"))


async def make_job(
    *, partner: Partner | None = None, schema: RecordSchema | None = None, **columns: Any
) -> Job:
    """A PENDING job for a CSV of 100 bytes that is not there."""
    partner = partner or await make_partner()
    schema = schema or await make_schema(partner=partner)
    defaults: dict[str, Any] = {
        "filename": "orders.csv",
        "format": "CSV",
        "size_bytes": 100,
        "sha256": "0" * 64,
        "storage_key": uuid4().hex,
    }
    return await Job.create(partner_id=partner.id, record_schema_id=schema.id, **defaults | columns)
