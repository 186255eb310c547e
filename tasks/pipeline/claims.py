"""What a batch of a retry says of the records that it has accepted, so that no other retry loads them again."""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tasks.pipeline.copy_text import NULL
from tasks.pipeline.record import Batch, RecordErrorCode

_CLAIM = struct.Struct("<5q")
_MESSAGE = "Another retry has loaded this record since this one was made. Nothing is left to do about it."


@dataclass(frozen=True, slots=True)
class Claim:
    """An accepted record of a retry."""

    index: int
    origin: int
    line: int
    offset: int
    length: int


def packed(claims: Iterable[Claim]) -> bytes:
    """For a pipe."""
    return b"".join(
        _CLAIM.pack(claim.index, claim.origin, claim.line, claim.offset, claim.length) for claim in claims
    )


def unpacked(data: bytes) -> list[Claim]:
    """From `packed`."""
    return [Claim(*numbers) for numbers in _CLAIM.iter_unpack(data)]


def without(batch: Batch, job_id: UUID, claims: Sequence[Claim], lost: set[int]) -> Batch:
    """The batch, whose `claims` these are, with the records of the indexes `lost` rejected as ALREADY_ACCEPTED."""
    rows = batch.records.splitlines(keepends=True)  # in COPY text a line feed ends a row, and is nowhere else
    kept = [row for row, claim in zip(rows, claims, strict=True) if claim.index not in lost]
    code = RecordErrorCode.ALREADY_ACCEPTED
    errors = [
        f"{job_id}\t{claim.index}\t0\t{claim.line}\t{claim.offset}\t{claim.length}\t{NULL}\t{code}\t{_MESSAGE}"
        f"\t{NULL}\t{NULL}\t{claim.origin}\n"
        for claim in claims
        if claim.index in lost
    ]
    return replace(
        batch,
        records=b"".join(kept),
        errors=batch.errors + "".join(errors).encode(),
        accepted=len(kept),
        rejected=batch.rejected + len(errors),
        error_counts=batch.error_counts + Counter({(None, code.value): len(errors)}),
    )
