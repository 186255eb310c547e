"""One worker process: it listens for wake-ups, sweeps, and works through jobs until it is asked to stop.

It has two lanes, each with one job at a time: the main lane takes any job, the express lane small ones only, so that
these never wait for big ones (docs/fairness.md). Beside them it deletes what is to be discarded, and files without a job.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator
from uuid import UUID

import uvloop
from redis.asyncio import Redis
from taskiq.acks import AcknowledgeType
from taskiq.api import run_receiver_task
from tortoise import Tortoise

from settings import settings, tortoise_config
from tasks.broker import INGEST, WakeUpBroker, broker, express_broker, hand_on, redis_options
from tasks.discard import DiscardLane
from tasks.ingest import Ingest
from tasks.orphans import Orphans
from tasks.reader import warm_up
from tasks.storage import open_store
from tasks.sweep import claim_all, sweep, sweep_discards, sweep_files

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
        jobs: list[UUID] = []
        main = Ingest(store, redis, stopping, jobs)
        express = Ingest(store, redis, stopping, jobs, small_only=True)
        async with (
            _woken(main, broker),
            _woken(express, express_broker),
            asyncio.TaskGroup() as beside,
        ):
            beside.create_task(sweep_files(Orphans(store), stopping), name="files")
            beside.create_task(sweep_discards(DiscardLane(redis, stopping), stopping), name="discards")
            beside.create_task(_work_through(express, stopping), name="express lane")
            logger.info("worker ready")
            await _work_through(main, stopping)
    logger.info("worker stopped")


async def _work_through(lane: Ingest, stopping: asyncio.Event) -> None:
    """Returns once `stopping` is set and the lane has left its job."""
    await sweep(lane, stopping)
    await lane.idle.wait()


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
async def _woken(lane: Ingest, broker: WakeUpBroker) -> AsyncIterator[None]:
    """Lets taskiq call `lane` for every wake-up that it takes from `broker`, as long as the block runs."""

    async def claim() -> None:
        if not await claim_all(lane):
            await hand_on(broker)

    broker.idle = lane.idle
    broker.register_task(claim, task_name=INGEST)
    listening = asyncio.create_task(
        run_receiver_task(
            broker, max_async_tasks=1, run_startup=True, ack_time=AcknowledgeType.WHEN_RECEIVED
        ),
        name=f"wake-ups from {broker.queue_name}",
    )
    try:
        yield
    finally:
        broker.stop_listening()
        await _cancel(listening)
        await broker.shutdown()


async def _cancel(listening: asyncio.Task[None]) -> None:
    # More than once: redis-py swallows a cancellation that reaches it while it connects.
    while not listening.done():
        listening.cancel()
        await asyncio.wait({listening}, timeout=0.2)
