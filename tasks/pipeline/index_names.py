"""`sluice:index`: how a record of a retry's file says which record it is.

A CSV or TSV file has a column of that header; a JSON or NDJSON object a key at its top; an XML record an attribute `index`
in the namespace `urn:sluice`. The readers take it for one more field of the schema, the last.
"""

import re
from collections.abc import Callable, Sequence
from typing import BinaryIO

from tasks.pipeline.definition import Definition
from tasks.pipeline.fields.string import StringField
from tasks.pipeline.formats.csv import find_columns
from tasks.pipeline.record import Chunk, FileFormat, NotScalar, Value
from tasks.pipeline.xml_rows import NAMESPACE

INDEX = "sluice:index"

_XML_SOURCE = f"@{{{NAMESPACE}}}index"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_FIRST_KEY = re.compile(rf'\s*\{{\s*"{INDEX}"\s*:\s*"?([^",}}\]]*)')
_TABLES = (FileFormat.CSV, FileFormat.TSV)


def with_index(definition: Definition, format: FileFormat) -> Definition:
    """The definition with one more field behind the others, which no schema may call a field unknown."""
    field = StringField(
        name=INDEX,
        source=_XML_SOURCE if format is FileFormat.XML else INDEX,
        type="STRING",
        required=False,
    )
    return definition.model_copy(update={"fields": (*definition.fields, field)})


def number_of(name: str) -> int | None:
    """The index that a record names, or None where that is no index."""
    return int(name) if _NUMBER.fullmatch(name.strip()) else None


class Names:
    """Takes what records say of their index out of a chunk that was read with the definition `with_index`."""

    def __init__(self, file: BinaryIO, format: FileFormat, definition: Definition) -> None:
        self._in_raw = _in_raw(file, format, definition)

    def of(self, chunk: Chunk) -> list[str | None]:
        """For each record what it says, as it stands there; None where it says nothing."""
        names = [_said(row[-1]) if row else None for row in chunk.rows]
        for position, problems in chunk.faults.items():
            if not chunk.rows[position] and problems[0].raw:
                found = self._in_raw(problems[0].raw)
                names[position] = _said(found[1]) if found else None
        return names


def _said(value: Value) -> str | None:
    text = value.text if isinstance(value, NotScalar) else value
    return text if text and text.strip() else None


def without_index(rows: Sequence[Sequence[Value]]) -> list[Sequence[Value]]:
    """The rows as the schema's own fields have them."""
    return [row[:-1] for row in rows]


def _in_raw(
    file: BinaryIO, format: FileFormat, definition: Definition
) -> Callable[[str], re.Match[str] | None]:
    """Finds the index in the text of a record that could not be taken apart: where it comes first, as we write it."""
    if format not in _TABLES:
        return _FIRST_KEY.match
    columns, delimiter = find_columns(file, definition, format)
    if columns[-1] != 0:
        return lambda _: None
    quote = re.escape(definition.csv.quote)
    return re.compile(f"(?:{quote})?([^{quote}{re.escape(delimiter)}\r\n]*)").match
