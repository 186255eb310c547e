"""The progress of a discard, as a job's: published by workers, watched in the API, told by the rows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import orjson

from models import Discard, DiscardStatus

_STEPS = list(DiscardStatus)


@dataclass(frozen=True, slots=True)
class DiscardProgress:
    """Where a discard stood at a moment. Counts are absolute."""

    channels: ClassVar[str] = "sluice:discard:"

    job_id: UUID
    status: DiscardStatus
    records_total: int
    records_discarded: int
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    at: datetime

    @classmethod
    def of(cls, discard: Discard, *, total: int, discarded: int) -> Self:
        """The state that the row and its job's counters tell."""
        return cls(
            discard.job_id, discard.status, total, discarded,
            discard.requested_at, discard.started_at, discard.finished_at, datetime.now(UTC),
        )  # fmt: skip

    @classmethod
    async def read(cls, job_id: UUID) -> Self:
        """The state that the rows tell now. Raises KeyError when no discard of this job was asked for."""
        return (await cls.read_all([job_id]))[job_id]

    @classmethod
    async def read_all(cls, job_ids: Collection[UUID]) -> dict[UUID, Self]:
        """The states of those of these jobs whose discard was asked for."""
        return {
            discard.job_id: cls.of(discard, total=total, discarded=discarded)
            for total, discarded, discard in await Discard.counted(job_ids)
        }

    @property
    def is_final(self) -> bool:
        """True when nothing is left."""
        return self.status is DiscardStatus.COMPLETED

    @property
    def percent(self) -> float:
        """0 to 100, by records; 100 only when the discard is COMPLETED."""
        if self.is_final:
            return 100.0
        if not self.records_total:
            return 0.0
        return min(99.9, round(100.0 * self.records_discarded / self.records_total, 1))

    def is_newer_than(self, other: "DiscardProgress | None") -> bool:
        """True when this state came after `other`: a discard never goes back."""
        return other is None or self.order > other.order

    @property
    def order(self) -> tuple[int, int]:
        """Grows as the discard goes on."""
        return (_STEPS.index(self.status), self.records_discarded)

    def to_bytes(self) -> bytes:
        """As JSON, for the wire."""
        return orjson.dumps(self, default=str)  # asyncpg's UUID is a subclass, which orjson does not take

    @classmethod
    def from_bytes(cls, message: bytes) -> Self:
        """From JSON. Raises ValueError, KeyError or TypeError for anything that `to_bytes` did not write."""
        fields: dict[str, Any] = orjson.loads(message)
        fields["job_id"] = UUID(fields["job_id"])
        fields["status"] = DiscardStatus(fields["status"])
        for name in ("requested_at", "at"):
            fields[name] = datetime.fromisoformat(fields[name])
        for name in ("started_at", "finished_at"):
            fields[name] = fields[name] and datetime.fromisoformat(fields[name])
        return cls(**fields)
