"""Who asks for the same gets the same: equal subscriptions of one partner share one execution.

It reads the row once, and each of its results is serialised once. What a member is sent is that result with the id of
its own operation around it; how fast it takes results is its own affair, too, since it keeps the latest one only.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from graphql import GraphQLError, OperationType, get_operation_ast, parse
from strawberry.schema import BaseSchema
from strawberry.types.execution import ExecutionResult, PreExecutionError

from graph.context import Context
from graph.errors import ErrorCode, fault, internal_error
from graph.limits import MAX_QUERY_CHARS, MAX_TOKENS

_DOCUMENTS = 64
"""Of which it is remembered whether they are subscriptions."""


class Member:
    """One subscriber of a shared execution, and what it has not been sent yet: the latest result only."""

    def __init__(self) -> None:
        self.errors: list[GraphQLError] | None = None
        """Why there are no more results, when it is not that all has been told; known once `take` gives None."""
        self._latest: str | None = None
        self._is_over = False
        self._news = asyncio.Event()

    async def take(self) -> str | None:
        """The latest result, as JSON; None when no more will come."""
        if self._latest is not None:
            await asyncio.sleep(0)  # it is slow: others of its connection have waited for their turn, too
        while self._latest is None and not self._is_over:
            self._news.clear()
            await self._news.wait()
        latest, self._latest = self._latest, None
        return latest

    def put(self, result: str) -> None:
        """Replaces what has not been taken yet."""
        self._latest = result
        self._news.set()

    def end(self, errors: list[GraphQLError] | None) -> None:
        """After what has not been taken yet nothing more comes."""
        self.errors, self._is_over = errors, True
        self._news.set()


class Audience:
    """The members of one execution.

    Everybody begins as if he were alone: with what the row says when it is read after he came. Until then results pass
    him by; and what is read for him alone is no news for the others.
    """

    def __init__(self) -> None:
        self.ask_for_look: Callable[[], None] = _nobody_looks_yet
        self._new: set[Member] = set()
        self._looked_for: set[Member] = set()
        self._served: set[Member] = set()
        self._addressed: set[Member] | None = None
        """Whom alone the next result is for."""
        self._latest: str | None = None

    def __len__(self) -> int:
        return len(self._new) + len(self._looked_for) + len(self._served)

    @property
    def is_waiting(self) -> bool:
        """Whether the row should be looked at for somebody."""
        return bool(self._new or self._looked_for)

    def add(self, member: Member) -> None:
        """Somebody comes."""
        self._new.add(member)
        self.ask_for_look()

    def remove(self, member: Member) -> None:
        """Somebody leaves."""
        for members in (self._new, self._looked_for, self._served):
            members.discard(member)

    def begin_look(self) -> None:
        """The row is going to be read: for all who are here by now."""
        self._looked_for |= self._new
        self._new.clear()

    def end_look(self, *, is_news: bool) -> bool:
        """It has been read. True when there is somebody to tell: that must be the next result."""
        came, self._looked_for = self._looked_for, set()
        self._served |= came
        self._addressed = None if is_news else came
        return is_news or bool(came)

    def publish(self, result: str) -> None:
        """The next result."""
        addressed, self._addressed = self._addressed, None
        self._latest = result
        for member in self._served if addressed is None else addressed:
            member.put(result)

    def end(self, errors: list[GraphQLError] | None) -> None:
        """There are no more results; who came after the last one gets that."""
        for member in self._new | self._looked_for:
            if self._latest is not None:
                member.put(self._latest)
        for member in self._new | self._looked_for | self._served:
            member.end(errors)


def _nobody_looks_yet() -> None:
    """The first look is still to come, and is for all who are here by then."""


@dataclass(slots=True)
class SharedContext(Context):
    """The context of a shared execution: of a partner, but of nobody's connection."""

    audience: Audience = field(default_factory=Audience)


class Asked(NamedTuple):
    """What is the same for all who share an execution."""

    partner_id: UUID
    query: str
    operation_name: str | None
    variables: frozenset[tuple[str, str]]

    @property
    def given(self) -> dict[str, Any]:
        """The variables."""
        return dict(self.variables)


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """A subscription whose variables are not all texts: how those are equal is not worth a rule, so nobody shares it."""

    query: str
    operation_name: str | None
    given: dict[str, Any]


def subscription(
    partner_id: UUID, query: str, operation_name: str | None, variables: dict[str, Any] | None
) -> Asked | Alone | None:
    """What is asked, when it is a subscription; None when it is not, or no valid document."""
    if "subscription" not in query or not _is_subscription(query, operation_name):
        return None
    given = variables or {}
    if all(isinstance(value, str) for value in given.values()):
        return Asked(partner_id, query, operation_name, frozenset(given.items()))
    return Alone(query, operation_name, given)


@lru_cache(_DOCUMENTS)
def _is_subscription(query: str, operation_name: str | None) -> bool:
    """False for a document that is refused, too: it is told so where it is executed."""
    if len(query) > MAX_QUERY_CHARS:
        return False
    try:
        operation = get_operation_ast(parse(query, max_tokens=MAX_TOKENS), operation_name)
    except GraphQLError:
        return False
    return operation is not None and operation.operation is OperationType.SUBSCRIPTION


class Shares:
    """The shared executions of an API process. Each begins with its first member and ends with its last, or by itself."""

    def __init__(self, schema: BaseSchema) -> None:
        self._schema = schema
        self._running: dict[Asked | Alone, tuple[Audience, asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def joined(self, asked: Asked | Alone, context: Context) -> AsyncIterator[Member]:
        """A member of the execution of what is asked, which begins here if there is none."""
        audience, task = self._running.get(asked) or self._begin(asked, context)
        member = Member()
        audience.add(member)
        try:
            yield member
        finally:
            audience.remove(member)
            if not audience:
                self._forget(asked, audience)
                task.cancel()
                await asyncio.wait({task})

    def _begin(self, asked: Asked | Alone, context: Context) -> tuple[Audience, asyncio.Task[None]]:
        own = SharedContext(context.backends, None, context.partner)
        task = asyncio.create_task(self._run(asked, own), name="shared subscription")
        self._running[asked] = own.audience, task
        return own.audience, task

    def _forget(self, asked: Asked | Alone, audience: Audience) -> None:
        """From now on this is asked anew."""
        if asked in self._running and self._running[asked][0] is audience:
            del self._running[asked]

    async def _run(self, asked: Asked | Alone, context: SharedContext) -> None:
        errors: list[GraphQLError] | None = None
        try:
            results = await self._schema.stream(
                asked.query,
                variable_values=asked.given,
                context_value=context,
                operation_name=asked.operation_name,
            )
            async with aclosing(results):
                async for result in results:
                    if isinstance(result, PreExecutionError):
                        errors = result.errors
                    elif isinstance(result, ExecutionResult):  # the others come with @defer, which is off
                        context.audience.publish(_as_json(result))
        except Exception as error:  # noqa: BLE001  # whatever it is, they must hear of it
            errors = [fault(ErrorCode.INTERNAL, internal_error(error))]
        finally:
            self._forget(asked, context.audience)
            context.audience.end(errors)


def failure(errors: list[GraphQLError]) -> bytes:
    """The result, as JSON, of what was not executed or not to its end."""
    return orjson.dumps({"errors": [error.formatted for error in errors]})


def _as_json(result: ExecutionResult) -> str:
    """The payload of a `next` message."""
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        payload["extensions"] = result.extensions
    return orjson.dumps(payload).decode()
