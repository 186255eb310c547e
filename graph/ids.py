"""Global ids: base64 of `Type:<uuid>`, opaque to clients."""

import base64
import binascii
from uuid import UUID

import strawberry

_LONGEST = 200


def global_id(kind: str, id: UUID) -> strawberry.ID:
    """The id by which clients know this object."""
    return strawberry.ID(base64.b64encode(f"{kind}:{id}".encode()).decode())


def parse(value: str) -> tuple[str, UUID] | None:
    """The type and the uuid in a global id; None for anything that `global_id` did not make."""
    if len(value) > _LONGEST:
        return None
    try:
        kind, _, text = base64.b64decode(value, validate=True).decode().partition(":")
        id = UUID(text)
    except (binascii.Error, ValueError):
        return None
    return (kind, id) if global_id(kind, id) == value else None


def parse_as(kind: str, value: str) -> UUID | None:
    """The uuid in a global id of this type; None for every other text."""
    parsed = parse(value)
    return parsed[1] if parsed and parsed[0] == kind else None
