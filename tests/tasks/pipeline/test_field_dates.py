"""Dates and moments: ISO 8601, the formats of partners, and what is no date."""

import pytest

from tests.tasks.pipeline.deciding import assert_verdicts, verdict


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


@pytest.mark.parametrize("text", ["31/12/٢٠٢٦", "३१/12/2026"])
def test_digits_of_other_scripts_are_no_date(text: str) -> None:
    """As they are no INTEGER: what is loaded must not depend on who reads the file."""
    assert "INVALID_DATE" == verdict(text, type="DATE", format="%d/%m/%Y")
