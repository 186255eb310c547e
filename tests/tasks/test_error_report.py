"""How an error report is written; tests/graph/test_downloads.py fetches whole ones."""

import csv
import io
import json

import pytest

from tasks.error_report import COLUMNS, csv_rows, ndjson_rows


def _row(raw: str | None) -> tuple[object, ...]:
    return (5, 7, 90, "id", "id", "INVALID_INTEGER", "No.", raw)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])  # noqa: RUF001
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\n  ", "\t", "\r"])
def test_no_cell_is_a_formula(start: str, before: str) -> None:
    """Also behind what a spreadsheet may throw away."""
    raw = f"{before}{start}cmd|' /C calc'!A0"

    [row] = csv.reader(io.StringIO(csv_rows([_row(raw)]).decode(), newline=""))

    assert f"'{raw}" == row[-1]


@pytest.mark.parametrize("raw", ["", "a=b", "'=1", "1-1", 'a"b,c\nd\r\ne\rf', "x@y.example"])
def test_other_cells_are_as_they_are(raw: str) -> None:
    """Quoted where they must be."""
    [row] = csv.reader(io.StringIO(csv_rows([_row(raw)]).decode(), newline=""))

    assert ["5", "7", "90", "id", "id", "INVALID_INTEGER", "No.", raw] == row


def test_programs_get_every_value_as_it_was() -> None:
    """Numbers, nulls and formulas."""
    lines = ndjson_rows([_row("=1"), _row(None)]).splitlines()

    assert [dict(zip(COLUMNS, _row(raw), strict=True)) for raw in ("=1", None)] == list(
        map(json.loads, lines)
    )
