"""What can go wrong on the command line. Each message says what happened and what to do; nobody sees a traceback.

SluiceError            printed as one line; the command exits with 1
├── AlreadyServing     another Sluice holds the data folder
├── StartFailed        a server or a step on the way to it did not come up
└── ApiError           the API answered with errors
    └── Unreachable    nobody answered, the connection broke, or the server is busy: trying again may help
"""

from collections.abc import Mapping, Sequence
from typing import Any

_RETRY_SECONDS = 0.5


class SluiceError(Exception):
    """Something that the person at the keyboard can mend."""


class AlreadyServing(SluiceError):
    """Another process of ours holds the data folder."""


class StartFailed(SluiceError):
    """PostgreSQL, Redis, a migration or the API did not come up."""


class ApiError(SluiceError):
    """The API refused a request."""

    def __init__(self, message: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        """`errors`: GraphQL's errors, or the userErrors, that the message tells of."""
        super().__init__(message)
        self.errors = errors


class Unreachable(ApiError):
    """Nobody answered, or not to the end, or with the request to come again."""

    def __init__(self, message: str, retry_after: str | None = None) -> None:
        """`retry_after`: the header of that name."""
        super().__init__(message)
        self.retry_seconds = float(retry_after) if retry_after and retry_after.isdecimal() else _RETRY_SECONDS
