"""A file of rejected records, read again, gives exactly these records with the same errors, in the same order."""

import codecs
import io
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tasks.pipeline.definition import Definition, define
from tasks.pipeline.formats import READERS
from tasks.pipeline.index_names import Names, with_index
from tasks.pipeline.record import ChunkSize, FileFormat, Position
from tests.tasks.pipeline.rejecting import Outcome, outcome, rejected_file

CSV, TSV, JSON, NDJSON, XML = FileFormat

FIELDS: list[dict[str, Any]] = [
    {"name": "id", "source": "id", "type": "INTEGER"},
    {"name": "name", "source": "name", "type": "STRING", "required": False, "max_length": 12},
]
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "iso-8859-1": b"",
}
many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
words = st.text(st.sampled_from("abXYZ äöü,;#'{}[]<é"), max_size=14)
chunk_sizes = st.sampled_from([ChunkSize(), ChunkSize(records=1), ChunkSize(records=2), ChunkSize(bytes=1)])
encodings = st.sampled_from(list(ENCODINGS))


def definition(encoding: str = "utf-8", **options: Any) -> Definition:
    """The schema of all these files."""
    declared = {"encoding": encoding} if encoding == "iso-8859-1" else {}
    return define({"fields": FIELDS, **declared, **options})


def encoded(text: str, encoding: str) -> bytes:
    """With the byte order mark that belongs to it."""
    return ENCODINGS[encoding] + text.encode(encoding)


def check(data: bytes, format: FileFormat, schema: Definition, size: ChunkSize, **options: Any) -> Outcome:
    """The round trip: as they are, and with their indexes."""
    before = outcome(data, format, schema, size, **options)
    if not before.cuts:
        return before
    again = outcome(rejected_file(data, format, schema, before.cuts), format, schema)
    assert (before.verdicts, 0, None) == (again.verdicts, again.accepted, again.failure)
    return before


def check_indexed(data: bytes, format: FileFormat, schema: Definition, before: Outcome) -> list[str | None]:
    """The same with indexes, which are all that has changed; gives what each record says."""
    indexed = rejected_file(data, format, schema, before.cuts, with_index=True)
    again = outcome(indexed, format, schema)
    assert [_shape(v) for v in before.verdicts] == [_shape(v) for v in again.verdicts]
    assert (0, None) == (again.accepted, again.failure)
    return _names(indexed, format, schema)


def _names(data: bytes, format: FileFormat, schema: Definition) -> list[str | None]:
    """As a retry reads them."""
    asking = with_index(schema, format)
    names = Names(io.BytesIO(data), format, asking)
    chunks = READERS[format](io.BytesIO(data), len(data), asking, Position(), ChunkSize())
    return [name for chunk in chunks for name in names.of(chunk)]


def _shape(verdict: Any) -> Any:
    """Without raw values of whole records, which hold the index, and without counts of columns."""
    return [(field, code, raw if field != "\\N" else None) for field, code, _, raw in verdict]
