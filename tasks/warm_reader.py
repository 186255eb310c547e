"""Imported by the fork server of the reader children: each of them inherits what was read once already.

The first look at an e-mail address costs more than a tiny file: its pattern takes 100 ms to compile, for one.
"""

import io
from typing import Any
from uuid import UUID

from tasks.pipeline.batches import batches
from tasks.pipeline.definition import define
from tasks.pipeline.record import ChunkSize, FileFormat, Position

FIELDS: list[dict[str, Any]] = [
    {"name": "a", "type": "STRING", "enum": ["1"], "min_length": 1, "pattern": "[0-9]+"},
    {"name": "b", "type": "INTEGER", "min": 0},
    {"name": "c", "type": "NUMBER", "min": 0},
    {"name": "d", "type": "BOOLEAN"},
    {"name": "e", "type": "DATE"},
    {"name": "f", "type": "DATETIME"},
    {"name": "g", "type": "EMAIL"},
    {"name": "h", "type": "URL"},
]
GOOD = ["1", "1", "1.5", "yes", "2026-11-23", "2026-11-23T10:00:00Z", "a@example.com", "https://example.com/"]
BAD = ["2", *["x"] * 7]

_NAMES = [field["name"] for field in FIELDS]


def _json(row: list[str]) -> str:
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in zip(_NAMES, row, strict=True)) + "}"


def _xml(row: list[str]) -> str:
    return (
        "<r>" + "".join(f"<{name}>{value}</{name}>" for name, value in zip(_NAMES, row, strict=True)) + "</r>"
    )


FILES = {
    FileFormat.CSV: "\n".join(map(",".join, (_NAMES, GOOD, BAD))) + "\n",
    FileFormat.TSV: "\n".join(map("\t".join, (_NAMES, GOOD, BAD))) + "\n",
    FileFormat.NDJSON: f"{_json(GOOD)}\n{_json(BAD)}\n",
    FileFormat.JSON: f"[{_json(GOOD)},{_json(BAD)}]",
    FileFormat.XML: f"<rs>{_xml(GOOD)}{_xml(BAD)}</rs>",
}
"""A good record and one whose every field is bad, in every format."""


def read_all() -> dict[FileFormat, tuple[int, int]]:
    """Reads FILES; how many records of each were accepted and rejected."""
    definition = define({"fields": FIELDS})
    counts = {}
    for format, text in FILES.items():
        content = text.encode()
        [batch] = batches(
            io.BytesIO(content),
            len(content),
            format,
            definition,
            UUID(int=0),
            Position(),
            ChunkSize(records=10),
        )
        counts[format] = (batch.accepted, batch.rejected)
    return counts


read_all()
