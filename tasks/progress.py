"""Live progress: workers publish, API processes listen. Messages are hints; the job's row is the truth.

A message is the whole state in absolute numbers, never a difference, so that any of them may be lost.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar
from uuid import UUID

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from models import Job, JobStatus

logger = logging.getLogger(__name__)

_IDLE_CHANNEL = "sluice:progress:idle"  # makes it a pub/sub connection before anybody subscribes
_RECONNECT_SECONDS = 0.5
_PATIENCE_SECONDS = 1.0
_PULSE_SECONDS = 5.0


class State(Protocol):
    """Where a job, or something of it, stood at a moment: what is published and watched."""

    channels: ClassVar[str]
    """What the names of its channels begin with."""

    @property
    def job_id(self) -> UUID:
        """Whose it is."""

    @property
    def is_final(self) -> bool:
        """True when there will be no other."""

    def is_newer_than(self, other: Self | None) -> bool:
        """True when this state came after `other`: nothing ever goes back, and a final state stays."""

    def to_bytes(self) -> bytes:
        """As JSON, for the wire."""

    @classmethod
    def from_bytes(cls, message: bytes) -> Self:
        """From JSON. Raises ValueError, KeyError or TypeError for anything that `to_bytes` did not write."""

    @classmethod
    async def read(cls, job_id: UUID) -> Self:
        """The state now, from the tables. Raises one of DATABASE_AWAY."""


S = TypeVar("S", bound=State)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job stood at a moment. Counts are absolute; read = accepted + rejected."""

    channels: ClassVar[str] = "sluice:progress:"
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

    @classmethod
    async def read(cls, job_id: UUID) -> Self:
        """The state that the job's row tells now."""
        return cls.of(await Job.get(id=job_id))

    @property
    def is_final(self) -> bool:
        """True when the job will never change again."""
        return self.status.is_final

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


async def publish(redis: Redis, progress: State) -> None:
    """Tells every API process. A Redis that does not answer in time costs this message and nothing else."""
    try:
        async with asyncio.timeout(0.5):
            await redis.publish(progress.channels + progress.job_id.hex, progress.to_bytes())
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("progress not published", extra={"job": str(progress.job_id), "error": repr(error)})


class Slot(Generic[S]):
    """What one subscriber has not seen yet: the latest state only, however slow the subscriber is."""

    def __init__(self, kind: type[S]) -> None:
        self.kind = kind
        self._latest: S | None = None
        self._news = asyncio.Event()

    def put(self, progress: S) -> None:
        """Replaces what has not been taken yet, unless that is newer: workers may overtake each other."""
        if progress.is_newer_than(self._latest):
            self._latest = progress
            self._news.set()

    def mark_stale(self) -> None:
        """Wakes the subscriber without a state: messages may have been missed, so it should read the row."""
        self._news.set()

    async def take(self, timeout: float) -> S | None:
        """The latest state; None after `timeout` seconds, or when the row should be read instead."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._news.wait()
        self._news.clear()
        latest, self._latest = self._latest, None
        return latest


class ProgressFeed:
    """One pub/sub connection for a whole API process, fanned out to the slots of its subscribers.

    It is not redis-py's PubSub: that connects anew by itself, in whichever task meets the broken connection first,
    and two tasks at once end each other with a RuntimeError. Here only the reader connects.
    """

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._connection: Any = None
        """Subscribed to what is wanted; None while there is no such connection."""
        self._slots: dict[str, set[Slot[Any]]] = {}
        """By channel, whose states are all of one kind."""
        self._settled: dict[str, asyncio.Event] = {}
        """Set when the watchers of a channel have stopped waiting for Redis to acknowledge it."""
        self._sending = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read_forever(), name="progress feed")
        return self

    async def __aexit__(self, *_: object) -> None:
        # More than once: redis-py swallows a cancellation that reaches it while it connects.
        while self._reader and not self._reader.done():
            self._reader.cancel()
            await asyncio.wait({self._reader}, timeout=0.2)

    @contextlib.asynccontextmanager
    async def watch(self, kind: type[S], job_id: UUID) -> AsyncIterator[Slot[S]]:
        """A slot that receives every state of this kind and job that is published from now on.

        Returns once Redis has acknowledged the subscription, or after a second without; then the slot is marked as
        stale as soon as the subscription stands. So an absent Redis makes progress slower and never wrong.
        """
        channel, slot = kind.channels + job_id.hex, Slot(kind)
        self._slots.setdefault(channel, set()).add(slot)
        try:
            await self._subscribed(channel)
            yield slot
        finally:
            self._slots[channel].discard(slot)
            if not self._slots[channel]:
                await self._leave(channel)

    async def _subscribed(self, channel: str) -> None:
        settled = self._settled.setdefault(channel, asyncio.Event())
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                if not settled.is_set():  # each asks, since whoever came first may leave before he has
                    await self._tell_redis("SUBSCRIBE", channel)
                await settled.wait()
        except TimeoutError:
            settled.set()

    async def _leave(self, channel: str) -> None:
        del self._slots[channel], self._settled[channel]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._tell_redis("UNSUBSCRIBE", channel)

    async def _tell_redis(self, command: str, channel: str) -> None:
        async with self._sending:
            is_wanted = channel in self._slots
            if self._connection is None or is_wanted == (command == "UNSUBSCRIBE"):
                return  # the reader will subscribe to all that is wanted; or others have come or gone meanwhile
            with contextlib.suppress(RedisError, OSError):  # the reader meets it as well
                await _send(self._connection, command, channel)

    async def _read_forever(self) -> None:
        while True:
            try:
                async with self._connected() as connection:
                    await self._read(connection)
            except Exception as error:  # noqa: BLE001  # a feed that ends would leave every subscriber to polling
                logger.warning(
                    "progress feed lost its connection, trying again", extra={"error": repr(error)}
                )
            await asyncio.sleep(_RECONNECT_SECONDS)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        """A connection that is subscribed to all that is wanted by now."""
        connection: Any = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py leaves it bare
        try:
            async with self._sending:
                self._connection = connection
                await _send(connection, "SUBSCRIBE", _IDLE_CHANNEL, *self._slots)
            yield connection
        finally:
            try:
                async with self._sending:
                    self._connection = None
            finally:  # also when this task is cancelled while it waits for its turn
                self._connection = None
                await connection.disconnect(nowait=True)
                await self._pool.release(connection)

    async def _read(self, connection: Any) -> None:
        """Passes on what comes. Raises one of Redis's errors, or TimeoutError when a ping is not answered either."""
        is_asked = False
        while True:
            message = await connection.read_response(
                timeout=_PULSE_SECONDS, disconnect_on_error=False, push_request=True
            )
            if message is not None:
                is_asked = False
                self._dispatch(message)
                continue
            if is_asked:
                raise TimeoutError("no answer to a ping")
            is_asked = True
            async with self._sending:
                await _send(connection, "PING")

    def _dispatch(self, message: Any) -> None:
        match message:
            case [b"subscribe", bytes(channel), _]:
                self._on_subscribed(channel.decode())
            case [b"message", bytes(channel), bytes(data)]:
                self._on_progress(channel.decode(), data)
            case _:
                pass  # what answers a ping or an UNSUBSCRIBE

    def _on_subscribed(self, channel: str) -> None:
        settled = self._settled.get(channel)
        if settled is None:
            return
        if settled.is_set():
            # After a lost connection, or later than anybody waited: what was published before now is gone.
            for slot in self._slots[channel]:
                slot.mark_stale()
        settled.set()

    def _on_progress(self, channel: str, data: bytes) -> None:
        slots = self._slots.get(channel)
        if not slots:
            return
        try:
            state = next(iter(slots)).kind.from_bytes(data)
        except (ValueError, KeyError, TypeError):
            logger.warning("progress message not understood", extra={"channel": channel})
            return
        for slot in slots:
            slot.put(state)


async def _send(connection: Any, *command: str) -> None:
    """Sends a command on a connection that is up; redis-py would connect anew, without any subscription."""
    if not connection.is_connected:
        raise ConnectionError("the connection was lost")
    await connection.send_command(*command, check_health=False)
