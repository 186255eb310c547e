"""One worker process: it listens for wake-ups, sweeps, and works through jobs until it is asked to stop."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator

import uvloop
from redis.asyncio import Redis
from taskiq.acks import AcknowledgeType
from taskiq.api import run_receiver_task
from tortoise import Tortoise

from settings import settings, tortoise_config
from tasks.broker import INGEST, broker, redis_options
from tasks.ingest import Ingest
from tasks.orphans import Orphans
from tasks.reader import warm_up
from tasks.storage import open_store
from tasks.sweep import claim_all, sweep, sweep_files

logger = logging.getLogger(__name__)

STOP_SECONDS = 4.5
"""A worker that is asked to stop is gone after so long, whatever hangs."""


def main(database_url: str, redis_url: str) -> None:
    """Runs until SIGTERM or SIGINT, hands back what is unfinished and returns. A second signal ends it at once."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(database_url, redis_url))


async def _work(database_url: str, redis_url: str) -> None:
    stopping = _stop_on_signal()
    warm_up()
    async with _connected(database_url), _redis(redis_url) as redis:
        store = open_store(settings)
        ingest = Ingest(store, redis, stopping)
        async with _woken(ingest), asyncio.TaskGroup() as beside:
            beside.create_task(sweep_files(Orphans(store), stopping), name="files")
            logger.info("worker ready")
            await sweep(ingest, stopping)
            await ingest.settled()
    logger.info("worker stopped")


def _stop_on_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        if stopping.is_set():
            loop.remove_signal_handler(number)
            signal.raise_signal(signal.SIGKILL)  # asked twice: the lease runs out, and nothing is lost
        stopping.set()
        loop.call_later(STOP_SECONDS, _leave)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopping


def _leave() -> None:
    """For a database that hangs: what could not be handed back by now goes on elsewhere when its lease has run out."""
    logger.warning("worker stopped without waiting any longer")
    os._exit(0)


@contextlib.asynccontextmanager
async def _connected(database_url: str) -> AsyncIterator[None]:
    await Tortoise.init(config=tortoise_config(database_url))
    try:
        yield
    finally:
        await Tortoise.close_connections()


@contextlib.asynccontextmanager
async def _redis(redis_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(redis_url, **redis_options())
    try:
        yield redis
    finally:
        await redis.aclose()


@contextlib.asynccontextmanager
async def _woken(ingest: Ingest) -> AsyncIterator[None]:
    """Lets taskiq call `ingest` for every wake-up, as long as the block runs."""

    async def claim() -> None:
        await claim_all(ingest)

    broker.register_task(claim, task_name=INGEST)
    listening = asyncio.create_task(
        run_receiver_task(
            broker, max_async_tasks=1, run_startup=True, ack_time=AcknowledgeType.WHEN_RECEIVED
        ),
        name="wake-ups",
    )
    try:
        yield
    finally:
        await _cancel(listening)
        await broker.shutdown()


async def _cancel(listening: asyncio.Task[None]) -> None:
    # More than once: redis-py swallows a cancellation that reaches it while it connects.
    broker.stop_listening()
    while not listening.done():
        listening.cancel()
        await asyncio.wait({listening}, timeout=0.2)
