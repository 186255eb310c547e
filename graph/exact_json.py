"""JSON from clients, with every digit of its numbers."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from graphql import FloatValueNode, ValueNode, value_from_ast_untyped


class ExactFloat(float):
    """A number with a fraction or an exponent, which remembers how it was written."""

    def __init__(self, text: str) -> None:
        self.text = text


def exact_loads(text: str | bytes) -> Any:
    """The JSON value. Raises ValueError, also for NaN, lone surrogates and deep nesting, which others let pass."""
    orjson.loads(text)
    return json.loads(text, parse_float=ExactFloat)


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
