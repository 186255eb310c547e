"""Live progress: workers publish, API processes listen. Messages are hints; the job's row is the truth.

A message is the whole state in absolute numbers, never a difference, so that any of them may be lost.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from models import Job, JobStatus

logger = logging.getLogger(__name__)

_PREFIX = "sluice:progress:"
_IDLE_CHANNEL = _PREFIX + "idle"  # a pub/sub connection without any subscription would end at once
_RECONNECT_SECONDS = 0.5
_PATIENCE_SECONDS = 1.0
_PULSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job stood at a moment. Counts are absolute; read = accepted + rejected."""

    job_id: UUID
    status: JobStatus
    bytes_total: int
    bytes_read: int
    records_accepted: int
    records_rejected: int
    records_per_second: float | None
    eta_seconds: float | None
    at: datetime

    @classmethod
    def of(cls, job: Job) -> Self:
        """The state that a job's row tells. Its rate is the average since the job was first claimed."""
        at = datetime.now(UTC)
        per_second, eta = _pace(job, at)
        return cls(
            job.id, job.status, job.size_bytes, job.bytes_read, job.records_accepted, job.records_rejected,
            per_second, eta, at,
        )  # fmt: skip

    @property
    def records_read(self) -> int:
        """Records decided so far."""
        return self.records_accepted + self.records_rejected

    @property
    def percent(self) -> float:
        """0 to 100, by bytes read; 100 only when the job is COMPLETED."""
        if self.status is JobStatus.COMPLETED:
            return 100.0
        if not self.bytes_total:
            return 0.0
        return min(99.9, round(100.0 * self.bytes_read / self.bytes_total, 1))

    def is_newer_than(self, other: "Progress | None") -> bool:
        """True when this state came after `other`: nothing of a job ever goes back, and a final state stays."""
        if other is None:
            return True
        if other.status.is_final:
            return False
        return self.status.is_final or self.order > other.order

    @property
    def order(self) -> tuple[int, int, bool]:
        """Grows as the job goes on."""
        return (self.bytes_read, self.records_read, self.status is JobStatus.PROCESSING)

    def to_bytes(self) -> bytes:
        """As JSON, for the wire."""
        return orjson.dumps(self, default=str)  # asyncpg's UUID is a subclass, which orjson does not take

    @classmethod
    def from_bytes(cls, message: bytes) -> Self:
        """From JSON. Raises ValueError, KeyError or TypeError for anything that `to_bytes` did not write."""
        fields: dict[str, Any] = orjson.loads(message)
        fields["job_id"] = UUID(fields["job_id"])
        fields["status"] = JobStatus(fields["status"])
        fields["at"] = datetime.fromisoformat(fields["at"])
        return cls(**fields)


def _pace(job: Job, at: datetime) -> tuple[float | None, float | None]:
    """Records per second, and seconds to go; None while there is nothing to reckon with."""
    if job.started_at is None or not job.records_read:
        return None, None
    seconds = ((job.finished_at or at) - job.started_at).total_seconds()
    if seconds <= 0:
        return None, None
    eta = None
    if job.status is JobStatus.PROCESSING and job.bytes_read:
        eta = round(seconds * (job.size_bytes - job.bytes_read) / job.bytes_read, 1)
    return round(job.records_read / seconds, 1), eta


async def publish(redis: Redis, progress: Progress) -> None:
    """Tells every API process. A Redis that does not answer in time costs this message and nothing else."""
    try:
        async with asyncio.timeout(0.5):
            await redis.publish(_PREFIX + progress.job_id.hex, progress.to_bytes())
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("progress not published", extra={"job": str(progress.job_id), "error": repr(error)})


class Slot:
    """What one subscriber has not seen yet: the latest state only, however slow the subscriber is."""

    def __init__(self) -> None:
        self._latest: Progress | None = None
        self._news = asyncio.Event()

    def put(self, progress: Progress) -> None:
        """Replaces what has not been taken yet."""
        self._latest = progress
        self._news.set()

    def mark_stale(self) -> None:
        """Wakes the subscriber without a state: messages may have been missed, so it should read the row."""
        self._news.set()

    async def take(self, timeout: float) -> Progress | None:
        """The latest state; None after `timeout` seconds, or when the row should be read instead."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._news.wait()
        self._news.clear()
        latest, self._latest = self._latest, None
        return latest


class ProgressFeed:
    """One pub/sub connection for a whole API process, fanned out to the slots of its subscribers."""

    def __init__(self, redis: Redis) -> None:
        self._pubsub = redis.pubsub(ignore_subscribe_messages=False)
        self._slots: defaultdict[str, set[Slot]] = defaultdict(set)
        self._acknowledged: dict[str, asyncio.Event] = {}
        self._lock = asyncio.Lock()
        self._connected = False
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read_forever(), name="progress feed")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reader:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        with contextlib.suppress(RedisError, OSError):
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py leaves it bare

    @contextlib.asynccontextmanager
    async def watch(self, job_id: UUID) -> AsyncIterator[Slot]:
        """A slot that receives every state of this job published from now on.

        Returns once Redis has acknowledged the subscription, or after a second without: whoever watches polls the
        row as well, so an absent Redis makes progress slower and never wrong.
        """
        channel, slot = _PREFIX + job_id.hex, Slot()
        self._slots[channel].add(slot)
        try:
            await self._subscribe(channel)
            yield slot
        finally:
            self._slots[channel].discard(slot)
            if not self._slots[channel]:
                await self._unsubscribe(channel)

    async def _subscribe(self, channel: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                async with self._lock:
                    acknowledged = self._acknowledged.get(channel)
                    if acknowledged is None:
                        acknowledged = self._acknowledged[channel] = asyncio.Event()
                        await self._tell_redis(self._pubsub.subscribe, channel)
                await acknowledged.wait()

    async def _unsubscribe(self, channel: str) -> None:
        self._slots.pop(channel, None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS), self._lock:
                if channel in self._slots:
                    return  # somebody came while we waited for the lock
                self._acknowledged.pop(channel, None)
                await self._tell_redis(self._pubsub.unsubscribe, channel)

    async def _tell_redis(self, command: Any, channel: str) -> None:
        if not self._connected:
            return  # whoever connects next subscribes to everything that is wanted by then
        with contextlib.suppress(RedisError, OSError):
            await command(channel)

    async def _read_forever(self) -> None:
        while True:
            try:
                await self._connect()
                while True:
                    message = await self._pubsub.get_message(timeout=_PULSE_SECONDS)
                    if message is not None:
                        self._dispatch(message)
            except (RedisError, OSError, TimeoutError) as error:
                logger.warning(
                    "progress feed lost its connection, trying again", extra={"error": repr(error)}
                )
            self._connected = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _connect(self) -> None:
        async with (
            self._lock
        ):  # redis-py would open a second connection for a subscriber that comes meanwhile
            await self._pubsub.subscribe(_IDLE_CHANNEL, *self._slots)
            self._connected = True

    def _dispatch(self, message: dict[str, Any]) -> None:
        channel = message["channel"].decode()
        if message["type"] == "subscribe":
            self._on_subscribed(channel)
        elif message["type"] == "message":
            self._on_progress(channel, message["data"])

    def _on_subscribed(self, channel: str) -> None:
        acknowledged = self._acknowledged.get(channel)
        if acknowledged is None:
            return
        if acknowledged.is_set():
            # Subscribed anew after a lost connection: what was published in between is gone.
            for slot in self._slots.get(channel, ()):
                slot.mark_stale()
        acknowledged.set()

    def _on_progress(self, channel: str, data: bytes) -> None:
        try:
            progress = Progress.from_bytes(data)
        except (ValueError, KeyError, TypeError):
            logger.warning("progress message not understood", extra={"channel": channel})
            return
        for slot in self._slots.get(channel, ()):
            slot.put(progress)
