"""A random schedule of faults over one job: what `make soak` repeats until the time is up, and `make test` runs once."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from uuid import UUID

import asyncpg
import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError

from sluice.client import ApiClient
from sluice.endpoints import Services
from tests import samples
from tests.check import assert_as_in_file
from tests.faults.jobs import uuid_of
from tests.stack import Stack, create_schema, finished, kill, reader_children, running, submit

WORKERS = 2
MOST_FAULTS = 12
_END_SECONDS = 120.0


@dataclass
class Victim:
    """One job under way, and the processes that can be hurt."""

    stack: Stack
    job_id: UUID
    chance: random.Random
    workers: list[Popen[bytes]]
    struck: list[str] = field(default_factory=list)
    """The faults so far, in order."""
    _seen_index: int = -1

    async def is_final(self) -> bool:
        """Whether the job has ended."""
        [job] = await self._ask("SELECT finished_at FROM job WHERE id = $1")
        return job["finished_at"] is not None

    async def has_moved(self) -> None:
        """Waits for a batch since the last call, or the job's end: three crashes without one would rightly fail it."""
        async with asyncio.timeout(_END_SECONDS):
            while True:
                [job] = await self._ask("SELECT next_index, finished_at FROM job WHERE id = $1")
                if job["finished_at"] or job["next_index"] > self._seen_index:
                    self._seen_index = job["next_index"]
                    return
                await asyncio.sleep(0.02)

    async def _ask(self, statement: str) -> list[asyncpg.Record]:
        while True:  # the database may be one of the things that were hurt
            try:
                return await self.stack.query(statement, self.job_id)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)

    def any_worker(self) -> int:
        """The place of a random worker."""
        return self.chance.randrange(len(self.workers))


async def kill_worker(victim: Victim) -> None:
    """kill -9 of a worker and all below it; another is started."""
    await victim.has_moved()
    place = victim.any_worker()
    await asyncio.to_thread(kill, victim.workers[place])
    victim.workers[place] = victim.stack.start_worker()


async def stop_worker(victim: Victim) -> None:
    """SIGTERM; another is started."""
    place = victim.any_worker()
    victim.workers[place].terminate()
    code = await asyncio.to_thread(victim.workers[place].wait, 15)
    assert code in (0, -signal.SIGTERM), code  # the latter: it was still importing, and held nothing
    victim.workers[place] = victim.stack.start_worker()


async def freeze_worker(victim: Victim) -> None:
    """SIGSTOP for up to two leases, then SIGCONT."""
    await victim.has_moved()
    worker = victim.workers[victim.any_worker()]
    worker.send_signal(signal.SIGSTOP)
    await asyncio.sleep(victim.chance.uniform(0.2, 4.0))
    worker.send_signal(signal.SIGCONT)


async def kill_readers(victim: Victim) -> None:
    """kill -9 of the reader children of a worker."""
    await victim.has_moved()
    for child in reader_children(victim.workers[victim.any_worker()]):
        child.kill()


async def kill_below_worker(victim: Victim) -> None:
    """kill -9 of everything below a worker: reader, fork server, resource tracker."""
    await victim.has_moved()
    worker = victim.workers[victim.any_worker()]
    for child in psutil.Process(worker.pid).children(recursive=True):
        child.kill()


async def end_sessions(victim: Victim) -> None:
    """Every session of this database is ended by the server."""
    await victim.stack.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def crash_postgres(victim: Victim) -> None:
    """kill -9 of one backend: PostgreSQL ends all sessions and recovers from its log."""
    backends = await victim.stack.query(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    if backends:
        await victim.stack.query("CHECKPOINT")  # else it recovers all that was written before
        os.kill(victim.chance.choice(backends)["pid"], signal.SIGKILL)


async def kill_redis(victim: Victim) -> None:
    """kill -9; its supervisor starts another, empty one."""
    async with Redis.from_url(victim.stack.services.redis_url) as redis:
        os.kill((await redis.info("server"))["process_id"], signal.SIGKILL)


async def flush_redis(victim: Victim) -> None:
    """The stream, its group and every wake-up are gone."""
    async with Redis.from_url(victim.stack.services.redis_url) as redis:
        await redis.flushall()


async def cut_redis(victim: Victim) -> None:
    """Every connection to Redis is cut."""
    async with Redis.from_url(victim.stack.services.redis_url) as redis:
        await redis.client_kill_filter(_type=victim.chance.choice(["normal", "pubsub"]), skipme=True)


FAULTS: tuple[Callable[[Victim], Awaitable[None]], ...] = (
    kill_worker,
    stop_worker,
    freeze_worker,
    kill_readers,
    kill_below_worker,
    end_sessions,
    crash_postgres,
    kill_redis,
    flush_redis,
    cut_redis,
)


async def run(services: Services, folder: Path, seed: int) -> list[str]:
    """Submits a file, hurts whatever the seed says while it is loaded, and checks what is left. The faults, in order."""
    chance = random.Random(seed)
    batch = chance.choice((200, 500, 1_500))
    path = samples.write(
        folder / f"orders{chance.choice(samples.EXTENSIONS)}", batch * chance.randrange(60, 160)
    )
    async with (
        running(services, folder, workers=0, batch_records=str(batch)) as stack,
        await stack.partner() as client,
    ):
        schema_id = await create_schema(client, fields=samples.FIELDS)
        workers = [stack.start_worker() for _ in range(WORKERS)]
        job_id = await submit(client, schema_id, path)
        victim = Victim(stack, uuid_of(job_id), chance, workers)
        await _hurt(victim)
        await _assert_whole(victim, client, job_id, path)
        return victim.struck


async def _hurt(victim: Victim) -> None:
    await victim.has_moved()
    while len(victim.struck) < MOST_FAULTS and not await victim.is_final():
        fault = victim.chance.choice(FAULTS)
        try:
            await fault(victim)
        except TimeoutError:
            raise  # an OSError, too: the job does not move any more
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, RedisError, psutil.NoSuchProcess):
            continue  # what it was to hurt is down already
        victim.struck.append(fault.__name__)
        await asyncio.sleep(victim.chance.uniform(0.0, 0.5))


async def _assert_whole(victim: Victim, client: ApiClient, job_id: str, path: Path) -> None:
    job = await finished(client, job_id, _END_SECONDS)
    assert job["status"] == "COMPLETED", (job["failure"], victim.struck)
    await assert_as_in_file(victim.stack, victim.job_id, path)
