"""JSON from clients, with every digit of its numbers."""

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from graphql import FloatValueNode, ValueNode, value_from_ast_untyped

MAX_VALUES = 15_000
"""A record schema with every option of a thousand fields has 14,000. What holds more keeps others waiting."""
MAX_DEPTH = 64
"""Ours; orjson's own is 1,024, which is more than those who walk through the value can bear."""


class TooMuchJson(ValueError):
    """Valid JSON, of which there is too much; the message goes on after "The body"."""


class ExactFloat(float):
    """A number with a fraction or an exponent, which remembers how it was written."""

    def __init__(self, text: str) -> None:
        self.text = text


def exact_loads(text: str | bytes) -> Any:
    """The JSON value. Raises ValueError, also for NaN, lone surrogates and deep nesting, which others let pass,
    and for more than MAX_VALUES values."""
    # Commas in strings are counted, too: nobody needs so many, and to find out which is which takes long.
    if (text.count(",") if isinstance(text, str) else text.count(b",")) >= MAX_VALUES:
        raise TooMuchJson(f"has too many values: {MAX_VALUES:,} are allowed")
    if _depth(orjson.loads(text)) > MAX_DEPTH:
        raise TooMuchJson(f"is nested too deeply: {MAX_DEPTH} levels are allowed")
    return json.loads(text, parse_float=ExactFloat)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        level = [inner for outer in level for inner in _inner(outer)]
        depth += 1
    return depth


def _inner(value: Any) -> Iterable[Any]:
    """The objects and lists right inside an object or a list."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in values if isinstance(inner, dict | list)]


def exact_value(value: Any) -> Any:
    """A JSON scalar as it came: a number that a float would change becomes its text."""
    if not isinstance(value, ExactFloat):
        return value
    try:
        is_kept = Decimal(repr(float(value))) == Decimal(value.text)
    except InvalidOperation:  # an exponent beyond all reason
        is_kept = False
    return float(value) if is_kept else value.text


def exact_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """The same for a value that stands in the document."""
    if isinstance(node, FloatValueNode):
        return exact_value(ExactFloat(node.value))
    return exact_value(value_from_ast_untyped(node, variables))
