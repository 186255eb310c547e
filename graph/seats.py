"""How many WebSockets and event streams a key may have open at a time, in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from graph.errors import ErrorCode, Refusal

_RETRY_SECONDS = 5


class Seats:
    """Each partner's."""

    def __init__(self, per_key: int) -> None:
        self._per_key = per_key
        self._taken: Counter[UUID] = Counter()

    def take(self, partner_id: UUID) -> AbstractContextManager[None]:
        """One, to the end of the context, which is to be entered at once. Raises Refusal (429) when there is none left."""
        if self._taken[partner_id] >= self._per_key:
            message = f"A key can have {self._per_key:,} WebSockets and event streams open at a time. Close one first."
            raise Refusal(429, ErrorCode.RATE_LIMITED, message, {"retry-after": str(_RETRY_SECONDS)})
        return self._sitting(partner_id)

    @contextmanager
    def _sitting(self, partner_id: UUID) -> Iterator[None]:
        self._taken[partner_id] += 1
        try:
            yield
        finally:
            self._taken[partner_id] -= 1
            if not self._taken[partner_id]:
                del self._taken[partner_id]
