"""Where the database and Redis are: the two URLs, and what is remembered of embedded ones between runs."""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sluice.errors import StartFailed

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Services:
    """The URLs of a PostgreSQL and a Redis that answer."""

    database_url: str
    redis_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The two variables that every process of Sluice reads."""
        return {"SLUICE_DATABASE_URL": self.database_url, "SLUICE_REDIS_URL": self.redis_url}

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Services":
        """From those two variables. Raises KeyError."""
        return cls(environment["SLUICE_DATABASE_URL"], environment["SLUICE_REDIS_URL"])


@dataclass(frozen=True)
class Endpoint:
    """The port and the password of one embedded server."""

    port: int
    password: str

    @classmethod
    def remembered(cls, file: Path, *, renew: bool) -> "Endpoint":
        """The endpoint kept in `file` (mode 0600), with a new port if that one is taken by now.

        Without a file, makes one if `renew`; otherwise the password is lost: StartFailed.
        """
        known = _read(file)
        if known is None and not renew:
            raise StartFailed(
                f"{file} is missing or damaged, and with it the password of the database beside it: "
                "restore the file, or remove the folder to begin with an empty database"
            )
        endpoint = cls(_port(known), known.password if known else secrets.token_hex(24))
        if endpoint != known:
            write_private(file, json.dumps(asdict(endpoint)))
        return endpoint


def _read(file: Path) -> Endpoint | None:
    try:
        return Endpoint(**json.loads(file.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _port(known: Endpoint | None) -> int:
    return known.port if known and is_free(LOOPBACK, known.port) else free_port()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether somebody could listen there now. False, too, for an address that is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def write_private(file: Path, text: str) -> None:
    """Replaces `file` in one step; only its owner may read it."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(text)
    beside.replace(file)
