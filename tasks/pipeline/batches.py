"""Parse, validate, encode: the one loop over a file. Each batch is what one transaction loads."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, compress, repeat
from json.encoder import encode_basestring
from typing import BinaryIO
from uuid import UUID

from tasks.pipeline.claims import Claim, packed
from tasks.pipeline.column import Fragments
from tasks.pipeline.copy_text import NULL, cell, storable
from tasks.pipeline.definition import Definition, UnknownFields
from tasks.pipeline.first_problems import MAX_ALIKE
from tasks.pipeline.formats import READERS
from tasks.pipeline.record import (
    MAX_RAW_CHARS,
    Batch,
    Chunk,
    ChunkSize,
    FileFormat,
    Position,
    Problem,
    RecordErrorCode,
    Value,
)
from tasks.pipeline.retry import Retry
from tasks.pipeline.validator import Validator

MAX_VALUES = 100_000
"""A batch of wide records holds fewer of them: every value may become an error row, and memory stays flat."""

Problems = dict[int, list[Problem]]
"""Position in the chunk -> why that record is rejected."""

Origins = Sequence[int | None]
"""For each position in the chunk of a retry; None where it is not known, and the record is rejected."""


def batches(
    file: BinaryIO,
    size: int,
    format: FileFormat,
    definition: Definition,
    job_id: UUID,
    start: Position,
    chunk_size: ChunkSize,
    retry: Retry | None = None,
) -> Iterator[Batch]:
    """Every record of the file from `start` on, accepted or rejected, in batches ready for COPY.

    `retry`: what the survey of a retry's file has found.

    A batch is one chunk of the format's reader, of `chunk_size` at most and of fewer records where they are wide.
    Raises FileError where the file cannot be read on, after yielding all that came before.
    """
    validator = Validator(definition)
    most_problems = len(definition.fields)
    if definition.unknown_fields is UnknownFields.REJECT:
        most_problems += MAX_ALIKE
    records = max(1, min(chunk_size.records, MAX_VALUES // most_problems))
    chunk_size = ChunkSize(records, chunk_size.bytes)
    if retry is None:
        for chunk in READERS[format](file, size, definition, start, chunk_size):
            yield batch(chunk, validator, job_id)
        return
    for chunk in READERS[format](file, size, retry.definition, start, chunk_size):
        found, origins = retry.assigned(chunk)
        yield batch(found, validator, job_id, origins)


def batch(chunk: Chunk, validator: Validator, job_id: UUID, origins: Origins | None = None) -> Batch:
    """Decides and encodes the records of one chunk. `origins`: in a retry, which of the first job's records they are."""
    positions, rows = _decidable(chunk)
    verdict = validator(rows)
    problems = _merged(chunk.faults, {positions[k]: found for k, found in verdict.problems.items()})
    accepted = [position not in problems for position in positions]
    indexes = map(chunk.first_index.__add__, positions)
    claims = None if origins is None else _claims(chunk, list(compress(positions, accepted)), origins)
    return Batch(
        first_index=chunk.first_index,
        end=chunk.end,
        records=_records(indexes, verdict.columns, accepted, validator.names, job_id, claims),
        errors=_errors(chunk, problems, job_id, origins),
        accepted=sum(accepted),
        rejected=len(problems),
        error_counts=Counter((problem.field, problem.code.value) for problem in chain(*problems.values())),
        claims=packed(claims or ()),
    )


def _decidable(chunk: Chunk) -> tuple[Sequence[int], Sequence[Sequence[Value]]]:
    """The rows that hold values, and their positions in the chunk."""
    if all(chunk.rows):
        return range(len(chunk.rows)), chunk.rows
    positions = [position for position, row in enumerate(chunk.rows) if row]
    return positions, [chunk.rows[position] for position in positions]


def _merged(faults: Problems, found: Problems) -> Problems:
    """All problems in the records' order; within a record, faults of the whole come first."""
    if not faults:
        return dict(sorted(found.items()))
    return {
        position: [*faults.get(position, ()), *found.get(position, ())]
        for position in sorted({*faults, *found})
    }


def _records(
    indexes: Iterable[int],
    columns: Sequence[Fragments],
    accepted: Sequence[bool],
    names: Sequence[str],
    job_id: UUID,
    claims: Sequence[Claim] | None,
) -> bytes:
    """COPY rows of the accepted records: joined from the values and what stands between them, the same in each row."""
    parts = [repeat(f"{job_id}\t"), map(str, compress(indexes, accepted))]
    before = "\t{"
    for name, column in sorted(zip(names, columns, strict=True), key=_jsonb_order):
        parts += repeat(f"{before}{encode_basestring(name)}:{column.quote}"), compress(column.texts, accepted)
        before = f"{column.quote},"
    last = f"{before[:-1]}}}"
    parts += [repeat(f"{last}\n")] if claims is None else [(f"{last}\t{claim.origin}\n" for claim in claims)]
    rows = zip(*parts, strict=False)  # repeat() has no end
    # In UTF-8 a byte that looks like a backslash is one, and among bytes it is found several times as fast.
    return "".join(chain.from_iterable(rows)).encode().replace(b"\\", b"\\\\")


def _jsonb_order(column: tuple[str, Fragments]) -> tuple[int, bytes]:
    """Where PostgreSQL keeps this key: it sorts the keys of every record, an eighth faster when they are sorted already."""
    key = column[0].encode()
    return len(key), key


def _errors(chunk: Chunk, problems: Problems, job_id: UUID, origins: Origins | None) -> bytes:
    """COPY rows of every problem of the rejected records."""
    job, rows = str(job_id), []
    ends = _ends(chunk)
    end = "\n"
    for position, found in problems.items():
        record = f"{job}\t{chunk.first_index + position}"
        offset = chunk.offsets[position]
        place = f"{chunk.lines[position]}\t{offset}\t{ends[position] - offset}"
        if origins is not None:
            origin = origins[position]
            end = f"\t{NULL if origin is None else origin}\n"
        rows += [f"{record}\t{seq}\t{place}\t{_cells(problem)}{end}" for seq, problem in enumerate(found)]
    return "".join(rows).encode()


def _ends(chunk: Chunk) -> list[int]:
    """Where the record behind each one begins, or would."""
    return [*chunk.offsets[1:], chunk.end.offset]


def _claims(chunk: Chunk, positions: Sequence[int], origins: Origins) -> list[Claim]:
    """Of the accepted records, each of which has an origin."""
    ends = _ends(chunk)
    return [
        Claim(chunk.first_index + k, origins[k], chunk.lines[k], chunk.offsets[k], ends[k] - chunk.offsets[k])  # type: ignore[arg-type]
        for k in positions
    ]


def _cells(problem: Problem) -> str:
    raw = None if problem.raw is None else storable(problem.raw[:MAX_RAW_CHARS])[:MAX_RAW_CHARS]
    source = None if problem.source is None else storable(problem.source)[:MAX_RAW_CHARS]
    return f"{_what(problem.field, problem.code, problem.message)}\t{cell(raw)}\t{cell(source)}"


@lru_cache(maxsize=1_000)
def _what(field: str | None, code: RecordErrorCode, message: str) -> str:
    """The same few for most problems of a file."""
    return f"{cell(field)}\t{code}\t{cell(storable(message))}"
