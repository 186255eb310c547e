"""What a batch of a retry may load: an accepted record that no other retry has loaded meanwhile."""

from uuid import UUID

import asyncpg

from models import Job, RetriedRecord
from tasks.errors import LoadedMeanwhile
from tasks.pipeline.claims import unpacked, without
from tasks.pipeline.record import Batch


async def claimed(job: Job, root_id: UUID, batch: Batch, connection: asyncpg.Connection) -> Batch:
    """Claims the accepted records of `batch` in the caller's open transaction; those of others become rejected ones.

    Raises LoadedMeanwhile where the other is this very retry: no origin is twice in it, so the batch is there already.
    """
    claims = unpacked(batch.claims)
    if not claims:
        return batch
    ours = await RetriedRecord.claim(
        connection, root_id, job.id, {claim.origin: claim.index for claim in claims}
    )
    lost = [claim for claim in claims if claim.origin not in ours]
    if not lost:
        return batch
    if await RetriedRecord.is_claimed_by(connection, root_id, job.id, lost[0].origin):
        raise LoadedMeanwhile
    return without(batch, job.id, claims, {claim.index for claim in lost})
