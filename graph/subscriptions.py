"""What can be watched."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, TypeVar
from uuid import UUID

import strawberry

import models
from graph.context import Context, Info
from graph.errors import ErrorCode, bad_user_input, fault
from graph.shared import Audience, SharedContext
from graph.types_discard import JobDiscard
from graph.types_job import JobProgress
from tasks.discard_progress import DiscardProgress
from tasks.errors import DATABASE_AWAY
from tasks.progress import Progress, ProgressFeed, S

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_SECONDS = 5.0
"""How often the row is read while no message comes: repairs what a Redis outage swallowed."""


@strawberry.type(
    description="What can be watched, over a WebSocket (graphql-transport-ws) or as server-sent events (graphql-sse)."
)
class Subscription:
    """What can be watched."""

    @strawberry.subscription(
        description="A job's state now, then every change, then its one final state; then it completes."
    )
    async def job_progress(
        self,
        info: Info,
        job_id: Annotated[strawberry.ID, strawberry.argument(description="The job's global id.")],
    ) -> AsyncGenerator[JobProgress, None]:
        """A job's progress until it is final. An id that is not the caller's ends in NOT_FOUND."""
        job = await info.context.job(job_id)
        if job is None:
            raise fault(ErrorCode.NOT_FOUND, "There is no job of yours with this id.")
        # Returned, not yielded from here: so the error above refuses the subscription and is not one of its events.
        return _events(info.context, Progress, job.id, JobProgress.of)

    @strawberry.subscription(
        description="A discard's state now, then every change, then its one final state; then it completes. A job of which"
        " no discard was asked for is refused with BAD_USER_INPUT."
    )
    async def discard_progress(
        self,
        info: Info,
        job_id: Annotated[
            strawberry.ID, strawberry.argument(description="The global id of the job that is discarded.")
        ],
    ) -> AsyncGenerator[JobDiscard, None]:
        """A discard's progress until it is final. An id that is not the caller's ends in NOT_FOUND."""
        job = await info.context.job(job_id)
        if job is None:
            raise fault(ErrorCode.NOT_FOUND, "There is no job of yours with this id.")
        if not await models.Discard.exists(job_id=job.id):
            raise bad_user_input(
                "No discard of this job was asked for: there is nothing to watch. `discardRecords` asks for one."
            )
        return _events(info.context, DiscardProgress, job.id, JobDiscard.of)


async def _events(
    context: Context, kind: type[S], job_id: UUID, shown: Callable[[S], T]
) -> AsyncGenerator[T, None]:
    audience = context.audience if isinstance(context, SharedContext) else None
    async with aclosing(follow(context.backends.feed, kind, job_id, audience)) as states:
        async for state in states:
            yield shown(state)


async def follow(
    feed: ProgressFeed, kind: type[S], job_id: UUID, audience: Audience | None = None
) -> AsyncGenerator[S, None]:
    """The state now and every newer one that arrives, up to and including the final one, which the row tells.

    For whoever joins the audience meanwhile the row is read, so that he begins with the state now, too.
    """
    audience = audience or Audience()
    async with feed.watch(kind, job_id) as slot:
        audience.ask_for_look = slot.mark_stale
        shown: S | None = None
        state = await _look(kind, job_id, shown, audience)
        while True:
            if state is not None:
                yield state
                shown = state if state.is_newer_than(shown) else shown
                if state.is_final:
                    return
            state = await slot.take(POLL_SECONDS)
            if state is None or state.is_final or audience.is_waiting:
                state = await _look(kind, job_id, shown, audience)
            elif not state.is_newer_than(shown):
                state = None


async def _look(kind: type[S], job_id: UUID, shown: S | None, audience: Audience) -> S | None:
    """What the row says; None when it is nothing new, and nobody waits to begin."""
    audience.begin_look()
    state = await _row_state(kind, job_id)
    if state is None:
        return None
    return state if audience.end_look(is_news=state.is_newer_than(shown)) else None


async def _row_state(kind: type[S], job_id: UUID) -> S | None:
    """None when the database does not answer: the next poll asks again."""
    try:
        return await kind.read(job_id)
    except DATABASE_AWAY as error:
        logger.warning("job not read for a subscriber", extra={"job": str(job_id), "error": repr(error)})
        return None
