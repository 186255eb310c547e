"""Files to measure with: records of ten mixed fields, a known share of them bad, in every format. Always the same."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "INTEGER", "min": 0},
    {"name": "email", "type": "EMAIL"},
    {"name": "name", "type": "STRING", "maxLength": 40},
    {"name": "amount", "type": "NUMBER", "min": 0},
    {"name": "currency", "type": "STRING", "enum": ["EUR", "USD", "GBP"]},
    {"name": "day", "type": "DATE"},
    {"name": "at", "type": "DATETIME"},
    {"name": "active", "type": "BOOLEAN"},
    {"name": "quantity", "type": "INTEGER", "required": False, "nullValues": ["", "NA"]},
    {"name": "note", "type": "STRING", "required": False},
]
NAMES = [field["name"] for field in FIELDS]
FORMATS = ("csv", "ndjson", "json", "xml")
RECORD_PATHS = {"xml": "order"}
_SEED = 20_261_125
_WHOLE = frozenset(("id", "quantity"))

Row = dict[str, str]


def rows(count: int, bad_share: float) -> Iterator[tuple[Row, bool]]:
    """Records as texts, and whether each is bad: one of its fields, or two."""
    chance = random.Random(_SEED)
    for index in range(count):
        row = _good(index, chance)
        bad = chance.random() < bad_share
        yield (row | chance.choice(_FAULTS) if bad else row), bad


def _good(index: int, chance: random.Random) -> Row:
    return {
        "id": str(index),
        "email": f"user{chance.randrange(100_000)}@example.com",
        "name": f"Žofie Müller {chance.randrange(1_000)}",
        "amount": f"{chance.randrange(100_000)}.{chance.randrange(100):02}",
        "currency": chance.choice(("EUR", "USD", "GBP")),
        "day": f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
        "at": f"2026-11-25T{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}Z",
        "active": chance.choice(("true", "false")),
        "quantity": chance.choice(("", "NA", str(chance.randrange(500)))),
        "note": chance.choice(("plain", "Leave it at the door", "a note, with a comma", "")),
    }


_FAULTS: tuple[Row, ...] = (
    {"email": "nobody"},
    {"amount": "12,50"},
    {"currency": "DM"},
    {"day": "2026-02-30"},
    {"at": "yesterday"},
    {"quantity": "a dozen", "active": "maybe"},
    {"name": ""},
)


def write(folder: Path, format: str, count: int, bad_share: float) -> tuple[Path, int]:
    """A file of that format in `folder`, and how many of its records are bad."""
    path, bad = folder / f"orders-{count}-{bad_share:g}.{format}", 0
    before, between, line, after = _WRITERS[format]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(before)
        for index, (row, is_bad) in enumerate(rows(count, bad_share)):
            bad += is_bad
            file.write(between + line(row) if index else line(row))
        file.write(after)
    return path, bad


def _csv_line(row: Row) -> str:
    return ",".join(f'"{value}"' if "," in value else value for value in row.values()) + "\n"


def _json_line(row: Row) -> str:
    return json.dumps({name: _typed(name, value) for name, value in row.items()}, ensure_ascii=False)


def _typed(name: str, value: str) -> Any:
    """As a program would write it: numbers as numbers, where they are some."""
    if name == "active":
        return {"true": True, "false": False}.get(value, value)
    if name in _WHOLE and value.isdecimal():
        return int(value)
    if name == "amount" and "," not in value:
        return float(value)
    return value


def _xml_line(row: Row) -> str:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items())
    return f"<order>{inner}</order>\n"


_WRITERS: dict[str, tuple[str, str, Callable[[Row], str], str]] = {
    "csv": (",".join(NAMES) + "\n", "", _csv_line, ""),
    "ndjson": ("", "\n", _json_line, "\n"),
    "json": ("[\n", ",\n", _json_line, "\n]\n"),
    "xml": ('<?xml version="1.0" encoding="UTF-8"?>\n<orders>\n', "", _xml_line, "</orders>\n"),
}
"""What stands before all records, between two, one of them, and what stands after all."""
