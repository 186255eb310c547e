"""Writes decoded JSON as compact JSON, as far as anybody will see of it."""

from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring
from typing import Any

from tasks.pipeline.record import MAX_RAW_CHARS

_SPELLING = {True: "true", False: "false", None: "null"}


class Number(str):
    """A number's own spelling, told apart from a string."""

    __slots__ = ()


def compact(value: Any) -> str:
    """The first `MAX_RAW_CHARS` characters of a value's compact JSON; what is cut off costs nothing.

    Objects are tuples of pairs, arrays lists, numbers `Number`; the rest is str, True, False and None.
    """
    written: list[str] = []
    chars = 0
    # Not recursive: whatever could be decoded can be written.
    unfinished: list[tuple[Iterator[tuple[str, Any]], str]] = [(iter([("", value)]), "")]
    while unfinished and chars < MAX_RAW_CHARS:
        parts, end = unfinished[-1]
        over: tuple[str, Any] = (end, parts)
        before, inner = next(parts, over)
        if inner is parts:
            unfinished.pop()
        elif isinstance(inner, tuple):
            before += "{"
            unfinished.append((_members(inner), "}"))
        elif isinstance(inner, list):
            before += "["
            unfinished.append((_items(inner), "]"))
        else:
            before += _scalar(inner)
        written.append(before)
        chars += len(before)
    return "".join(written)[:MAX_RAW_CHARS]


def _members(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    comma = ""
    for key, value in pairs:
        yield f"{comma}{_string(key)}:", value
        comma = ","


def _items(values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    comma = ""
    for value in values:
        yield comma, value
        comma = ","


def _scalar(value: str | bool | None) -> str:
    if isinstance(value, Number):
        return value[:MAX_RAW_CHARS]
    return _string(value) if isinstance(value, str) else _SPELLING[value]


def _string(text: str) -> str:
    return encode_basestring(text[:MAX_RAW_CHARS])
