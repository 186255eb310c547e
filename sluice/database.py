"""How a command finds its database and Redis, and how it says that they do not answer."""

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
from tortoise.exceptions import DBConnectionError

from settings import settings
from sluice import run_files
from sluice.endpoints import Services
from sluice.errors import SluiceError


def database_url() -> str:
    """SLUICE_DATABASE_URL, or the database of the Sluice that runs on our data folder. Raises SluiceError."""
    running = run_files.read_env(settings.data_dir)
    url = settings.database_url or (running and running.database_url)
    if not url:
        raise SluiceError(f"no database: {_what_to_do('SLUICE_DATABASE_URL')}")
    return url


def services() -> Services:
    """The same for the database and Redis. Raises SluiceError."""
    running = run_files.read_env(settings.data_dir)
    redis_url = settings.redis_url or (running and running.redis_url)
    if not redis_url:
        raise SluiceError(f"no Redis: {_what_to_do('SLUICE_DATABASE_URL and SLUICE_REDIS_URL')}")
    return Services(database_url(), redis_url)


def _what_to_do(variables: str) -> str:
    return f"start `sluice serve` first (none is running on {settings.data_dir}), or set {variables}"


@contextlib.asynccontextmanager
async def reachable(url: str) -> AsyncIterator[None]:
    """Turns a database that does not answer, or does not let us in, into a SluiceError that says so."""
    try:
        yield
    except (OSError, TimeoutError, DBConnectionError):
        raise SluiceError(
            f"PostgreSQL does not answer at {_place(url)}: see that it runs, and that SLUICE_DATABASE_URL is right"
        ) from None
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise SluiceError(
            f"PostgreSQL at {_place(url)} refuses: {error}. Check SLUICE_DATABASE_URL"
        ) from None


def _place(url: str) -> str:
    """Host, port and database, without the password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
