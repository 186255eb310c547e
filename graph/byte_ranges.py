"""The part of a content that a request wants (RFC 9110, 14)."""

import re
from collections.abc import Mapping

from graph.errors import ErrorCode, Refusal

_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
_MAX_DIGITS = 18


def wanted_range(headers: Mapping[str, str], etag: str) -> tuple[str, str] | None:
    """First and last byte, as they are said; None for all: where there is no range, one that we do not know, more than one,
    or one of another content than there is by now (If-Range)."""
    found = _RANGE.fullmatch(headers.get("range", ""))
    if found is None or not any(found.groups()) or max(map(len, found.groups())) > _MAX_DIGITS:
        return None
    first, last = found.groups()
    if first and last and int(first) > int(last):
        return None
    return (first, last) if headers.get("if-range", etag) == etag else None


def satisfied(wanted: tuple[str, str], size: int) -> range:
    """The bytes of a content of this size. Raises Refusal (416) where there are none of them."""
    first, last = wanted
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
    if start >= stop:
        message = f"The range begins behind the end: there are {size:,} bytes."
        raise Refusal(416, ErrorCode.BAD_USER_INPUT, message, {"content-range": f"bytes */{size}"})
    return range(start, stop)
