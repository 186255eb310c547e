"""How long a query or mutation may take."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from graph.errors import ErrorCode, Refusal

_RETRY_SECONDS = 5


class Deadline:
    """The end of an operation's time."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens in here does not count: how fast a file comes is the client's affair."""
        if self._timeout.expired():  # a cancellation is on its way
            yield
            return
        time, when = asyncio.get_running_loop().time, self._timeout.when()
        left = None if when is None else when - time()
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._timeout.reschedule(None if left is None else time() + left)


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[Deadline]:
    """Cancels what takes longer, and then raises Refusal (503)."""
    try:
        async with asyncio.timeout(seconds) as timeout:
            yield Deadline(timeout)
    except TimeoutError:
        message = (
            f"The operation took longer than {seconds:g} s and was ended. Ask for less at a time, or try again later;"
            " after a mutation, look first whether it was carried out all the same."
        )
        raise Refusal(503, ErrorCode.UNAVAILABLE, message, {"retry-after": str(_RETRY_SECONDS)}) from None
