"""Keeps what one wide record can cost small: a record may have as many unknown keys as it has bytes."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from tasks.pipeline.record import Problem

MAX_ALIKE = 10
"""A record has at most this many problems of one kind outside the schema's fields."""


def first_problems(problems: Iterable[Problem], count: int) -> list[Problem]:
    """The first `MAX_ALIKE` of `count` problems of one kind; where there are more, the last one kept says how many."""
    first = list(islice(problems, MAX_ALIKE))
    if count > MAX_ALIKE:
        more = f"{first[-1].message} … and {count - MAX_ALIKE:,} more like this."
        first[-1] = replace(first[-1], message=more)
    return first
