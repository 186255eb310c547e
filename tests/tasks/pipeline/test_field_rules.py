"""Rules, missing values and messages: the first reason why a field refuses."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pipeline.record import MAX_VALUE_CHARS, NotScalar, Value
from tests.tasks.pipeline.deciding import assert_verdicts, decide, verdict


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        pytest.param(
            {"type": "INTEGER", "min": -1, "max": "10"},
            {"-2": "TOO_SMALL", "-1": "-1", "10": "10", "+11": "TOO_LARGE"},
            id="INTEGER",
        ),
        pytest.param(
            {"type": "INTEGER", "min": "1.5", "max": 2.5},
            {"1": "TOO_SMALL", "2": "2", "3": "TOO_LARGE"},
            id="halves",
        ),
        pytest.param(
            {"type": "INTEGER", "min": -(10**30), "max": 10**30}, {"5": "5", "-5": "-5"}, id="beyond 64 bits"
        ),
        pytest.param(
            {"type": "NUMBER", "min": 0.1, "max": "1e2"},
            {
                "0.1": "0.1",
                "0.10": "0.10",
                "0.09999999999999999999999999": "TOO_SMALL",
                "0.10000000000000000000000001": "0.10000000000000000000000001",
                "-1": "TOO_SMALL",
                "100": "100",
                "100.00": "100.00",
                "1e2": "1e2",
                "100.00000000000000000000000001": "TOO_LARGE",
                "99.99999999999999999999999999": "99.99999999999999999999999999",
                "1e300": "TOO_LARGE",
            },
            id="NUMBER",
        ),
        pytest.param(
            {"type": "NUMBER", "min": "-9e307", "max": "9e307"},
            {"9.1e307": "TOO_LARGE", "8.9e307": "8.9e307", "-9.1e307": "TOO_SMALL"},
            id="beyond floats",
        ),
        pytest.param(
            {"type": "DATE", "min": "2020-01-01", "max": "2020-12-31"},
            {
                "2019-12-31": "TOO_SMALL",
                "2020-01-01": '"2020-01-01"',
                "2020-12-31": '"2020-12-31"',
                "2021-01-01": "TOO_LARGE",
            },
            id="DATE",
        ),
        pytest.param(
            {"type": "DATE", "min": "2020-01-01", "format": "%d.%m.%Y"},
            {"31.12.2019": "TOO_SMALL", "01.01.2020": '"2020-01-01"'},
            id="DATE with format",
        ),
        pytest.param(
            {"type": "DATETIME", "min": "2020-01-01", "max": "2020-12-31T23:59:59+01:00"},
            {
                "2019-12-31T23:59:59.999999Z": "TOO_SMALL",
                "2020-01-01T00:30:00+01:00": "TOO_SMALL",
                "2020-01-01T00:00:00Z": '"2020-01-01T00:00:00Z"',
                "2020-12-31T22:59:59Z": '"2020-12-31T22:59:59Z"',
                "2020-12-31T22:59:59.000001Z": "TOO_LARGE",
            },
            id="DATETIME",
        ),
    ],
)
def test_min_and_max_belong_to_the_range(options: dict[str, Any], verdicts: dict[str, str]) -> None:
    """Bounds are compared exactly, as values, and are allowed themselves."""
    assert_verdicts(verdicts, **options)


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        pytest.param(
            {"type": "STRING", "min_length": 2, "max_length": 3},
            {"a": "TOO_SHORT", "ab": '"ab"', "äöü": '"äöü"', "😀😀😀": '"😀😀😀"', "abcd": "TOO_LONG"},
            id="length in characters",
        ),
        pytest.param(
            {"type": "EMAIL", "max_length": 6},
            {"a@b.co": '"a@b.co"', "aa@b.co": "TOO_LONG"},
            id="length of EMAIL",
        ),
        pytest.param(
            {"type": "STRING", "pattern": "a|bc"},
            {"a": '"a"', "bc": '"bc"', "ac": "PATTERN_MISMATCH", "abc": "PATTERN_MISMATCH", "a\n": '"a"'},
            id="whole value",
        ),
        pytest.param(
            {"type": "STRING", "pattern": "(?i)[a-z]+", "trim": False},
            {"aB": '"aB"', "a\n": "PATTERN_MISMATCH", "\na": "PATTERN_MISMATCH"},
            id="no line end after the value",
        ),
        pytest.param(
            {"type": "STRING", "enum": ["a", "b c"]},
            {"a": '"a"', " b c ": '"b c"', "A": "NOT_IN_ENUM", "b": "NOT_IN_ENUM"},
            id="enum of trimmed text",
        ),
        pytest.param(
            {"type": "INTEGER", "enum": ["1", "02"]},
            {"1": "1", "02": "2", "2": "NOT_IN_ENUM", "01": "NOT_IN_ENUM"},
            id="enum of the text as it stood",
        ),
        pytest.param(
            {"type": "NUMBER", "pattern": r"[0-9]+[.][0-9]{2}"},
            {"1.50": "1.50", "1.5": "PATTERN_MISMATCH", "+1.50": "PATTERN_MISMATCH"},
            id="pattern of the text as it stood",
        ),
        pytest.param(
            {"type": "BOOLEAN", "enum": ["yes", "no"]},
            {"yes": "true", "true": "NOT_IN_ENUM"},
            id="enum of BOOLEAN",
        ),
        pytest.param(
            {"type": "DATE", "pattern": "2026-.*"},
            {"2026-01-01": '"2026-01-01"', "2025-01-01": "PATTERN_MISMATCH"},
            id="pattern of DATE",
        ),
    ],
)
def test_text_rules_look_at_the_text_of_the_file(options: dict[str, Any], verdicts: dict[str, str]) -> None:
    """Length, pattern and enum compare the trimmed text, for every type."""
    assert_verdicts(verdicts, **options)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("\0x", "INVALID_CHARACTER", id="character before convert"),
        pytest.param(NotScalar("[1]"), "NOT_A_SCALAR", id="scalar before convert"),
        pytest.param("x", "INVALID_INTEGER", id="convert before enum"),
        pytest.param("99", "NOT_IN_ENUM", id="enum before pattern"),
        pytest.param("5", "PATTERN_MISMATCH", id="pattern before max"),
        pytest.param("30", "TOO_LARGE", id="max at last"),
        pytest.param("10", "10", id="nothing"),
    ],
)
def test_first_failure_is_the_one_reported(value: Value, expected: str) -> None:
    """The order is convert, enum, length, pattern, min and max."""
    assert expected == verdict(value, type="INTEGER", enum=["5", "10", "30"], pattern="[0-9]{2}", max=20)


def test_length_comes_before_pattern_and_after_enum() -> None:
    """The same order for texts."""
    options = {"type": "STRING", "enum": ["abc", "abcd", "x1"], "max_length": 3, "pattern": "[a-z]+"}

    assert_verdicts(
        {"zzzzz": "NOT_IN_ENUM", "abcd": "TOO_LONG", "x1": "PATTERN_MISMATCH", "abc": '"abc"'}, **options
    )


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(NotScalar('{"a":1}'), "NOT_A_SCALAR", id="object"),
        pytest.param("a\0b", "INVALID_CHARACTER", id="NUL"),
        pytest.param("caf\udce9", "INVALID_CHARACTER", id="byte that did not decode"),
        pytest.param("\ud800", "INVALID_CHARACTER", id="lone surrogate"),
        pytest.param("x" * (MAX_VALUE_CHARS + 1), "VALUE_TOO_LONG", id="too long"),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_value_that_cannot_be_decided_is_refused(value: Value, code: str, required: bool) -> None:
    """Whatever the field asks; its neighbours are decided as usual."""
    loaded, refusals = decide(["é", value, "b"], type="STRING", required=required)

    assert {1: code} == {position: refusal.code for position, refusal in refusals.items()}
    assert ['"é"', '"b"'] == [loaded[0], loaded[2]]


def test_value_of_the_greatest_length_is_taken() -> None:
    """The limit itself is inside, and many values together may be longer."""
    longest = "x" * MAX_VALUE_CHARS
    loaded, refusals = decide([longest, longest], type="STRING")

    assert ([f'"{longest}"'] * 2, {}) == (loaded, refusals)


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        pytest.param({}, {None: "REQUIRED", "": "REQUIRED", "  ": "REQUIRED", "1": "1"}, id="required"),
        pytest.param(
            {"required": False}, {None: "null", "": "null", " \t": "null", "1": "1"}, id="not required"
        ),
        pytest.param({"default": 5}, {None: "5", "": "5", "1": "1"}, id="default"),
        pytest.param({"default": "+05", "required": False}, {None: "5", "": "5"}, id="default is converted"),
        pytest.param(
            {"null_values": ["N/A", "-"]},
            {
                "N/A": "REQUIRED",
                " - ": "REQUIRED",
                "": "INVALID_INTEGER",
                None: "REQUIRED",
                "n/a": "INVALID_INTEGER",
            },
            id="nullValues of its own",
        ),
        pytest.param(
            {"null_values": [], "required": False}, {"": "INVALID_INTEGER", None: "null"}, id="no nullValues"
        ),
        pytest.param(
            {"trim": False, "required": False},
            {"": "null", " ": "INVALID_INTEGER", " 1": "INVALID_INTEGER", "1": "1"},
            id="no trim",
        ),
        pytest.param(
            {}, {"\u00a0 1\u3000\r\n": "1", "\u200b1": "INVALID_INTEGER"}, id="trim of Unicode's white space"
        ),
    ],
)
def test_missing_values_take_the_default_or_are_null(
    options: dict[str, Any], verdicts: dict[Any, str]
) -> None:
    """Trim, then nullValues, then the default, else REQUIRED or null."""
    assert_verdicts(verdicts, type="INTEGER", **options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"type": "STRING", "default": ""}, '""'),
        ({"type": "STRING", "default": True}, '"true"'),
        ({"type": "STRING", "default": 1.50}, '"1.5"'),
        ({"type": "BOOLEAN", "default": False}, "false"),
        ({"type": "NUMBER", "default": 0.1}, "0.1"),
        ({"type": "NUMBER", "default": 2**70}, str(2**70)),
        ({"type": "DATE", "default": "31/12/2020", "format": "%d/%m/%Y"}, '"2020-12-31"'),
    ],
)
def test_default_is_loaded_as_if_it_stood_in_the_file(options: dict[str, Any], expected: str) -> None:
    """A JSON scalar's text goes through the field itself."""
    assert expected == verdict(None, **options)


def test_messages_say_what_was_expected() -> None:
    """Words a partner understands: no types of ours, no value of theirs."""
    cases: list[tuple[str, str, dict[str, Any]]] = [
        (
            "31.3.26",
            "Expected a date in the format %d/%m/%Y, such as 31/03/2026.",
            {"type": "DATE", "format": "%d/%m/%Y"},
        ),
        ("5", "Expected a value of 6 or more.", {"type": "INTEGER", "min": 6}),
        ("x", "Expected one of: a, b.", {"type": "STRING", "enum": ["a", "b"]}),
        (
            "x",
            "Expected one of: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more.",
            {"type": "STRING", "enum": [*map(str, range(12))]},
        ),
        ("x", "Expected at least 2 characters.", {"type": "STRING", "min_length": 2}),
    ]
    for value, message, options in cases:
        _, refusals = decide([value], **options)

        assert message == refusals[0].message


@settings(max_examples=300)
@given(
    st.lists(st.text(st.sampled_from('ab1 \t\n"\\\x1f\x85\xa0\u2028é😀'), max_size=6), min_size=1, max_size=6)
)
def test_a_look_at_the_column_changes_nothing_of_a_value(texts: list[str]) -> None:
    """What is spared where nothing is to be trimmed or escaped comes out as where each value is looked at alone."""
    loaded, refusals = decide(texts, type="STRING", null_values=[], required=False)

    assert {} == refusals
    assert [json.dumps(text.strip(), ensure_ascii=False) for text in texts] == loaded
