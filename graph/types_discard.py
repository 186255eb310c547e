"""What becomes of a job's records when they are to be deleted again."""

from datetime import datetime
from typing import Self

import strawberry

import graph.enums  # noqa: F401  # describes DiscardStatus, whoever imports this first
from graph import ids
from graph.scalars import BigInt
from models import DiscardStatus
from tasks.discard_progress import DiscardProgress


@strawberry.type(
    description="How far the records that a job has loaded are deleted again. Its errors, its counts and its file stay."
)
class JobDiscard:
    """Where the discard of a job's records stood at one moment."""

    job_id: strawberry.ID = strawberry.field(description="The job's global id.")
    status: DiscardStatus = strawberry.field(description="Where it stands.")
    records_total: BigInt = strawberry.field(description="Records that the job had loaded.")
    records_discarded: BigInt = strawberry.field(description="How many of them are deleted.")
    percent: float = strawberry.field(description="0 to 100, by records.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker began; null before.")
    finished_at: datetime | None = strawberry.field(description="When nothing was left; null before.")
    at: datetime = strawberry.field(description="When this was so.")

    @classmethod
    def of(cls, progress: DiscardProgress) -> Self:
        """From what workers publish, or what the rows say."""
        return cls(
            job_id=ids.global_id("Job", progress.job_id),
            status=progress.status,
            records_total=BigInt(progress.records_total),
            records_discarded=BigInt(progress.records_discarded),
            percent=progress.percent,
            requested_at=progress.requested_at,
            started_at=progress.started_at,
            finished_at=progress.finished_at,
            at=progress.at,
        )
