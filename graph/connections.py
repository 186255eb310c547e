"""Lists by keyset: any page costs what the first one costs, and rows that come or go in between shift nothing."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
import strawberry
from strawberry import UNSET

from graph.errors import bad_user_input
from graph.scalars import BigInt

T = TypeVar("T")

_VERSION = 1
_LONGEST_CURSOR = 500
DEFAULT_FIRST = 20
MAX_FIRST = 100
MAX_FIRST_RECORDS = 1_000

First = Annotated[int | None, strawberry.argument(description=f"How many, at most: 1 to {MAX_FIRST}.")]
FirstRecords = Annotated[
    int | None, strawberry.argument(description=f"How many, at most: 1 to {MAX_FIRST_RECORDS:,}.")
]
After = Annotated[
    str | None,
    strawberry.argument(description="The `endCursor` of the page before; null for the first page."),
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="True when there are more behind this page.")
    has_previous_page: bool = strawberry.field(description="True when there are others before this page.")
    start_cursor: str | None = strawberry.field(
        description="The first cursor of this page; null when it is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="Give it as `after` to get the next page; null when empty."
    )


@strawberry.type(description="One element of a page, with its place in the list.")
class Edge(Generic[T]):
    """One element of a page."""

    cursor: str = strawberry.field(description="The element's place in the list: opaque.")
    node: T = strawberry.field(description="The element.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """One page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The page's elements with their cursors.")
    nodes: list[T] = strawberry.field(description="The page's elements.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in its list.")
    counting: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many elements the whole list has, over all pages.")
    async def total_count(self) -> BigInt:
        """Counted only when it is asked for."""
        return BigInt(await self.counting())


class Keyset:
    """One kind of list: what its cursors hold, and how long its pages may be."""

    def __init__(self, kind: str, *key: Callable[[Any], Any], max_first: int = MAX_FIRST) -> None:
        """`key`: for each part of the sort key, what checks and converts it (raises ValueError or TypeError)."""
        self._kind = kind
        self._key = key
        self._max_first = max_first

    async def page(
        self,
        first: int | None,
        after: str | None,
        fetch: Callable[[tuple[Any, ...] | None, int], Awaitable[Sequence[tuple[tuple[Any, ...], T]]]],
        counting: Callable[[], Awaitable[int]],
    ) -> Connection[T]:
        """The page of `first` elements after the cursor `after`.

        `fetch(key, limit)` gives up to `limit` (key, element) behind `key`, in order. Raises BAD_USER_INPUT.
        """
        limit = self._limit(first)
        start = None if after is None or after is UNSET else self._parse(after)
        found = await fetch(start, limit + 1)
        edges = [Edge(cursor=self._cursor(key), node=node) for key, node in found[:limit]]
        info = PageInfo(
            has_next_page=len(found) > limit,
            has_previous_page=start is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
        return Connection(edges=edges, nodes=[edge.node for edge in edges], page_info=info, counting=counting)

    def _limit(self, first: int | None) -> int:
        if first is None:
            return DEFAULT_FIRST
        if not 1 <= first <= self._max_first:
            raise bad_user_input(f"`first` must be between 1 and {self._max_first:,}; it is {first:,}.")
        return first

    def _cursor(self, key: tuple[Any, ...]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([_VERSION, self._kind, *key])).decode()

    def _parse(self, cursor: str) -> tuple[Any, ...]:
        try:
            if len(cursor) > _LONGEST_CURSOR:
                raise ValueError("no cursor of ours is so long")  # noqa: TRY301
            version, kind, *values = orjson.loads(base64.b64decode(cursor, b"-_", validate=True))
            if (version, kind) != (_VERSION, self._kind):
                raise ValueError("a cursor of another list")  # noqa: TRY301
            return tuple(part(value) for part, value in zip(self._key, values, strict=True))
        except (binascii.Error, ValueError, TypeError):
            raise bad_user_input(
                "`after` is not a cursor of this list. Give the `endCursor` of the page before, unchanged."
            ) from None


def whole_number(value: Any) -> int:
    """A part of a sort key that is a count or an index. Raises ValueError."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("not an index")
    return value


def uuid(value: Any) -> UUID:
    """A part of a sort key that is an id. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("not an id")  # noqa: TRY004
    return UUID(value)
