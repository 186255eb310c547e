"""The taskiq brokers: Redis streams that wake workers, one for each kind of lane. They are never the truth; the job's row is.

A wake-up carries nothing: whoever gets it claims the next job from the database, and finds none if somebody was
faster. So a lost, doubled or late message costs at most the time until the next sweep. A lane takes wake-ups only
while it is idle; one that comes to a busy lane all the same goes back into the stream, where an idle one finds it.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError, ResponseError
from taskiq import AckableMessage
from taskiq.kicker import AsyncKicker
from taskiq_redis import RedisStreamBroker

from settings import settings

logger = logging.getLogger(__name__)

INGEST = "sluice.ingest"
"""The name of the one task, in tasks/ingest.py."""

_BLOCK_MILLISECONDS = 2_000
_PAUSE_SECONDS = 1.0
_WAKE_SECONDS = 0.2
_MAX_WAITING = 100
"""Wake-ups that wait mean that all lanes are busy, and a lane that becomes idle asks the database anyway."""


def redis_options() -> dict[str, Any]:
    """Connection options for every Redis client of ours: short patience, and a pulse against dead connections."""
    return {
        "socket_connect_timeout": 1,
        "socket_timeout": 5,  # above _BLOCK_MILLISECONDS
        "health_check_interval": 15,
        "retry": Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 1),
    }


class WakeUpBroker(RedisStreamBroker):
    """A stream broker that outlives its Redis: it waits for it, and never ends a worker's listening."""

    _listening = True

    def __init__(self, redis_url: str, queue_name: str) -> None:
        super().__init__(
            redis_url,
            queue_name=queue_name,
            consumer_group_name="workers",
            consumer_name=f"{socket.gethostname()}-{os.getpid()}",
            consumer_id="0",
            xread_block=_BLOCK_MILLISECONDS,
            maxlen=_MAX_WAITING,
            approximate=False,
            **redis_options(),
        )
        self.idle = asyncio.Event()
        """Wake-ups are taken only while this is set; a worker puts its lane's event here."""
        self.idle.set()

    def stop_listening(self) -> None:
        """Ends `listen` after the read that is under way."""
        self._listening = False

    async def startup(self) -> None:
        """Starts without Redis, too: the stream and its group are declared while listening."""
        try:
            await super().startup()
        except (RedisError, OSError) as error:
            logger.warning("no Redis for wake-ups yet", extra={"error": repr(error)})

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Wake-ups as they come, each to one idle lane, until `stop_listening`."""
        while self._listening:
            await self.idle.wait()
            try:
                async with Redis(connection_pool=self.connection_pool) as redis:
                    message = await self._next(redis)
            except (RedisError, OSError, TimeoutError) as error:
                await self._recover(error)
                continue
            if message is not None:
                yield AckableMessage(data=message, ack=_acknowledge)

    async def _next(self, redis: Redis) -> bytes | None:
        # NOACK: a wake-up that dies with its worker is replaced by the sweep, so nobody has to keep account of it.
        fetched: Any = await redis.xreadgroup(
            self.consumer_group_name,
            self.consumer_name,
            {self.queue_name: ">"},
            count=1,
            block=self.block,
            noack=True,
        )
        if not fetched:
            return None
        [(_, [(message_id, fields)])] = fetched
        await redis.xdel(self.queue_name, message_id)
        data: bytes = fields[b"data"]
        return data

    async def _recover(self, error: Exception) -> None:
        logger.warning("wake-ups interrupted, trying again", extra={"error": repr(error)})
        await asyncio.sleep(_PAUSE_SECONDS)
        if isinstance(error, ResponseError):  # NOGROUP: somebody emptied Redis
            await self.startup()


async def _acknowledge() -> None:
    """Nothing to do: wake-ups are read without acknowledgement."""


_REDIS_URL = settings.redis_url or "redis://127.0.0.1:6379"
broker = WakeUpBroker(_REDIS_URL, "sluice:wake")
express_broker = WakeUpBroker(_REDIS_URL, "sluice:wake:express")


async def wake() -> None:
    """Wakes one idle lane of each kind, whoever may have the job. Takes 200 ms at most and never fails: the sweep
    finds the job anyway."""
    await _send(broker, express_broker)


async def hand_on(to: WakeUpBroker) -> None:
    """Puts a wake-up that came to a busy lane back, for an idle one. Never fails, as `wake`."""
    await _send(to)


async def _send(*brokers: WakeUpBroker) -> None:
    try:
        async with asyncio.timeout(_WAKE_SECONDS):
            await asyncio.gather(
                *(AsyncKicker(task_name=INGEST, broker=each, labels={}).kiq() for each in brokers)
            )
    except Exception as error:  # noqa: BLE001  # taskiq wraps whatever Redis raises in errors of its own
        reason = error.__cause__ or error
        logger.warning("no worker woken, a sweep will find the job", extra={"error": repr(reason)})
