"""What can be watched."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import strawberry

import models
from graph.context import Context, Info
from graph.errors import ErrorCode, fault
from graph.shared import Audience, SharedContext
from graph.types_job import JobProgress
from tasks.errors import DATABASE_AWAY
from tasks.progress import Progress, ProgressFeed

logger = logging.getLogger(__name__)

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
        return _events(info.context, job.id)


async def _events(context: Context, job_id: UUID) -> AsyncGenerator[JobProgress, None]:
    audience = context.audience if isinstance(context, SharedContext) else None
    async with aclosing(follow(context.backends.feed, job_id, audience)) as states:
        async for progress in states:
            yield JobProgress.of(progress)


async def follow(
    feed: ProgressFeed, job_id: UUID, audience: Audience | None = None
) -> AsyncGenerator[Progress, None]:
    """The state now and every newer one that arrives, up to and including the final one, which the row tells.

    For whoever joins the audience meanwhile the row is read, so that he begins with the state now, too.
    """
    audience = audience or Audience()
    async with feed.watch(job_id) as slot:
        audience.ask_for_look = slot.mark_stale
        shown: Progress | None = None
        state = await _look(job_id, shown, audience)
        while True:
            if state is not None:
                yield state
                shown = state if state.is_newer_than(shown) else shown
                if state.status.is_final:
                    return
            state = await slot.take(POLL_SECONDS)
            if state is None or state.status.is_final or audience.is_waiting:
                state = await _look(job_id, shown, audience)
            elif not state.is_newer_than(shown):
                state = None


async def _look(job_id: UUID, shown: Progress | None, audience: Audience) -> Progress | None:
    """What the row says; None when it is nothing new, and nobody waits to begin."""
    audience.begin_look()
    state = await _row_state(job_id)
    if state is None:
        return None
    return state if audience.end_look(is_news=state.is_newer_than(shown)) else None


async def _row_state(job_id: UUID) -> Progress | None:
    """None when the database does not answer: the next poll asks again."""
    try:
        return Progress.of(await models.Job.get(id=job_id))
    except DATABASE_AWAY as error:
        logger.warning("job not read for a subscriber", extra={"job": str(job_id), "error": repr(error)})
        return None
