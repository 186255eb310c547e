"""Files to submit, in every format, with records whose faults are known."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "INTEGER", "min": 0},
    {"name": "email", "type": "EMAIL"},
    {"name": "amount", "type": "NUMBER", "required": False},
    {"name": "currency", "type": "STRING", "enum": ["EUR", "USD"]},
    {"name": "day", "type": "DATE", "required": False, "nullValues": ["", "NA"]},
]

Row = dict[str, str]


def row(index: int) -> Row:
    """A good record; every 50th, from the 10th on, is bad: its e-mail and its currency fail."""
    bad = is_bad(index)
    return {
        "id": str(index),
        "email": "nobody" if bad else f"user{index}@example.com",
        "amount": f"{index}.10",
        "currency": "DM" if bad else "EUR",
        "day": "NA" if index % 3 else "2026-11-23",
    }


def is_bad(index: int) -> bool:
    """Whether `row(index)` is to be rejected."""
    return index % 50 == 10


def expected(index: int) -> dict[str, Any]:
    """What `row(index)` is loaded as."""
    made = row(index)
    day = None if made["day"] == "NA" else made["day"]
    return {
        "id": index,
        "email": made["email"],
        "amount": float(made["amount"]),
        "currency": "EUR",
        "day": day,
    }


def write(path: Path, records: int) -> Path:
    """Writes `records` rows in the format of the file's extension."""
    return write_rows(path, [row(index) for index in range(records)])


def write_rows(path: Path, rows: list[Row]) -> Path:
    """The same of rows that a test has made. In XML what they have as `sluice:index` is an attribute of that name."""
    path.write_text(_WRITERS[path.suffix](rows), encoding="utf-8", newline="")
    return path


def _csv(rows: list[Row], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _xml(rows: list[Row]) -> str:
    root = ElementTree.Element("orders")
    for made in rows:
        order = ElementTree.SubElement(root, "order")
        for name, value in made.items():
            if name == "sluice:index":
                order.set("{urn:sluice}index", value)
                continue
            ElementTree.SubElement(order, name).text = value
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


_WRITERS = {
    ".csv": _csv,
    ".tsv": lambda rows: _csv(rows, "\t"),
    ".json": lambda rows: json.dumps(rows, indent=1),
    ".ndjson": lambda rows: "".join(json.dumps(made) + "\n" for made in rows),
    ".xml": _xml,
}
EXTENSIONS = tuple(_WRITERS)
