"""Known bugs, to show that the fault suite finds them: FAULT_SUITE_BUG=name puts one into every process of a stack.

`python -m tests.faults.buggy COMMAND` is `sluice COMMAND` with that bug in it. Nothing outside of tests knows this module.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

BUG = os.environ.get("FAULT_SUITE_BUG", "")
PROGRAM = "tests.faults.buggy" if BUG else "sluice"
"""What a stack of the fault suite runs."""


def commit_on_a_missed_fence() -> None:
    """The batch is kept although the checkpoint could not be moved."""
    from models import Job

    advance = Job.advance

    async def heedless(job: Job, *moving: Any) -> bool:
        await advance(job, *moving)
        return True

    Job.advance = heedless  # type: ignore[method-assign, assignment]


def no_token_check() -> None:
    """Whoever held a job once may write for ever."""
    from models import job

    for statement in ("_HELD", "_ADVANCE"):
        fenced = getattr(job, statement)
        # Still with its parameter, which PostgreSQL wants to be used.
        open_to_all = fenced.replace("attempt = $2", "$2::int IS NOT NULL")
        assert open_to_all != fenced
        setattr(job, statement, open_to_all)


def checkpoint_in_a_second_transaction() -> None:
    """The rows first, then where the job stands."""
    from tortoise import connections

    from tasks import load
    from tasks.errors import LeaseLost
    from tasks.faults import Point, reached

    async def commit(job: Any, batch: Any) -> Any:
        checkpoint = load._after(job, batch)
        async with connections.get("default").acquire_connection() as connection:
            async with connection.transaction():
                await load._copy_all(job, batch, connection)
            reached(Point.AFTER_COPY)
            if not await job.advance(connection, checkpoint):
                raise LeaseLost
        return checkpoint

    load._commit = commit


def every_claim_is_ours() -> None:
    """A retry loads what it has accepted, whoever else has."""
    from models import RetriedRecord

    claim = RetriedRecord.claim

    async def greedy(connection: Any, root_id: UUID, job_id: UUID, indexes: Any) -> set[int]:
        await claim(connection, root_id, job_id, indexes)
        return set(indexes)

    RetriedRecord.claim = greedy  # type: ignore[method-assign]


def no_token_check_in_a_discard() -> None:
    """Whoever held a discard once may delete for ever."""
    from models import discard

    for statement in ("_HELD", "_ADVANCE"):
        fenced = getattr(discard, statement)
        open_to_all = fenced.replace("attempt = $2", "$2::int IS NOT NULL")
        assert open_to_all != fenced
        setattr(discard, statement, open_to_all)


def chunk_counted_in_a_second_transaction() -> None:
    """The rows are gone first, then that is counted."""
    from tortoise import connections

    from tasks import discard as discards
    from tasks.errors import LeaseLost
    from tasks.faults import Point, reached

    async def commit(discard: Any, job: Any) -> Any:
        async with connections.get("default").acquire_connection() as connection:
            async with connection.transaction():
                chunk = await discard.delete_next(connection, job, 500)
            reached(Point.DISCARD_DELETED)
            if not await discard.advance(connection, job, chunk):
                raise LeaseLost
        return chunk

    discards._commit = commit


def answer_before_the_commit() -> None:
    """submitFile answers with a job whose row is still to be written."""
    from models import Job

    saving = set()

    async def later(job: Job) -> None:
        await asyncio.sleep(0.5)
        await job.save()

    async def create(**fields: Any) -> Job:
        job = Job(**fields, created_at=datetime.now(UTC))
        saving.add(asyncio.create_task(later(job)))
        return job

    Job.create = create  # type: ignore[method-assign, assignment]


def snapshot_before_subscribe() -> None:
    """The channel is subscribed when the row has been read: what is published between the two is heard by nobody."""
    from tasks.progress import ProgressFeed

    watch = ProgressFeed.watch

    @asynccontextmanager
    async def late(feed: ProgressFeed, kind: type[Any], job_id: UUID) -> AsyncGenerator[Any, None]:
        async with AsyncExitStack() as stack:

            class Slot:
                slot: Any = None

                def mark_stale(self) -> None:
                    if self.slot:
                        self.slot.mark_stale()

                async def take(self, seconds: float) -> Any:
                    self.slot = self.slot or await stack.enter_async_context(watch(feed, kind, job_id))
                    return await self.slot.take(seconds)

            yield Slot()

    ProgressFeed.watch = late  # type: ignore[method-assign, assignment]


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        commit_on_a_missed_fence,
        no_token_check,
        checkpoint_in_a_second_transaction,
        every_claim_is_ours,
        no_token_check_in_a_discard,
        chunk_counted_in_a_second_transaction,
        answer_before_the_commit,
        snapshot_before_subscribe,
    )
}


def put_in() -> None:
    """Puts the bug into this process, if there is to be one."""
    if BUG:
        BUGS[BUG]()


if __name__ == "__main__":
    from sluice.cli import main

    put_in()
    main()
