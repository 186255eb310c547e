"""What a resolver may use, and whose data it may see: every look-up by id goes through here."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from redis.asyncio import Redis
from starlette.requests import HTTPConnection
from strawberry.dataloader import DataLoader

import models
from graph import ids
from graph.errors import TRY_AGAIN, ErrorCode, Refusal, fault
from settings import Settings
from tasks.errors import DATABASE_AWAY
from tasks.progress import ProgressFeed
from tasks.storage import Store

KEY_HEADER = "x-api-key"


@dataclass(frozen=True, slots=True)
class Backends:
    """What an API process holds open for all its requests."""

    settings: Settings
    store: Store
    redis: Redis
    feed: ProgressFeed


@dataclass(slots=True)
class Context:
    """One HTTP request, or one WebSocket connection with all its operations."""

    backends: Backends
    key: str | None
    """The X-API-Key header, not yet looked at."""
    known_partner: models.Partner | None = None
    connection_params: dict[str, Any] | None = None
    """The payload of connection_init."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """For answers that take long to put together: who holds it does so while others of this context wait."""
    record_schemas: DataLoader[UUID, models.RecordSchema] = field(init=False)

    def __post_init__(self) -> None:
        # Without a cache: on a WebSocket this context outlives the operation.
        self.record_schemas = DataLoader(self._load_record_schemas, cache=False)

    @classmethod
    def of(cls, connection: HTTPConnection) -> "Context":
        """The context of a connection that has not proved yet whose it is."""
        return cls(connection.state.backends, connection.headers.get(KEY_HEADER))

    @property
    def partner(self) -> models.Partner:
        """Whose key this is."""
        if self.known_partner is None:
            raise fault(ErrorCode.UNAUTHENTICATED, "This connection has not been authenticated.")
        return self.known_partner

    async def authenticate(self) -> None:
        """Finds the partner whose key came with the request. Raises Refusal: 401, or 503 without a database."""
        try:
            self.known_partner = await models.Partner.by_key(self.key) if self.key else None
        except DATABASE_AWAY:
            raise Refusal(503, ErrorCode.UNAVAILABLE, TRY_AGAIN) from None
        if self.known_partner is None:
            raise Refusal(401, ErrorCode.UNAUTHENTICATED, _NO_KEY if self.key is None else _WRONG_KEY)

    async def job(self, id: str) -> models.Job | None:
        """This partner's job; None when there is none, it is another partner's, or the id is senseless."""
        job_id = ids.parse_as("Job", id)
        return await models.Job.get_or_none(id=job_id, partner_id=self.partner.id) if job_id else None

    async def record_schema(self, id: str) -> models.RecordSchema | None:
        """This partner's record schema; None in the same cases."""
        schema_id = ids.parse_as("RecordSchema", id)
        if schema_id is None:
            return None
        return await models.RecordSchema.get_or_none(id=schema_id, partner_id=self.partner.id)

    async def _load_record_schemas(self, schema_ids: list[UUID]) -> Sequence[models.RecordSchema]:
        found = {
            schema.id: schema
            for schema in await models.RecordSchema.filter(id__in=schema_ids, partner_id=self.partner.id)
        }
        return [found[id] for id in schema_ids]


Info = strawberry.Info[Context, None]

_NO_KEY = "An API key is needed: send it in the header X-API-Key."
_WRONG_KEY = "This API key is not valid. Check the header X-API-Key."
