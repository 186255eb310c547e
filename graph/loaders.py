"""What belongs to the jobs of a page is read for all of them at once."""

from collections.abc import Callable
from uuid import UUID

from strawberry.dataloader import DataLoader

import models
from tasks.discard_progress import DiscardProgress
from tasks.origins import count_outstanding


class JobLoaders:
    """By a job's id. Without a cache: on a WebSocket they outlive the operation."""

    def __init__(self, partner_id: Callable[[], UUID]) -> None:
        """`partner_id` is known once somebody has been authenticated."""
        self._partner_id = partner_id
        self.jobs: DataLoader[UUID, models.Job | None] = DataLoader(self._load_jobs, cache=False)
        self.commits: DataLoader[UUID, models.Job | None] = DataLoader(self._load_commits, cache=False)
        """The job that has committed this dry run."""
        self._outstanding: DataLoader[UUID, int] = DataLoader(count_outstanding, cache=False)
        """Of a retry: its rejected records that no other retry has loaded."""
        self.discards: DataLoader[UUID, DiscardProgress | None] = DataLoader(self._load_discards, cache=False)

    async def outstanding_of(self, job: models.Job) -> int:
        """How many of the records that it has rejected no retry has loaded."""
        if job.root_id is None:
            return int(job.records_rejected - job.records_retried)
        return await self._outstanding.load(job.id) if job.records_rejected else 0

    async def _load_jobs(self, job_ids: list[UUID]) -> list[models.Job | None]:
        rows = await models.Job.filter(id__in=job_ids, partner_id=self._partner_id())
        found = {row.id: row for row in rows}
        return [found.get(id) for id in job_ids]

    async def _load_commits(self, job_ids: list[UUID]) -> list[models.Job | None]:
        rows = await models.Job.filter(dry_run_job_id__in=job_ids, partner_id=self._partner_id())
        found = {row.dry_run_job_id: row for row in rows}
        return [found.get(id) for id in job_ids]

    async def _load_discards(self, job_ids: list[UUID]) -> list[DiscardProgress | None]:
        found = await DiscardProgress.read_all(job_ids)
        return [found.get(id) for id in job_ids]
