"""Decides values by one field, for the tests of the field types."""

from collections.abc import Sequence
from typing import Any

from tasks.pipeline.column import ColumnValidator
from tasks.pipeline.definition import define
from tasks.pipeline.fields.steps import Refusals
from tasks.pipeline.record import Value


def column(**options: Any) -> ColumnValidator:
    """The compiled field with these options."""
    return ColumnValidator(define({"fields": [{"name": "f", **options}]}).fields[0])


def decide(values: Sequence[Value], **options: Any) -> tuple[list[str], Refusals]:
    """The JSON of each value, and the refusals."""
    fragments, refusals = column(**options)(values)
    return [f"{fragments.quote}{text}{fragments.quote}" for text in fragments.texts], refusals


def verdict(value: Value, **options: Any) -> str:
    """The JSON of one value, or the code of its refusal."""
    (loaded,), refusals = decide([value], **options)
    return refusals[0].code if refusals else loaded


def assert_verdicts(expected: dict[Any, str], **options: Any) -> None:
    """Each value's verdict, alone and among all the others."""
    loaded, refusals = decide(list(expected), **options)
    together = {
        value: refusals[position].code if position in refusals else loaded[position]
        for position, value in enumerate(expected)
    }

    assert expected == together
    assert expected == {value: verdict(value, **options) for value in expected}
