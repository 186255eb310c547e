"""What can end the reading of a file. Bad data inside a record is a value (`record.Problem`), not an exception.

PipelineError
├── FileError            the file as a whole cannot be read on; ends its job as FAILED
└── DefinitionError      a record schema that makes no sense; refused when it is saved
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """Why a job ended as FAILED."""

    FILE_EMPTY = "FILE_EMPTY"
    FILE_MISSING = "FILE_MISSING"
    FILE_CHANGED = "FILE_CHANGED"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    ENCODING = "ENCODING"
    MALFORMED = "MALFORMED"
    TRUNCATED = "TRUNCATED"
    HEADER_MISSING = "HEADER_MISSING"
    DUPLICATE_HEADER = "DUPLICATE_HEADER"
    WRONG_STRUCTURE = "WRONG_STRUCTURE"
    TOO_DEEP = "TOO_DEEP"
    RECORD_TOO_LARGE = "RECORD_TOO_LARGE"
    DTD_FORBIDDEN = "DTD_FORBIDDEN"
    RECORD_COUNT = "RECORD_COUNT"
    DUPLICATE_INDEX = "DUPLICATE_INDEX"
    READER_CRASHED = "READER_CRASHED"
    WORKER_CRASHED = "WORKER_CRASHED"
    INTERNAL = "INTERNAL"


_SHOWN_CHARS = 80


def shown(name: str) -> str:
    """A name out of a file as a message may hold it: not long, and nothing in it that cannot be seen."""
    start = name[:_SHOWN_CHARS]
    return start if start.isprintable() else repr(start)


class PipelineError(Exception):
    """Something in the pure core cannot go on."""


class FileError(PipelineError):
    """The file's structure is damaged: `message` says what and where, in words a partner understands."""

    def __init__(
        self, code: FailureCode, message: str, *, record_index: int | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.record_index = record_index
        self.line = line


@dataclass(frozen=True, slots=True)
class DefinitionProblem:
    """One thing that is wrong with a record schema; `path` leads to it ("fields", 0, "pattern")."""

    path: tuple[str | int, ...]
    message: str


class DefinitionError(PipelineError):
    """A record schema that cannot be used, with every reason found."""

    def __init__(self, problems: Sequence[DefinitionProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)
