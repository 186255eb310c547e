"""What can go wrong around a job, apart from its file (tasks/pipeline/errors.py).

    TaskError
    ├── LeaseLost         the job is not this worker's any more: cancelled, or claimed by another
    ├── LoadedMeanwhile   the batch is there already: a COMMIT of ours, whose answer was lost, has arrived
    ├── Draining          this worker is asked to stop
    ├── ReaderNotStarted  there is no reader child: the fork server died, or the machine is out of processes
    ├── ReaderCrashed     the reader child died before it was done
    └── ReaderFaulty      the reader child met an error of ours

`DATABASE_AWAY` are the library's exceptions that mean: wait and try again.
"""

import asyncio

import asyncpg
from tortoise.exceptions import DBConnectionError, TransactionManagementError

DATABASE_AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, crashed, starting up
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.ObjectNotInPrerequisiteStateError,  # takes no connections now, or a lock that could not be had
    asyncpg.InvalidTransactionStateError,  # read-only: a standby that is not promoted yet; idle for too long
    asyncpg.TransactionRollbackError,  # a deadlock
    asyncpg.PostgresSystemError,  # an error of its disk
    asyncpg.InterfaceError,  # the connection was closed under us
    asyncpg.InternalClientError,  # or in the middle of a COPY
    asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password: the operator will see to it
    DBConnectionError,
    TransactionManagementError,  # what Tortoise makes of an invalid state of a transaction
    OSError,
    TimeoutError,
)


def stop_if_cancelled(error: Exception) -> None:
    """For loops that try again: a cancellation in the middle of a query can surface as the connection's error."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError from error


class TaskError(Exception):
    """A job cannot go on here and now."""


class LeaseLost(TaskError):
    """The job was cancelled, or another worker has claimed it: nothing more of it may be written here."""


class LoadedMeanwhile(TaskError):
    """The batch is there already: a COMMIT whose answer was lost has taken effect after we had asked for it."""


class Draining(TaskError):
    """This worker is asked to stop: the job goes back to the queue."""


class ReaderNotStarted(TaskError):
    """There is no reader child: the fork server died while we spoke to it, or the machine is out of processes."""


class ReaderCrashed(TaskError):
    """The reader child died before it was done. No `exitcode`: it was silent for too long, and was ended."""

    def __init__(self, exitcode: int | None) -> None:
        super().__init__(f"the reader process ended with exit code {exitcode}")
        self.exitcode = exitcode


class ReaderFaulty(TaskError):
    """The reader child met an error of ours; the message says which, and where in the code."""
