"""The short cut for values that are certain says exactly what the long way says, whatever the schema and the values."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.pipeline.column import ColumnValidator
from tasks.pipeline.definition import define
from tasks.pipeline.errors import DefinitionError
from tasks.pipeline.fields.certain import BLOCK
from tasks.pipeline.fields.steps import Refusals
from tasks.pipeline.record import MAX_VALUE_CHARS, NotScalar, Value

USUAL: dict[str, Sequence[str]] = {
    "STRING": ("a", "Žofie Müller", "two  words", "x" * 12, ""),
    "INTEGER": ("0", "7", "-7", "1234567890", "12"),
    "NUMBER": ("0", "0.10", "-3.5", "12.25", "7"),
    "BOOLEAN": ("true", "false"),
    "DATE": ("2026-03-31", "2024-02-29", "0001-01-01", "9999-12-31", "2000-02-28"),
    "DATETIME": ("2026-03-31T14:25:36Z", "2024-02-29T00:00:00.5Z", "9999-12-31T23:59:59.999999Z"),
    "EMAIL": ("a@example.com", "first.last+tag@mail.example.co", "x_y@a-b.org"),
    "URL": ("https://example.com", "HTTP://user@host:80/path?query#fragment", "http://localhost"),
}
UNUSUAL = st.one_of(
    st.sampled_from(
        ["NA", " a", "a ", "\ta", "a\n", "1\n2", "true\nfalse", "a\u00a0", "\u2028a", 'say "x"', "back\\slash", "\0",
         "\ud800", "\x7f", "\x85a", "\x1fa", "-0", "+1", "007", "1e3", "9" * 19, "9" * 101, "0." + "1" * 100, "٣", "1.0",
         "yes", "TRUE", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "2026-04-31", "2026-3-1", "2026-03-31T24:00:00Z",
         "2026-03-31T14:25:36+02:00", "2026-03-31t14:25:36z", "2026-03-31T14:25:60Z", "a@b", "a..b@example.com", ".a@example.com",
         "é@example.com", "a@-b.com", "a@b.c", f"{'a' * 64}@example.com", f"{'a' * 65}@example.com", f"a@{'b' * 64}.com",
         "ftp://example.com", "https://example.com/a b", "https://ex\u00e4mple.com", "http://h:65536", "http://h/\"", ""]
    ),
    st.text(max_size=4),
    st.integers(-200, 200).map(str),
    st.none(),
    st.just(NotScalar("{}")),
)  # fmt: skip


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    """Any field of any type, with any of the options that it may have."""
    type = draw(st.sampled_from(sorted(USUAL)))
    options: dict[str, Any] = {
        "required": draw(st.booleans()),
        "trim": draw(st.booleans()),
        "null_values": draw(
            st.lists(st.sampled_from(["", "NA", "a", "0", "true", "a\nb", " a"]), max_size=2).map(tuple)
        ),
    }
    if draw(st.booleans()):
        options |= _drawn(draw, _bounds(type))
    if draw(st.integers(0, 3)) == 0:
        options["enum"] = tuple(draw(st.lists(st.sampled_from(USUAL[type]), min_size=1, max_size=3)))
    if draw(st.integers(0, 3)) == 0:
        options["pattern"] = draw(st.sampled_from(["[a-z]+", ".{2,}", "[0-9.-]*", "(?x) . + # all"]))
    if draw(st.integers(0, 3)) == 0:
        options["default"] = draw(st.sampled_from(USUAL[type]))
    return {"name": "f", "type": type, **options}


def _bounds(type: str) -> dict[str, st.SearchStrategy[Any]]:
    match type:
        case "STRING" | "EMAIL" | "URL":
            return {
                "min_length": st.integers(0, 13),
                "max_length": st.sampled_from([0, 1, 2, 11, 12, 20, 299, 400]),
            }
        case "INTEGER" | "NUMBER":
            return {
                "min": st.sampled_from([-7, -3.5, 0, 0.5, 7]),
                "max": st.sampled_from([-7, 0, 6.5, 12, 10**9]),
            }
        case "DATE" | "DATETIME":
            return {
                "min": st.sampled_from(["0001-01-01", "2024-02-29"]),
                "max": st.sampled_from(["2026-03-31", "9999-12-31"]),
            }
        case _:
            return {}


def _drawn(draw: st.DrawFn, options: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    chosen = draw(st.sets(st.sampled_from(sorted(options)))) if options else ()
    return {option: draw(options[option]) for option in sorted(chosen)}


@st.composite
def cases(draw: st.DrawFn) -> tuple[ColumnValidator, list[Value]]:
    """A field and a column of several blocks, most of them as its type usually has them."""
    field = draw(fields())
    try:
        validator = ColumnValidator(define({"fields": [field]}).fields[0])
    except (DefinitionError, ValidationError):
        validator = ColumnValidator(define({"fields": [{"name": "f", "type": field["type"]}]}).fields[0])
    usual = USUAL[field["type"]]
    column: list[Value] = [usual[k % len(usual)] for k in range(draw(st.integers(1, 6 * BLOCK)))]
    if draw(st.booleans()):
        column = [column[0]] * len(column)
    for position, value in draw(
        st.lists(st.tuples(st.integers(0, len(column) - 1), UNUSUAL | st.sampled_from(usual)), max_size=6)
    ):
        column[position] = value
    return validator, column


def in_full(validated: tuple[Any, Refusals]) -> tuple[list[str | None], Refusals]:
    """The JSON of every value that is not refused, and the refusals."""
    fragments, refusals = validated
    texts = fragments.in_full().texts
    return [None if k in refusals else text for k, text in enumerate(texts)], dict(sorted(refusals.items()))


def _without_short_cuts(validator: ColumnValidator) -> ColumnValidator:
    long = copy(validator)
    long._blocks, long._steps = None, replace(validator._steps, certain=None)
    return long


@settings(max_examples=3_000, deadline=None)
@given(cases())
def test_both_ways_say_the_same(case: tuple[ColumnValidator, list[Value]]) -> None:
    """The whole column, and each of its values alone, against the long way that never asks what is certain."""
    validator, column = case

    expected = in_full(_without_short_cuts(validator)(column))

    assert expected == in_full(validator(column))
    for position, value in enumerate(column[:BLOCK]):
        alone = in_full(validator([value]))
        assert (expected[0][position], expected[1].get(position)) == (alone[0][0], alone[1].get(0))


def test_values_together_are_not_too_long_for_a_block() -> None:
    """A block is looked at as one text; the limit holds for each value."""
    validator = ColumnValidator(define({"fields": [{"name": "f", "type": "STRING"}]}).fields[0])

    _, refusals = validator(["a" * MAX_VALUE_CHARS] * 3 + ["a" * (MAX_VALUE_CHARS + 1)])

    assert [3] == list(refusals)


@pytest.mark.parametrize("nulls", [("x" * 400_000,), tuple(f"{k:030}" for k in range(14_000))])
def test_null_values_may_be_larger_than_a_pattern(nulls: tuple[str, ...]) -> None:
    """A schema that was saved can be read, and what stands for a missing value is looked up, not matched one by one."""
    field = {"name": "f", "type": "STRING", "required": False, "null_values": nulls}
    validator = ColumnValidator(define({"fields": [field]}).fields[0])

    fragments, refusals = validator(["a"] * 4 * BLOCK + [nulls[0], "b"])

    assert {} == refusals
    assert ['"a"', "null", '"b"'] == fragments.in_full().texts[-3:]


def test_fields_of_different_lengths_share_their_pattern() -> None:
    """A thousand patterns that count to hundreds would take more memory than a reader may have."""
    fields = [{"name": f"f{k}", "type": "STRING", "min_length": k, "max_length": 300 - k} for k in range(100)]

    certain = [field.steps().certain for field in define({"fields": fields}).fields]

    assert 1 == len({one.pattern for one in certain if one})


@pytest.mark.parametrize("options", [{}, {"min_length": 1, "max_length": 40, "pattern": "[^<]*"}])
def test_texts_are_not_sorted_out_where_the_exact_way_asks_no_more(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts with quotes or line feeds are as usual as others; to find each by way of an error took ten times as long."""
    validator = ColumnValidator(define({"fields": [{"name": "f", "type": "STRING", **options}]}).fields[0])
    monkeypatch.setattr("tasks.pipeline.fields.certain.Certain.doubtful", None)

    fragments, _ = validator(["plain", 'say "x"', "two\nlines"] * BLOCK)

    assert ['"plain"', '"say \\"x\\""', '"two\\nlines"'] == fragments.in_full().texts[:3]


@pytest.mark.parametrize("type", sorted(USUAL))
def test_usual_values_are_certain(type: str) -> None:
    """Else the short cut would be none. The first value of each list is as usual as can be."""
    certain = define({"fields": [{"name": "f", "type": type}]}).fields[0].steps().certain

    assert certain is not None
    assert [] == list(certain.doubtful(list(USUAL[type])))
