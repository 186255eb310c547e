"""Every setting of Sluice, read once from the environment (`SLUICE_…`)."""

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 15.0
"""A database that takes longer for one statement counts as one that does not answer."""
ANY_ORIGIN = "*"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_MAX_MILLISECONDS = 2**31 - 1


class Settings(BaseSettings):
    """What an operator can set. Each name is read from the environment with the prefix `SLUICE_`."""

    model_config = SettingsConfigDict(
        env_prefix="SLUICE_", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    data_dir: Path = Path(".sluice")
    database_url: str | None = None
    """postgresql://…, with ?sslmode=… if need be; unset: the PostgreSQL that `sluice serve` embeds under data_dir."""
    redis_url: str | None = None
    """redis://… ; unset: the Redis that `sluice serve` embeds under data_dir."""
    storage_dir: Path | None = None
    """Where submitted files lie; unset: data_dir/files. API and workers must see the same folder."""
    workers: int = Field(os.cpu_count() or 1, ge=1)
    max_upload_bytes: int = Field(524_288_000, ge=1)
    lease_seconds: float = Field(30.0, gt=0)
    progress_interval_seconds: float = Field(2.0, gt=0)
    batch_records: int = Field(5_000, ge=1)
    header_seconds: float = Field(10.0, gt=0)
    """A request whose line and headers take longer is refused."""
    min_upload_bytes_per_second: int = Field(8_192, ge=0)
    """A request's body that comes more slowly is refused; 0: however slow."""
    orphan_seconds: float = Field(3_600.0, gt=0)
    """A file in the storage that has no job is removed when nobody has written to it for so long."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Whose pages may use the API from a browser, beside its own: https://app.example.com,… ; or * for all."""
    max_document_chars: int = Field(65_536, ge=1)
    """Comments and white space are no tokens, and every character of them is looked at in Python."""
    max_tokens: int = Field(2_000, ge=1)
    max_depth: int = Field(15, ge=1)
    max_aliases: int = Field(30, ge=0)
    max_nodes: int = Field(20_000, ge=1)
    """Elements that one operation may ask for: `first`, multiplied along each path."""
    max_json_bytes: int = Field(1_048_576, ge=1)
    """Of a request's body that is JSON."""
    max_operations_per_socket: int = Field(50, ge=1)
    """At a time on one WebSocket."""
    max_sockets_per_key: int = Field(5_000, ge=1)
    """WebSockets and event streams that are open at a time, in each API process."""
    execution_seconds: float = Field(30.0, gt=0)
    """A query or mutation that takes longer is ended. The time in which a file is received does not count."""
    link_seconds: int = Field(3_600, ge=1)
    """How long a link to a download holds."""
    public_url: str | None = None
    """Where clients reach the API, for links: https://api.example.com; unset: as the request that asks for a link says."""
    requests_per_minute: int = Field(6_000, ge=0)
    """Of each key, with the operations on its WebSockets; 0: however many."""
    faults: str = ""
    """For tests only: where this process is to die or freeze (tasks/faults.py)."""

    @property
    def files_dir(self) -> Path:
        """The folder of submitted files, whether set or derived."""
        return self.storage_dir or self.data_dir / "files"

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _allowed_origins_are_origins(cls, given: Any) -> Any:
        return (
            tuple(map(_origin, filter(None, map(str.strip, given.split(",")))))
            if isinstance(given, str)
            else given
        )

    @field_validator("public_url")
    @classmethod
    def _public_url_is_where_the_paths_begin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = _split(url, "https", "http")
        if (
            parts.scheme not in ("https", "http")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or parts.username
        ):
            raise ValueError("this is where the API is reached, such as https://api.example.com")
        return url.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_url_names_a_database(cls, url: str | None) -> str | None:
        if url is not None:
            _place(url)
        return url

    @field_validator("redis_url")
    @classmethod
    def _redis_url_names_a_redis(cls, url: str | None) -> str | None:
        if url is not None:
            _split(url, "redis", "rediss", "unix")
        return url


def _split(url: str, *schemes: str) -> SplitResult:
    """The parts of a URL. Raises ValueError in an operator's words, which never hold its password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("this is not a URL: see its port and its brackets") from None
    if schemes and parts.scheme not in schemes:
        raise ValueError(f"this must begin with {schemes[0]}://")
    return parts


def _origin(text: str) -> str:
    """As browsers write it: in lower case, without a default port. Raises ValueError."""
    if text == ANY_ORIGIN:
        return text
    parts = _split(text)
    is_more = parts.path not in ("", "/") or parts.query or parts.fragment or parts.username
    host = parts.hostname or ""
    # Browsers send whole names, in ASCII: a pattern, or a name with umlauts, would never match.
    if not parts.scheme or not host or is_more or "*" in host or not host.isascii():
        raise ValueError("an origin is scheme://host or scheme://host:port, such as https://app.example.com")
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _place(database_url: str) -> dict[str, Any]:
    """Who connects where, and with which `sslmode`, in asyncpg's words. Raises ValueError."""
    parts = _split(database_url, "postgresql", "postgres")
    options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    mode = options.pop("sslmode", None)
    if options:
        raise ValueError(f"these parameters are not supported: {', '.join(options)} (sslmode is)")
    if mode not in (None, *_SSL_MODES):
        raise ValueError(f"sslmode must be one of {', '.join(_SSL_MODES)}")
    return {
        "user": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
        "host": parts.hostname,
        "port": parts.port or 5432,
        "database": unquote(parts.path[1:]) or None,
        **({"ssl": mode} if mode else {}),
    }


settings = Settings()


def tortoise_config(database_url: str, command_seconds: float | None = COMMAND_SECONDS) -> dict[str, Any]:
    """Tortoise's configuration for a `postgresql://` URL. Times are kept and read in UTC.

    A statement may take `command_seconds`; None: as long as it likes. Raises ValueError.
    """
    # A worker that freezes inside a transaction must not hold its job's row longer than its lease.
    idle = min(max(1, int(settings.lease_seconds * 1_000)), _MAX_MILLISECONDS)
    credentials = {
        **_place(database_url),
        "minsize": 1,
        "maxsize": 10,
        "timeout": CONNECT_SECONDS,
        "command_timeout": command_seconds,
        "server_settings": {
            "application_name": "sluice",
            "idle_in_transaction_session_timeout": str(idle),
        },
    }
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {
            "models": {"models": ["models"], "default_connection": "default", "migrations": "migrations"},
        },
        "use_tz": True,
        "timezone": "UTC",
    }


# What Tortoise's own command line reads (`tortoise makemigrations`); it needs no reachable server.
TORTOISE_ORM = tortoise_config(settings.database_url or "postgresql://localhost/sluice")
