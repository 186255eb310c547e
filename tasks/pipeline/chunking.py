"""Gathers the records that a line-based reader cuts and hands them on as chunks of the wanted size."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from tasks.pipeline.record import Chunk, ChunkSize, Position, Problem, Value


class Chunks:
    """Holds what is not yet a whole chunk; `index` is the first held record's."""

    def __init__(self, index: int, size: ChunkSize) -> None:
        self._size = size
        self._held = Chunk(index)
        self._end = (0, 1)

    @property
    def next_index(self) -> int:
        """The index of the record after the last that was added."""
        return self._held.first_index + len(self._held.rows)

    def add(
        self,
        rows: Sequence[Sequence[Value]],
        offsets: Sequence[int],
        lines: Sequence[int],
        faults: dict[int, list[Problem]],
        end: tuple[int, int],
    ) -> Iterator[Chunk]:
        """Take records and give the chunks that are full. `end`: the offset and line right after these records."""
        held = self._held
        shift = len(held.rows)
        held.rows += rows
        held.offsets += offsets
        held.lines += lines
        held.faults.update({shift + position: problems for position, problems in faults.items()})
        self._end = end
        start = 0
        while cut := self._full(start):
            yield self._chunk(start, cut)
            start = cut
        if start:
            self._held = self._chunk(start, len(held.rows))

    def flush(self) -> Iterator[Chunk]:
        """What is left, as the last chunk."""
        if self._held.rows:
            yield self._chunk(0, len(self._held.rows))
            self._held = Chunk(self.next_index)

    def _full(self, start: int) -> int:
        """Where the chunk ends that begins at `start`; 0 as long as it is not full."""
        offsets = self._held.offsets
        if start == len(offsets):
            return 0
        far = offsets[start] + self._size.bytes
        cut = max(start + 1, bisect_left(offsets, far, start))
        if cut >= start + self._size.records:
            return start + self._size.records
        return cut if cut < len(offsets) or self._end[0] >= far else 0

    def _chunk(self, start: int, cut: int) -> Chunk:
        held = self._held
        index = held.first_index + cut
        return Chunk(
            held.first_index + start,
            held.lines[start:cut],
            held.offsets[start:cut],
            held.rows[start:cut],
            {k - start: held.faults[k] for k in range(start, cut) if k in held.faults} if held.faults else {},
            Position(index, held.offsets[cut], held.lines[cut])
            if cut < len(held.rows)
            else Position(index, *self._end),
        )
