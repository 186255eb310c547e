"""What can go wrong on the command line. Each message says what happened and what to do; nobody sees a traceback.

SluiceError            printed as one line; the command exits with 1
├── AlreadyServing     another Sluice holds the data folder
├── StartFailed        a server or a step on the way to it did not come up
└── ApiError           the API answered with errors
    └── Unreachable    nobody answered, or the connection broke: trying again may help
"""


class SluiceError(Exception):
    """Something that the person at the keyboard can mend."""


class AlreadyServing(SluiceError):
    """Another process of ours holds the data folder."""


class StartFailed(SluiceError):
    """PostgreSQL, Redis, a migration or the API did not come up."""


class ApiError(SluiceError):
    """The API refused a request."""


class Unreachable(ApiError):
    """Nobody answered, or not to the end."""
