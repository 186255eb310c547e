"""Every field type: which texts it takes, what it loads, and the first reason why it refuses."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.pipeline.column import ColumnValidator
from tasks.pipeline.definition import define
from tasks.pipeline.fields.integer import exact_integer
from tasks.pipeline.fields.number import exact_number
from tasks.pipeline.fields.steps import Refusal, Refusals
from tasks.pipeline.record import MAX_VALUE_CHARS, NotScalar, Value


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


def test_string_is_loaded_as_json() -> None:
    """Any text, escaped as JSON wants it."""
    texts = ["a", 'say "hi"', "tab\there", "line\nbreak", "back\\slash", "é€😀", "\x01", "\u2028", "{}%s"]

    assert_verdicts({text: json.dumps(text, ensure_ascii=False) for text in texts}, type="STRING", trim=False)


INTEGERS = {
    "0": "0",
    "-0": "0",
    "+0": "0",
    "7": "7",
    "+7": "7",
    "-7": "-7",
    "007": "7",
    "-007": "-7",
    "0" * 5000 + "5": "5",
    "999999999999999999": "999999999999999999",
    "9223372036854775807": "9223372036854775807",
    "-9223372036854775808": "-9223372036854775808",
    "9223372036854775808": "OUT_OF_RANGE",
    "-9223372036854775809": "OUT_OF_RANGE",
    "9" * 4301: "OUT_OF_RANGE",
    "0" * 1_000_000 + "x": "INVALID_INTEGER",
    "1.0": "INVALID_INTEGER",
    "1e3": "INVALID_INTEGER",
    "1_000": "INVALID_INTEGER",
    "1,000": "INVALID_INTEGER",
    "1 000": "INVALID_INTEGER",
    "0x1F": "INVALID_INTEGER",
    "--1": "INVALID_INTEGER",
    "+": "INVALID_INTEGER",
    "- 1": "INVALID_INTEGER",
    "true": "INVALID_INTEGER",
    "٣": "INVALID_INTEGER",
    "5\n6": "INVALID_INTEGER",
}


def test_integer_takes_sign_and_digits() -> None:
    """64 bits, no decimals, no separators, no other digits than 0 to 9."""
    assert_verdicts(INTEGERS, type="INTEGER")


NUMBERS = {
    "0": "0",
    "-0": "-0",
    "12": "12",
    "0.10": "0.10",
    "-0.5": "-0.5",
    "+0.50": "0.50",
    ".5": "0.5",
    "-.5": "-0.5",
    "5.": "5",
    "007.50": "7.50",
    "1e3": "1e3",
    "1E+3": "1e3",
    "1.50e-07": "1.50e-7",
    "+007e+2": "7e2",
    "1e000000000000000000000000005": "1e5",
    "123456789012345678901234567890.123456789": "123456789012345678901234567890.123456789",
    "9" * 308: "9" * 308,
    "9" * 309: "OUT_OF_RANGE",
    "9.99e307": "9.99e307",
    "9.99e308": "OUT_OF_RANGE",
    "-9.9e308": "OUT_OF_RANGE",
    "1.0000000001e308": "OUT_OF_RANGE",
    "-1.00e308": "-1.00e308",
    "10e307": "10e307",
    "0.1e309": "0.1e309",
    "1" + "0" * 308: "1" + "0" * 308,
    "1" + "0" * 307 + "1": "OUT_OF_RANGE",
    "2" + "0" * 308: "OUT_OF_RANGE",
    "1" + "0" * 308 + ".5": "OUT_OF_RANGE",
    "0.9e-308": "OUT_OF_RANGE",
    "-9.99e-309": "OUT_OF_RANGE",
    "9.99e-308": "9.99e-308",
    "1e308": "1e308",
    "1e-308": "1e-308",
    "0." + "0" * 307 + "1": "0." + "0" * 307 + "1",
    "0e999999999999": "0",
    "0.00e-999999999999": "0.00",
    "0.0": "0.0",
    "0" * 2000 + "1": "1",
    "1" * 500 + "e-300": "1" * 500 + "e-300",
    "9" * 310: "OUT_OF_RANGE",
    "1e309": "OUT_OF_RANGE",
    "1e-309": "OUT_OF_RANGE",
    "0." + "0" * 308 + "1": "OUT_OF_RANGE",
    "1e999999999": "OUT_OF_RANGE",
    "-1e999999999999999999999999999": "OUT_OF_RANGE",
    "1e-999999999": "OUT_OF_RANGE",
    "0.5" + "0" * 1000: "OUT_OF_RANGE",
    "9" * 5000: "OUT_OF_RANGE",
    "1" * 1001 + "e-900": "OUT_OF_RANGE",
    "0" * 1_000_000 + "x": "INVALID_NUMBER",
    "1e" + "0" * 1_000_000 + "x": "INVALID_NUMBER",
    "1e-0": "1e0",
    "NaN": "INVALID_NUMBER",
    "Infinity": "INVALID_NUMBER",
    "-inf": "INVALID_NUMBER",
    "1_000": "INVALID_NUMBER",
    "1,5": "INVALID_NUMBER",
    "0x1F": "INVALID_NUMBER",
    "1.2.3": "INVALID_NUMBER",
    ".": "INVALID_NUMBER",
    "e5": "INVALID_NUMBER",
    ".e5": "INVALID_NUMBER",
    "1e": "INVALID_NUMBER",
    "1e+": "INVALID_NUMBER",
    "1e1.5": "INVALID_NUMBER",
    "--1": "INVALID_NUMBER",
    "$5": "INVALID_NUMBER",
    "٣": "INVALID_NUMBER",
    "1\n": "1",
    "1\n2": "INVALID_NUMBER",
}


def test_number_keeps_every_digit() -> None:
    """Exact decimals within 10^±308, as JSON numbers; nothing goes through a float or writes out an exponent."""
    assert_verdicts(NUMBERS, type="NUMBER")


BOOLEANS = dict.fromkeys(["true", "TRUE", "True", "yes", "Y", "t", "on", "1"], "true") | dict.fromkeys(
    ["false", "FALSE", "no", "N", "f", "Off", "0"], "false"
)


def test_boolean_takes_words_in_any_case() -> None:
    """true false yes no y n t f on off 1 0, and nothing else."""
    refused = dict.fromkeys(["2", "ja", "tru", "-1", "0.0", "1.0", "none"], "INVALID_BOOLEAN")

    assert_verdicts(BOOLEANS | refused, type="BOOLEAN")


def test_date_takes_iso_days_only() -> None:
    """YYYY-MM-DD of the calendar; digits alone are never guessed at."""
    days = ["2026-03-31", "2024-02-29", "0001-01-01", "9999-12-31"]
    refused = [
        "2023-02-29",
        "2026-13-01",
        "0000-01-01",
        "20260331",
        "0",
        "1700000000",
        "2026-3-1",
        "26-03-31",
    ]
    refused += [
        "31.03.2026",
        "2026-03-31T00:00:00",
        "2026-W14-2",
        "2026-090",
        "+2026-03-31",
        "\uff12026-03-31",
        "today",
    ]

    assert_verdicts({day: f'"{day}"' for day in days} | dict.fromkeys(refused, "INVALID_DATE"), type="DATE")


@pytest.mark.parametrize(
    ("format", "verdicts"),
    [
        (
            "%d/%m/%Y",
            {"31/03/2026": '"2026-03-31"', "1/3/2026": '"2026-03-01"', "03/31/2026": "INVALID_DATE"},
        ),
        ("%Y%m%d", {"20260331": '"2026-03-31"', "2026-03-31": "INVALID_DATE", "x" * 5000: "INVALID_DATE"}),
        ("%Y%m%d", {"202411": "INVALID_DATE", "2024111": "INVALID_DATE", "20241 1": "INVALID_DATE"}),
        ("%d%m%y", {"310326": '"2026-03-31"', "1326": "INVALID_DATE", "13126": "INVALID_DATE"}),
        ("%Y%j", {"2026090": '"2026-03-31"', "202690": "INVALID_DATE"}),
        ("%d.%Y%m", {"1.202603": '"2026-03-01"', "01.20263": "INVALID_DATE"}),
        ("%d0%m-%Y", {"31003-2026": '"2026-03-31"', "1003-2026": "INVALID_DATE", "103-2026": "INVALID_DATE"}),
        ("%A, %Y%m%d %%", {"Tuesday,  20260331 %": '"2026-03-31"', "tuesday, 2026331 %": "INVALID_DATE"}),
        ("%Y-%m-%d", {"2026-3-1": '"2026-03-01"', "2026-03-01": '"2026-03-01"'}),
        ("%d%b%Y", {"1Mar2026": '"2026-03-01"', "01MAR2026": '"2026-03-01"'}),
        ("%d %b %y", {"31 Mar 26": '"2026-03-31"', "4 dec 87": '"1987-12-04"', "31 Feb 26": "INVALID_DATE"}),
        ("%Y-%j", {"2026-090": '"2026-03-31"'}),
        ("%d.%m.%Y %H:%M", {"31.03.2026 23:59": '"2026-03-31"'}),
    ],
)
def test_date_follows_its_format(format: str, verdicts: dict[str, str]) -> None:
    """With a format that one alone is understood, and what is loaded is ISO."""
    assert_verdicts(verdicts, type="DATE", format=format)


DATETIMES = {
    "2026-03-31T14:25:36Z": '"2026-03-31T14:25:36Z"',
    "2026-03-31t14:25:36z": '"2026-03-31T14:25:36Z"',
    "2026-03-31 14:25:36": '"2026-03-31T14:25:36Z"',
    "2026-03-31T14:25:36": '"2026-03-31T14:25:36Z"',
    "2026-03-31T14:25:36+02:00": '"2026-03-31T12:25:36Z"',
    "2026-03-31T23:25:36-05:30": '"2026-04-01T04:55:36Z"',
    "2026-03-31T14:25:36-00:00": '"2026-03-31T14:25:36Z"',
    "2026-03-31T14:25:36.5Z": '"2026-03-31T14:25:36.5Z"',
    "2026-03-31T14:25:36.123456789+00:00": '"2026-03-31T14:25:36.123456Z"',
    "2026-03-31T14:25:36.1234567Z": '"2026-03-31T14:25:36.123456Z"',
    "0001-01-01T00:00:00Z": '"0001-01-01T00:00:00Z"',
    "9999-12-31T23:59:59.999999Z": '"9999-12-31T23:59:59.999999Z"',
    "0001-01-01T00:00:00+01:00": "OUT_OF_RANGE",
    "9999-12-31T23:59:59-00:01": "OUT_OF_RANGE",
    "2016-12-31T23:59:60Z": "INVALID_DATETIME",
    "2026-03-31T24:00:00Z": "INVALID_DATETIME",
    "2026-02-30T10:00:00Z": "INVALID_DATETIME",
    "2026-03-31T14:25Z": "INVALID_DATETIME",
    "2026-03-31": "INVALID_DATETIME",
    "1700000000": "INVALID_DATETIME",
    "0": "INVALID_DATETIME",
    "2026-03-31T14:25:36+24:00": "INVALID_DATETIME",
    "2026-03-31T14:25:36+0200": "INVALID_DATETIME",
    "2026-03-31T14:25:36+01:60": "INVALID_DATETIME",
    "2026-03-31T14:25:36.Z": "INVALID_DATETIME",
    "2026-03-31T14:25:36,5Z": "INVALID_DATETIME",
    "2026-03-31T14:25:36 Z": "INVALID_DATETIME",
    "2026-03-31  14:25:36": "INVALID_DATETIME",
    "20260331T142536Z": "INVALID_DATETIME",
    "now": "INVALID_DATETIME",
}


def test_datetime_is_rfc_3339_in_utc() -> None:
    """Zones become UTC, no zone is UTC, microseconds stay; what leaves the calendar in UTC is out of range."""
    assert_verdicts(DATETIMES, type="DATETIME")


@pytest.mark.parametrize(
    ("format", "verdicts"),
    [
        ("%d/%m/%Y %H:%M", {"31/03/2026 14:25": '"2026-03-31T14:25:00Z"', "31/03/2026": "INVALID_DATETIME"}),
        ("%d/%m/%Y %I:%M %p", {"31/03/2026 02:25 PM": '"2026-03-31T14:25:00Z"'}),
        ("%Y%m%d%H%M%S%f", {"20260331142536000500": '"2026-03-31T14:25:36.000500Z"'}),
        ("%Y%m%d%H%M%S%f", {"20260331142536001": '"2026-03-31T14:25:36.001000Z"'}),
        ("%Y%m%d%H%M%S", {"20260331142536": '"2026-03-31T14:25:36Z"', "2026033114253": "INVALID_DATETIME"}),
        (
            "%d/%m/%Y %H%M%z",
            {"1/3/2026 1425+02:00": '"2026-03-01T12:25:00Z"', "1/3/2026 925Z": "INVALID_DATETIME"},
        ),
        (
            "%Y-%m-%d %H:%M:%S %z",
            {
                "2026-03-31 14:25:36 +0200": '"2026-03-31T12:25:36Z"',
                "0001-01-01 00:00:00 +0200": "OUT_OF_RANGE",
            },
        ),
        ("%d.%m.%Y", {"31.03.2026": '"2026-03-31T00:00:00Z"'}),
    ],
)
def test_datetime_follows_its_format(format: str, verdicts: dict[str, str]) -> None:
    """With a format that one alone is understood, and what is loaded is RFC 3339 in UTC."""
    assert_verdicts(verdicts, type="DATETIME", format=format)


EMAILS = [
    "a@b.co",
    "first.last+tag@sub.example.com",
    "o'brien@example.ie",
    "user_name@example.museum",
    "1@example.com",
    "müller@exämple.de",
    "用户@例子.中国",
    "a@xn--exmple-cua.de",
    f"{'a' * 64}@example.com",
    "a@a-b.example.xn--p1ai",
]
NO_EMAILS = [
    "plain",
    "@example.com",
    "a@",
    "a@b",
    "a@@b.co",
    "a b@example.com",
    ".a@example.com",
    "a.@example.com",
    "a..b@example.com",
    "a@-b.com",
    "a@b-.com",
    "a@b..com",
    "a@.com",
    "a@b.c",
    "a@127.0.0.1",
    "a@[127.0.0.1]",
    '"a b"@example.com',
    "Anna <a@example.com>",
    "a@example.com,b@example.com",
    f"{'a' * 65}@example.com",
    f"a@{'b' * 64}.com",
    f"a@{'b.' * 130}com",
    "a\\b@example.com",
    "a@b.co\nx",
]


def test_email_follows_the_practical_grammar() -> None:
    """Everyday and international addresses; no quoted local parts, numbers as hosts, or lists."""
    expected = {text: json.dumps(text, ensure_ascii=False) for text in EMAILS}

    assert_verdicts(expected | dict.fromkeys(NO_EMAILS, "INVALID_EMAIL"), type="EMAIL")


URLS = [
    "http://example.com",
    "https://example.com/",
    "HTTPS://Example.COM/a/b;c?d=e&f=%20#g",
    "http://localhost:8000/x",
    "http://127.0.0.1/",
    "http://[::1]:80/",
    "http://user:pass@example.com",
    "https://exämple.de/straße?q=ü",
    "https://my_host.example/~me",
    "http://example.com:65535",
    "http://example.com?q=1",
    "http://example.com#top",
    f"https://example.com/{'a' * 5000}",
]
NO_URLS = [
    "example.com",
    "//example.com",
    "ftp://example.com",
    "javascript:alert(1)",
    "http:/example.com",
    "http:example.com",
    "http://",
    "http:///path",
    "http://?q",
    "http://:80",
    "http://a..b",
    "http://-a.com",
    "http://a-.com",
    "http://.com",
    "http://example.com:65536",
    "http://example.com:x",
    "http://exa mple.com",
    "http://example.com/a b",
    "http://example.com/<a>",
    'http://example.com/"',
    "http://example.com\\a",
    "http://[zz]/",
    "http://example.com/\n",
    "mailto:a@b.co",
    f"http://{'a' * 64}.com",
]


def test_url_is_http_or_https() -> None:
    """A scheme, a host and what may follow; nothing that has to be encoded."""
    expected = {text: json.dumps(text, ensure_ascii=False) for text in URLS}

    assert_verdicts(expected | dict.fromkeys(NO_URLS, "INVALID_URL"), type="URL", trim=False)


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


DIGITS = st.text("0123456789", max_size=25)
INTEGER_TEXTS = st.builds(
    "".join, st.tuples(st.sampled_from(["", "-", "+", "--"]), DIGITS, st.sampled_from(["", "", ".0", "x"]))
)
NUMBER_TEXTS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "-", "+"]),
        DIGITS,
        st.sampled_from(["", ".", "_"]),
        DIGITS,
        st.one_of(
            st.just(""), st.integers(-320, 320).map("e{}".format), st.sampled_from(["e", "E+05", "e-0"])
        ),
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(INTEGER_TEXTS, min_size=1, max_size=5))
@example(["0", "-0"])
@example(["9223372036854775807", "9223372036854775808"])
def test_integer_fast_path_agrees_with_the_exact_one(texts: list[str]) -> None:
    """Whether Rust or Python decides, alone or in a column, verdict and value are those of int()."""
    loaded, refusals = decide(texts, type="INTEGER", null_values=[])
    for position, text in enumerate(texts):
        exact = exact_integer(text)

        assert exact == refusals.get(position, loaded[position])
        assert isinstance(exact, Refusal) or int(exact) == int(text)


@settings(deadline=None, max_examples=500)
@given(st.lists(NUMBER_TEXTS, min_size=1, max_size=5))
@example(["1", "0.10", "+1", "1e-308"])
def test_number_fast_path_agrees_with_the_exact_one(texts: list[str]) -> None:
    """Whether Rust or Python decides, alone or in a column, verdict and value are those of Decimal."""
    loaded, refusals = decide(texts, type="NUMBER", null_values=[])
    for position, text in enumerate(texts):
        exact = exact_number(text)

        assert exact == refusals.get(position, loaded[position])
        if not isinstance(exact, Refusal):
            assert (
                Decimal(text) == Decimal(exact) == json.loads(exact, parse_float=Decimal, parse_int=Decimal)
            )
        elif exact.code == "OUT_OF_RANGE":
            assert not Decimal("1e-308") <= abs(Decimal(text)) <= Decimal("1e308")


@settings(deadline=None, max_examples=300)
@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-2, max_value=2),
    st.floats(-2, 2).map(lambda bound: round(bound, 20)),
)
def test_number_bounds_compare_exactly(value: Decimal, bound: float) -> None:
    """The float filter never changes what decimals say."""
    exact = Decimal(repr(bound))

    assert (value >= exact) == (verdict(str(value), type="NUMBER", min=bound) != "TOO_SMALL")
    assert (value <= exact) == (verdict(str(value), type="NUMBER", max=bound) != "TOO_LARGE")


@settings(max_examples=300)
@given(
    st.lists(st.text(st.sampled_from('ab1 \t\n"\\\x1f\x85\xa0\u2028é😀'), max_size=6), min_size=1, max_size=6)
)
def test_a_look_at_the_column_changes_nothing_of_a_value(texts: list[str]) -> None:
    """What is spared where nothing is to be trimmed or escaped comes out as where each value is looked at alone."""
    loaded, refusals = decide(texts, type="STRING", null_values=[], required=False)

    assert {} == refusals
    assert [json.dumps(text.strip(), ensure_ascii=False) for text in texts] == loaded


@pytest.mark.parametrize("text", ["31/12/٢٠٢٦", "३१/12/2026"])
def test_digits_of_other_scripts_are_no_date(text: str) -> None:
    """As they are no INTEGER: what is loaded must not depend on who reads the file."""
    assert "INVALID_DATE" == verdict(text, type="DATE", format="%d/%m/%Y")
