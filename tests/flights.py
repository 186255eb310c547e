"""Real flights out of New York in 2013 (US Bureau of Transportation Statistics, CC0): a schema that a person would
write for them, the file in other formats, and a count of what must come out, by the standard library alone."""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ARCHIVE = Path(__file__).parent.parent.parent / "shared" / "data" / "flights.csv.zip"
MISSING = ["", "NA"]

_WHOLE = ("year", "month", "day", "sched_dep_time", "sched_arr_time", "flight", "distance", "hour", "minute")
_WHOLE_OR_MISSING = ("dep_delay", "arr_time", "arr_delay")
_PATTERNS = {"carrier": "[0-9A-Z]{2}", "origin": "[A-Z]{3}", "dest": "[A-Z]{3}", "tailnum": "N[0-9A-Z]{1,5}"}
_LAST_MINUTE = 2359  # some real flights depart at 24:00

FIELDS: list[dict[str, Any]] = [
    *({"name": name, "type": "INTEGER"} for name in _WHOLE),
    *({"name": name, "type": "INTEGER", "required": False, "nullValues": MISSING} for name in _WHOLE_OR_MISSING),
    {"name": "dep_time", "type": "INTEGER", "required": False, "nullValues": MISSING, "min": 0, "max": _LAST_MINUTE},
    {"name": "air_time", "type": "INTEGER", "nullValues": MISSING, "min": 1},  # a flight that never flew is no flight
    *({"name": name, "type": "STRING", "pattern": _PATTERNS[name]} for name in ("carrier", "origin", "dest")),
    {
        "name": "tailnum", "type": "STRING", "required": False, "nullValues": MISSING, "pattern": _PATTERNS["tailnum"],
    },
    {"name": "departure", "source": "time_hour", "type": "DATETIME"},
]  # fmt: skip


def rows(limit: int | None = None) -> Iterator[dict[str, str]]:
    """The flights, in the file's order."""
    with zipfile.ZipFile(ARCHIVE) as archive, archive.open("flights.csv") as file:
        yield from islice(csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")), limit)


def write(path: Path, limit: int | None = None) -> Path:
    """Writes the flights in the format of the extension of `path`, one record at a time."""
    with path.open("w", encoding="utf-8", newline="") as file:
        _WRITERS[path.suffix](file, rows(limit))
    return path


def expected(limit: int | None = None) -> tuple[int, int, Counter[tuple[str, str]]]:
    """Accepted and rejected records, and (field, code) -> errors, by plain comparisons."""
    accepted = rejected = 0
    errors: Counter[tuple[str, str]] = Counter()
    for row in rows(limit):
        found = list(_errors(row))
        errors.update(found)
        if found:
            rejected += 1
        else:
            accepted += 1
    return accepted, rejected, errors


def _errors(row: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in (*_WHOLE, *_WHOLE_OR_MISSING):
        if not re.fullmatch(r"-?[0-9]+", row[name]) and not (
            name in _WHOLE_OR_MISSING and row[name] in MISSING
        ):
            yield name, "INVALID_INTEGER"
    if row["dep_time"] not in MISSING and int(row["dep_time"]) > _LAST_MINUTE:
        yield "dep_time", "TOO_LARGE"
    if row["air_time"] in MISSING:
        yield "air_time", "REQUIRED"
    for name, pattern in _PATTERNS.items():
        if not re.fullmatch(pattern, row[name]) and not (name == "tailnum" and row[name] in MISSING):
            yield name, "PATTERN_MISMATCH"


def _write_csv(file: Any, flights: Iterator[dict[str, str]]) -> None:
    first = next(flights)
    writer = csv.DictWriter(file, list(first))
    writer.writeheader()
    writer.writerow(first)
    writer.writerows(flights)


def _write_json(file: Any, flights: Iterator[dict[str, str]]) -> None:
    file.write('{"source": "BTS", "flights": [')
    file.writelines(("," if index else "") + json.dumps(_typed(row)) for index, row in enumerate(flights))
    file.write("]}")


def _write_ndjson(file: Any, flights: Iterator[dict[str, str]]) -> None:
    file.writelines(json.dumps(_typed(row)) + "\n" for row in flights)


def _write_xml(file: Any, flights: Iterator[dict[str, str]]) -> None:
    file.write("<?xml version='1.0' encoding='utf-8'?>\n<flights>\n")
    for row in flights:
        file.write("<flight>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items()))
        file.write("</flight>\n")
    file.write("</flights>\n")


def _typed(row: dict[str, str]) -> dict[str, Any]:
    """As a program would write it: numbers as numbers, NA as null."""
    return {name: None if value in MISSING else _number(value) for name, value in row.items()}


def _number(value: str) -> int | str:
    return int(value) if re.fullmatch(r"-?(?:0|[1-9][0-9]*)", value) else value


_WRITERS = {".csv": _write_csv, ".json": _write_json, ".ndjson": _write_ndjson, ".xml": _write_xml}
RECORD_PATHS = {".csv": None, ".json": "flights", ".ndjson": None, ".xml": "flight"}
