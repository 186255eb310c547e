"""A retry: which record of the family's first job each record of the file is.

The file is read once before any of it is loaded. Does no record name an index, or must none count, the
k-th is the k-th that was outstanding; does any, each counts for the one that it names. That is so again at each
claim, since the file is the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from tasks.pipeline.definition import Definition
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.formats import READERS
from tasks.pipeline.index_names import INDEX, Names, number_of, with_index, without_index
from tasks.pipeline.origins import Marks, Origins, marks
from tasks.pipeline.record import Chunk, ChunkSize, FileFormat, Position, Problem, RecordErrorCode

_MISSING = f"Expected {INDEX} here, too, as in other records of this file: which record is it?"
_NO_INDEX = (
    f"Expected the index of an outstanding record in {INDEX}: a whole number, as rejectedFile wrote it."
)
_NOT_OUTSTANDING = (
    f"No outstanding record has the index that {INDEX} names here: such a record was never rejected, or was accepted in"
    " a retry. Leave it out, or correct the index."
)


class Retry:
    """Made by `survey`. `definition`: what the readers are to read by."""

    def __init__(self, definition: Definition, names: Names, origins: Origins, outstanding: Marks) -> None:
        self.definition = definition
        self.by_index = False
        """Whether the records say which they are."""
        self._names = names
        self._origins = origins
        self._outstanding = outstanding

    def assigned(self, chunk: Chunk) -> tuple[Chunk, Sequence[int | None]]:
        """The chunk as the schema's own fields have it, and the origin of each record, None where that is unknown."""
        rows = without_index(chunk.rows)
        if not self.by_index:
            return replace(chunk, rows=rows), self._origins.some(chunk.first_index, len(rows))
        origins, faults = self._named(chunk)
        return replace(chunk, rows=rows, faults=faults), origins

    def count(self, chunk: Chunk, seen: Marks) -> None:
        """Notes what the records of a chunk name. Raises FileError where one that is outstanding is named again."""
        if self._origins.by_place:
            return
        for position, name in enumerate(self._names.of(chunk)):
            if name is None:
                continue
            self.by_index = True
            index = number_of(name)
            if index is None or index not in self._outstanding:
                continue
            if index in seen:
                raise _named_twice(index, chunk.first_index + position, chunk.lines[position])
            seen.add(index)

    def _named(self, chunk: Chunk) -> tuple[list[int | None], dict[int, list[Problem]]]:
        origins: list[int | None] = []
        faults = dict(chunk.faults)
        for position, name in enumerate(self._names.of(chunk)):
            index = None if name is None else number_of(name)
            is_outstanding = index is not None and index in self._outstanding
            origins.append(index if is_outstanding else None)
            if is_outstanding:
                continue
            message = _MISSING if name is None else _NO_INDEX if index is None else _NOT_OUTSTANDING
            problem = Problem(None, RecordErrorCode.UNKNOWN_INDEX, message, name)
            faults[position] = [problem, *faults.get(position, ())]
        return origins, faults


def survey(
    file: BinaryIO, size: int, format: FileFormat, definition: Definition, origins_file: BinaryIO
) -> Retry:
    """Reads the whole file to see which record is which.

    Raises FileError where it cannot be read to its end, RECORD_COUNT and DUPLICATE_INDEX: then nothing of it is to be
    loaded.
    """
    origins = Origins(origins_file)
    reading = with_index(definition, format)
    retry, records = _surveyed(file, size, format, reading, origins)
    if not retry.by_index and records != len(origins):
        raise FileError(FailureCode.RECORD_COUNT, _wrong_count(records, origins))
    return retry


def _wrong_count(records: int, origins: Origins) -> str:
    if origins.by_place:
        return (
            f"The file has {records:,} record(s), but {len(origins):,} were outstanding, and each counts by its place. Nothing was"
            " loaded. Send as many as are outstanding, in their order. If you have sent no file, do: this version of the schema"
            " takes the job's own apart in another way."
        )
    return (
        f"The file has {records:,} record(s), but {len(origins):,} were outstanding when this retry was made, and no"
        f" record names its index. Nothing was loaded. Send as many as are outstanding, in their order, or let each"
        f" say in {INDEX} which it is: rejectedFile(withIndex: true) is such a file."
    )


def _surveyed(
    file: BinaryIO, size: int, format: FileFormat, reading: Definition, origins: Origins
) -> tuple[Retry, int]:
    records = 0
    outstanding = marks(origins)
    seen = Marks(outstanding.last)
    try:
        retry = Retry(reading, Names(file, format, reading), origins, outstanding)
        for chunk in READERS[format](file, size, reading, Position(), ChunkSize()):
            records += len(chunk.rows)
            retry.count(chunk, seen)
    except FileError as error:
        if error.code is not FailureCode.DUPLICATE_INDEX:
            error.message += " Nothing of this retry was loaded."
        raise
    return retry, records


def _named_twice(index: int, record_index: int, line: int) -> FileError:
    message = (
        f"The index {index} stands in {INDEX} a second time (record {record_index}, line {line}): which of the two counts"
        " is unclear. Nothing was loaded. Leave one of them out."
    )
    return FileError(FailureCode.DUPLICATE_INDEX, message, record_index=record_index, line=line)
