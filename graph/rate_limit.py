"""How many requests a key may send in a minute, to all API processes together: counted in Redis."""

import asyncio
import logging
import math
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from graph.errors import ErrorCode, Refusal

logger = logging.getLogger(__name__)

_WINDOW_MILLISECONDS = 60_000
_PREFIX = "sluice:rate:"
_ASKING = 20
"""At a time; the others stand in line. A client's burst must not take all of the pool's connections: the next one would
find none, which is no sign that Redis is away."""
_PATIENCE_SECONDS = 0.25
_LOOKS = 10
"""In that time. A busy process may not come to look at an answer that has long been there, so the clock alone proves nothing."""
_BLIND_SECONDS = 2.0
"""For so long Redis is not asked again when it has not answered: nobody should wait for it time and again."""

# The window opens with a key's first request, by the clock of Redis.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""


class RateLimit:
    """Counts each request in one round trip. Without Redis nobody is refused."""

    def __init__(self, redis: Redis, per_minute: int) -> None:
        """`per_minute` 0: nothing is counted."""
        self._per_minute = per_minute
        self._script = redis.register_script(_COUNT)
        self._blind_until = 0.0
        self._line = asyncio.Semaphore(_ASKING)

    async def count(self, partner_id: UUID) -> None:
        """One more request. Raises Refusal (429) when it is one too many."""
        if not self._per_minute or self._is_blind():
            return
        async with self._line:
            # Whoever stood before us may have found that Redis is away.
            answer = None if self._is_blind() else await self._asked(partner_id)
        if answer is None:
            return
        count, milliseconds = answer
        if count > self._per_minute:
            seconds = max(1, math.ceil(milliseconds / 1_000))
            message = f"This key has sent more than {self._per_minute:,} requests in a minute. Please wait {seconds} s."
            raise Refusal(429, ErrorCode.RATE_LIMITED, message, {"retry-after": str(seconds)})

    async def _asked(self, partner_id: UUID) -> tuple[int, int] | None:
        """What `_ask` gives; None when it does not within our patience."""
        # Not under a timeout: redis-py swallows a cancellation that reaches it while it connects.
        asking = asyncio.ensure_future(self._ask(partner_id))
        for _ in range(_LOOKS):
            await asyncio.wait({asking}, timeout=_PATIENCE_SECONDS / _LOOKS)
            if asking.done():
                break
        answer = asking.result() if asking.done() else None
        if answer is None:
            asking.cancel()
            self._be_blind()
        return answer

    def _is_blind(self) -> bool:
        return asyncio.get_running_loop().time() < self._blind_until

    async def _ask(self, partner_id: UUID) -> tuple[int, int] | None:
        """How many there were in this window, and the milliseconds that it still lasts; None without Redis."""
        try:
            count, milliseconds = await self._script(
                keys=[_PREFIX + partner_id.hex], args=[_WINDOW_MILLISECONDS]
            )
        except (RedisError, OSError, TimeoutError):
            return None
        return int(count), int(milliseconds)

    def _be_blind(self) -> None:
        if not self._is_blind():  # the first of those who waited together
            logger.warning("requests are not counted, Redis does not answer")
        self._blind_until = asyncio.get_running_loop().time() + _BLIND_SECONDS
