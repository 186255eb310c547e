"""Lists by keyset: any page costs what the first one costs, and rows that come or go in between shift nothing."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
import strawberry
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode
from strawberry import UNSET

from graph.context import Info
from graph.errors import bad_user_input
from graph.scalars import BigInt

T = TypeVar("T")

_VERSION = 1
_LONGEST_CURSOR = 2_000
"""One that holds a name of 200 control characters, as JSON escapes them, has 1,700."""
DEFAULT_FIRST = 20
MAX_FIRST = 100
MAX_FIRST_RECORDS = 1_000

First = Annotated[int | None, strawberry.argument(description=f"How many, at most: 1 to {MAX_FIRST}.")]
FirstRecords = Annotated[
    int | None,
    strawberry.argument(
        description=(
            f"How many, at most: 1 to {MAX_FIRST_RECORDS:,}. A page of large records may hold fewer: "
            "there are more as long as `hasNextPage` is true."
        )
    ),
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


@dataclass(slots=True)
class Fetched(Generic[T]):
    """What was read for a page."""

    rows: Sequence[tuple[tuple[Any, ...], T]]
    """(key, element), in order."""
    has_more: bool
    bytes: int = 0
    """Of the elements' `large` fields, each of them once, taken from the operation's allowance."""
    large: frozenset[str] = frozenset()
    """The fields of an element that may be large."""


Start = tuple[Any, ...] | None
Read = Callable[[Info, Start, int], Awaitable[Fetched[T]]]


class Page(Generic[T]):
    """One page, which is read once: when the first field that needs it is asked for."""

    def __init__(
        self,
        start: Start,
        read: Callable[[Info], Awaitable[Fetched[T]]],
        cursor: Callable[[tuple[Any, ...]], str],
    ) -> None:
        self._start = start
        self._read = read
        self._cursor = cursor
        self._turn = asyncio.Lock()
        self._fetched: Fetched[T] | None = None
        self._shown_times = 0
        """How many of the large fields stand in the answer so far, under whatever names."""

    async def edges(self, info: Info) -> list[Edge[T]]:
        """Its elements with their cursors."""
        fetched = await self._shown(info)
        return [Edge(cursor=self._cursor(key), node=node) for key, node in fetched.rows]

    async def nodes(self, info: Info) -> list[T]:
        """The same without cursors."""
        return [node for _, node in (await self._shown(info)).rows]

    async def place(self, info: Info) -> PageInfo:
        """Where it lies in its list."""
        fetched = await self._once(info)
        return PageInfo(
            has_next_page=fetched.has_more,
            has_previous_page=self._start is not None,
            start_cursor=self._cursor(fetched.rows[0][0]) if fetched.rows else None,
            end_cursor=self._cursor(fetched.rows[-1][0]) if fetched.rows else None,
        )

    async def _once(self, info: Info) -> Fetched[T]:
        async with self._turn:
            if self._fetched is None:
                self._fetched = await self._read(info)
        return self._fetched

    async def _shown(self, info: Info) -> Fetched[T]:
        """Reading paid for showing each large field once; the answer may repeat them under several names."""
        fetched = await self._once(info)
        if fetched.bytes:
            raw = info._raw_info  # noqa: SLF001  # Strawberry's own view of the selection takes much longer
            before = max(self._shown_times, len(fetched.large))
            self._shown_times += _times(fetched.large, raw.field_nodes, raw.fragments)
            repeated = max(0, self._shown_times - before)
            info.context.allowance(info.operation).take(repeated * fetched.bytes)
        return fetched


def _times(
    names: frozenset[str], fields: Sequence[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> int:
    """How often one element's fields of these names stand in the answer, below `fields`, which are merged into one."""
    merged: dict[str, list[FieldNode]] = {}
    spread: set[str] = set()
    waiting = [field.selection_set for field in fields]
    while waiting:
        selections = waiting.pop()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                merged.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
    return sum((same[0].name.value in names) + _times(names, same, fragments) for same in merged.values())


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """One page of a list."""

    page: strawberry.Private[Page[T]]
    counting: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="The page's elements with their cursors.")
    async def edges(self, info: Info) -> list[Edge[T]]:
        """The page's elements with their cursors."""
        return await self.page.edges(info)

    @strawberry.field(description="The page's elements.")
    async def nodes(self, info: Info) -> list[T]:
        """The page's elements."""
        return await self.page.nodes(info)

    @strawberry.field(description="Where the page lies in its list.")
    async def page_info(self, info: Info) -> PageInfo:
        """Where the page lies in its list."""
        return await self.page.place(info)

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
        fetch: Callable[[Start, int], Awaitable[Sequence[tuple[tuple[Any, ...], T]]]],
        counting: Callable[[], Awaitable[int]],
    ) -> Connection[T]:
        """The page of `first` elements after the cursor `after`.

        `fetch(key, limit)` gives up to `limit` (key, element) behind `key`, in order. Raises BAD_USER_INPUT.
        """

        async def read(_: Info, start: Start, limit: int) -> Fetched[T]:
            rows = await fetch(start, limit + 1)
            return Fetched(rows[:limit], len(rows) > limit)

        return self.read_page(first, after, read, counting)

    def read_page(
        self, first: int | None, after: str | None, read: Read[T], counting: Callable[[], Awaitable[int]]
    ) -> Connection[T]:
        """The same for what itself finds out whether there is more. Raises BAD_USER_INPUT."""
        limit = self._limit(first)
        start = None if after is None or after is UNSET else self._parse(after)
        return Connection(
            page=Page(start, lambda info: read(info, start, limit), self._cursor), counting=counting
        )

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
            key = tuple(part(value) for part, value in zip(self._key, values, strict=True))
            if cursor != self._cursor(key):
                raise ValueError("we would have written it otherwise")  # noqa: TRY301
        except (binascii.Error, ValueError, TypeError):
            raise bad_user_input(
                "`after` is not a cursor of this list. Give the `endCursor` of the page before, unchanged."
            ) from None
        return key


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
