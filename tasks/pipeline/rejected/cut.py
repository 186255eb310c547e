"""What cutting rejected records out of a file is for every format: where they lie, and how each becomes bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from tasks.pipeline.encoding import Encoding
from tasks.pipeline.errors import PipelineError
from tasks.pipeline.record import MAX_RECORD_BYTES

_MOST_BYTES = 2 * MAX_RECORD_BYTES + 64 * 1024
"""No record takes more, in UTF-16 neither; what is behind it, up to the next one, may be as long as the file."""


class CannotIndex(PipelineError):
    """There is no place in this file for the index of each record; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a rejected record lies in its file."""

    index: int
    """What `sluice:index` says."""
    offset: int
    length: int
    """Up to where the next record begins: more than the record itself."""

    def read(self, file: BinaryIO) -> bytes:
        """The record, and (some of) what is behind it."""
        file.seek(self.offset)
        return file.read(min(self.length, _MOST_BYTES))


class Cutter(Protocol):
    """Makes a file of some records of another, in pieces: `head`, then each of `records`, then `tail`."""

    def head(self) -> Iterator[bytes]:
        """What comes before the first record."""

    def records(self, cuts: Iterable[Cut]) -> Iterator[bytes]:
        """The records, in their order. It may be asked several times: the next records follow those before."""

    def tail(self) -> bytes:
        """What comes behind the last record."""


def bare_end(data: bytes, encoding: Encoding, marks: str) -> int:
    """Where `data` ends without the `marks` at its end."""
    if not encoding.wide:
        return len(data.rstrip(marks.encode()))
    units = {mark.encode(encoding.codec) for mark in marks}
    end = len(data) // 2 * 2
    while end and data[end - 2 : end] in units:
        end -= 2
    return end


def bare_start(data: bytes, encoding: Encoding, marks: str, start: int = 0) -> int:
    """Where what is no mark begins, at `start` or behind."""
    units = {mark.encode(encoding.codec) for mark in marks}
    width = 2 if encoding.wide else 1
    while data[start : start + width] in units:
        start += width
    return start
