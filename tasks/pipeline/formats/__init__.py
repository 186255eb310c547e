"""The file formats. A new format is a new module with a `read` and a line in `READERS`."""

from tasks.pipeline.formats import csv, json, ndjson, xml
from tasks.pipeline.record import FileFormat, Reader

READERS: dict[FileFormat, Reader] = {
    FileFormat.CSV: csv.read,
    FileFormat.TSV: csv.read_tsv,
    FileFormat.JSON: json.read,
    FileFormat.NDJSON: ndjson.read,
    FileFormat.XML: xml.read,
}

_EXTENSIONS = {
    "csv": FileFormat.CSV,
    "tsv": FileFormat.TSV,
    "tab": FileFormat.TSV,
    "json": FileFormat.JSON,
    "ndjson": FileFormat.NDJSON,
    "jsonl": FileFormat.NDJSON,
    "xml": FileFormat.XML,
}


def format_of(filename: str) -> FileFormat | None:
    """The format that a file name's extension stands for, in any case; None when it stands for none."""
    _, dot, extension = filename.rpartition(".")
    return _EXTENSIONS.get(extension.lower()) if dot else None
