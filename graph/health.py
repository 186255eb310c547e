"""GET /health: whether this process can do its work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from tortoise import connections
from tortoise.exceptions import OperationalError

from graph.errors import AWAY

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 1.5
OK, DOWN, SLOW, NOT_MIGRATED = "ok", "down", "no answer", "not migrated"


class Probe:
    """Asks one server. While it hangs, nobody asks it again, and everybody is told so in time."""

    def __init__(self, ask: Callable[[], Awaitable[str]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[str] | None = None

    async def verdict(self) -> str:
        """ "ok", or what is wrong; within ANSWER_SECONDS, whatever hangs."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._safely())
        # Not cancelled when it takes too long: a cancelled query waits for its server, too.
        done, _ = await asyncio.wait({self._asking}, timeout=ANSWER_SECONDS)
        return self._asking.result() if done else SLOW

    def cancel(self) -> None:
        """Gives up a question that hangs."""
        if self._asking:
            self._asking.cancel()

    async def _safely(self) -> str:
        try:
            return await self._ask()
        except AWAY as error:
            logger.warning("server away", extra={"error": repr(error)})
        except Exception as error:  # noqa: BLE001  # a wrong password, say: whatever it is, the server is of no use
            logger.error("server unusable", extra={"error": repr(error)})  # noqa: TRY400
        return DOWN


class Health:
    """What answers GET /health."""

    def __init__(self, redis: Redis) -> None:
        self._probes = {"database": Probe(_ask_database), "redis": Probe(lambda: _ask_redis(redis))}

    async def response(self) -> Response:
        """200 when all is well, or 503 naming what is not."""
        verdicts = await asyncio.gather(*(probe.verdict() for probe in self._probes.values()))
        well = all(verdict == OK for verdict in verdicts)
        names = dict(zip(self._probes, verdicts, strict=True))
        return JSONResponse({"status": OK if well else "unavailable", **names}, 200 if well else 503)

    def close(self) -> None:
        """Leaves no question open."""
        for probe in self._probes.values():
            probe.cancel()


async def health(request: Request) -> Response:
    """GET /health; needs no key."""
    state: Health = request.state.health
    return await state.response()


async def _ask_database() -> str:
    try:
        await connections.get("default").execute_query("SELECT 1 FROM job, record, record_error LIMIT 0")
    except OperationalError:
        return NOT_MIGRATED
    return OK


async def _ask_redis(redis: Redis) -> str:
    await redis.ping()
    return OK
