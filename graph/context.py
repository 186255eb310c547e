"""What a resolver may use, and whose data it may see: every look-up by id goes through here."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError, OperationDefinitionNode
from redis.asyncio import Redis
from starlette.requests import HTTPConnection
from strawberry.dataloader import DataLoader
from tortoise import connections

import models
from graph import ids
from graph.download_content import Sizes
from graph.errors import TRY_AGAIN, ErrorCode, Refusal, bad_user_input, fault
from graph.loaders import JobLoaders
from graph.rate_limit import RateLimit
from graph.seats import Seats
from settings import Settings
from tasks.errors import DATABASE_AWAY
from tasks.progress import ProgressFeed
from tasks.storage import Store

KEY_HEADER = "x-api-key"
MAX_DATA_MIB = 16
"""Of records' data and errors' texts, in the answer to one operation."""


@dataclass(frozen=True, slots=True)
class Backends:
    """What an API process holds open for all its requests."""

    settings: Settings
    store: Store
    redis: Redis
    feed: ProgressFeed
    rate_limit: RateLimit
    seats: Seats
    sizes: Sizes = field(default_factory=Sizes)


class Allowance:
    """How much of records' data and errors' texts one operation may still have in its answer, in bytes."""

    def __init__(self) -> None:
        self._left = MAX_DATA_MIB * 1024 * 1024
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def left(self) -> AsyncIterator[int]:
        """What is left, for who takes of it before the next may look. Raises BAD_USER_INPUT when it is nothing."""
        async with self._turn:
            if self._left <= 0:
                raise _too_much()
            yield self._left

    def spend(self, size: int) -> None:
        """What has been read, even if it is more than was left: a single record is never too large."""
        self._left -= size

    def take(self, size: int) -> None:
        """What would be given once more. Raises BAD_USER_INPUT when it is more than is left."""
        if size > max(0, self._left):
            raise _too_much()
        self._left -= size


def _too_much() -> GraphQLError:
    return bad_user_input(
        f"The operation asks for more than {MAX_DATA_MIB} MiB of records and errors. Ask for smaller pages, for fewer lists "
        "at a time, or for each field only once."
    )


@dataclass(slots=True)
class Context:
    """One HTTP request, or one WebSocket connection with all its operations."""

    backends: Backends
    key: str | None
    """The X-API-Key header, not yet looked at."""
    known_partner: models.Partner | None = None
    base_url: str = ""
    """Where this client reaches the API: scheme and host, as it said."""
    connection_params: dict[str, Any] | None = None
    """The payload of connection_init."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """For answers that take long to put together: who holds it does so while others of this context wait."""
    held: ExitStack = field(default_factory=ExitStack)
    """What a WebSocket gives back when it ends."""
    unhurried: Callable[[], AbstractContextManager[None]] = nullcontext
    """In which a file is put together, however long that takes."""
    record_schemas: DataLoader[UUID, models.RecordSchema] = field(init=False)
    loaders: JobLoaders = field(init=False)
    retry_states: DataLoader[UUID, tuple[int, bool]] = field(init=False)
    """Of a retry: the `retries_version` of its root, and whether any record that it rejected is outstanding."""
    _allowances: dict[int, Allowance] = field(default_factory=dict, init=False)
    """Of the operations that are running, by the identity of their nodes: equal ones are equal to each other."""

    def __post_init__(self) -> None:
        # Without a cache: on a WebSocket this context outlives the operation.
        self.record_schemas = DataLoader(self._load_record_schemas, cache=False)
        self.loaders = JobLoaders(lambda: self.partner.id)
        self.retry_states = DataLoader(_load_retry_states, cache=False)

    @classmethod
    def of(cls, connection: HTTPConnection) -> "Context":
        """The context of a connection that has not proved yet whose it is."""
        base = connection.base_url
        scheme = {"ws": "http", "wss": "https"}.get(base.scheme, base.scheme)
        return cls(
            connection.state.backends,
            connection.headers.get(KEY_HEADER),
            base_url=str(base.replace(scheme=scheme)).rstrip("/"),
        )

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
            raise Refusal(503, ErrorCode.UNAVAILABLE, TRY_AGAIN, {"retry-after": "2"}) from None
        if self.known_partner is None:
            raise Refusal(401, ErrorCode.UNAUTHENTICATED, _NO_KEY if self.key is None else _WRONG_KEY)

    def allowance(self, operation: OperationDefinitionNode) -> Allowance:
        """This execution's own, though a WebSocket runs several at a time: each has parsed its document for itself."""
        if (key := id(operation)) not in self._allowances:
            self._allowances[key] = Allowance()
            weakref.finalize(operation, self._allowances.pop, key, None).atexit = False
        return self._allowances[key]

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


_RETRY_STATES = """
SELECT job.id, root.retries_version, EXISTS (
    SELECT FROM record_error LEFT JOIN retried_record
      ON retried_record.root_id = job.root_id AND retried_record.origin_index = record_error.origin_index
     WHERE record_error.job_id = job.id AND record_error.origin_index IS NOT NULL AND retried_record.origin_index IS NULL
  ) AS is_any
  FROM job JOIN job AS root ON root.id = job.root_id WHERE job.id = ANY($1)
"""


async def _load_retry_states(job_ids: list[UUID]) -> Sequence[tuple[int, bool]]:
    rows = await connections.get("default").execute_query_dict(_RETRY_STATES, [job_ids])
    found = {row["id"]: (int(row["retries_version"]), bool(row["is_any"])) for row in rows}
    return [found[id] for id in job_ids]


Info = strawberry.Info[Context, None]

_NO_KEY = "An API key is needed: send it in the header X-API-Key."
_WRONG_KEY = "This API key is not valid. Check the header X-API-Key."
