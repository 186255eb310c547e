"""What flows through the pipeline, in memory only: positions, values, problems, chunks and batches.

A reader (formats/) cuts a file into `Chunk`s; `batches.py` turns each chunk into a `Batch` that is ready for COPY.
Indexes and byte offsets count from 0, lines from 1.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from tasks.pipeline.definition import Definition

MAX_RECORD_BYTES = 8 * 1024 * 1024
"""A record of more bytes than this ends its job with RECORD_TOO_LARGE."""

MAX_VALUE_CHARS = 1024 * 1024
"""A value of more characters than this is VALUE_TOO_LONG."""

MAX_RAW_CHARS = 1024
"""`rawValue` is cut at this many characters."""


class FileFormat(StrEnum):
    """How the records lie in a file."""

    CSV = "CSV"
    TSV = "TSV"
    JSON = "JSON"
    NDJSON = "NDJSON"
    XML = "XML"


class RecordErrorCode(StrEnum):
    """What is wrong with one field, or with the record as a whole."""

    REQUIRED = "REQUIRED"
    INVALID_INTEGER = "INVALID_INTEGER"
    INVALID_NUMBER = "INVALID_NUMBER"
    INVALID_BOOLEAN = "INVALID_BOOLEAN"
    INVALID_DATE = "INVALID_DATE"
    INVALID_DATETIME = "INVALID_DATETIME"
    INVALID_EMAIL = "INVALID_EMAIL"
    INVALID_URL = "INVALID_URL"
    TOO_SMALL = "TOO_SMALL"
    TOO_LARGE = "TOO_LARGE"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    PATTERN_MISMATCH = "PATTERN_MISMATCH"
    NOT_IN_ENUM = "NOT_IN_ENUM"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    INVALID_CHARACTER = "INVALID_CHARACTER"
    VALUE_TOO_LONG = "VALUE_TOO_LONG"
    NOT_A_SCALAR = "NOT_A_SCALAR"
    COLUMN_COUNT = "COLUMN_COUNT"
    MALFORMED_RECORD = "MALFORMED_RECORD"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    UNKNOWN_INDEX = "UNKNOWN_INDEX"
    ALREADY_ACCEPTED = "ALREADY_ACCEPTED"


@dataclass(frozen=True, slots=True)
class NotScalar:
    """An object, array, or repeated or nested element where the schema wants one plain value."""

    text: str
    """Compact JSON of what stood there, numbers in their own spelling; it may be cut at `MAX_RAW_CHARS`."""


Value = str | NotScalar | None
"""A value as it stood in the file, untrimmed; None where the file has none (JSON null included).

Bytes that do not decode are kept as lone surrogates (`errors="surrogateescape"`), so that validation can name them.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a record is rejected."""

    field: str | None
    """The schema's field name; None when the whole record is at fault."""
    code: RecordErrorCode
    message: str
    """What was expected, in words a partner understands."""
    raw: str | None
    """What stood in the file, as decoded, untrimmed and uncut; None when nothing did."""
    source: str | None = None
    """Where in the record it stood, as a schema would say it, where no field of the schema does; None: see `field`."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record begins."""

    index: int = 0
    offset: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """When a reader hands its chunk over: whichever of the two is reached first."""

    records: int = 5_000
    bytes: int = 2 * 1024 * 1024


@dataclass(slots=True)
class Chunk:
    """Consecutive records as a reader cut them. The k-th has index `first_index + k`."""

    first_index: int
    lines: list[int] = field(default_factory=list)
    """Line on which each record begins."""
    offsets: list[int] = field(default_factory=list)
    """Byte offset of each record's first byte in the file."""
    rows: list[Sequence[Value]] = field(default_factory=list)
    """One value per field of the schema, in the schema's order. A row `()` is not looked at; any other
    row of a record in `faults` is validated, too."""
    faults: dict[int, list[Problem]] = field(default_factory=dict)
    """Position in this chunk -> why that record cannot be validated at all (COLUMN_COUNT, MALFORMED_RECORD, …)."""
    end: Position = field(default_factory=Position)
    """Where the next record begins, or would: reading goes on from here."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records, decided and encoded: what one transaction loads."""

    first_index: int
    end: Position
    """Where the next batch begins; its index is the checkpoint, its offset the bytes read."""
    records: bytes
    """COPY text rows for `record`, whose columns are `load.RECORD_COLUMNS`, and in a retry the origin."""
    errors: bytes
    """COPY text rows for `record_error`, whose columns are `load.ERROR_COLUMNS`, and in a retry the origin."""
    accepted: int
    rejected: int
    error_counts: Counter[tuple[str | None, str]]
    """(field, code) -> error rows in this batch."""
    claims: bytes = b""
    """Of a retry: what it says of the accepted records (claims.py), in their order."""


class Reader(Protocol):
    """What each module in formats/ offers as `read`.

    Yields chunks in file order, from the record at `start` on, and ends at the end of the file. Raises `FileError`
    where the file's structure is damaged, after yielding every whole record that came before. Memory stays flat.
    `file` is a seekable binary file at any position, `size` its length in bytes. When `start.index` is 0 the
    reader begins at the top of the file; else `start` is the `end` of a chunk that an earlier reader of the same
    file and definition gave, and the reader goes on there (by seeking where the format allows it).
    """

    def __call__(
        self, file: BinaryIO, size: int, definition: "Definition", start: Position, chunk_size: ChunkSize
    ) -> Iterator[Chunk]: ...
