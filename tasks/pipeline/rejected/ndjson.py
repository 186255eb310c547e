"""Rejected lines of an NDJSON file, byte for byte."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tasks.pipeline.definition import Definition
from tasks.pipeline.encoding import HEAD_BYTES, detect
from tasks.pipeline.rejected.cut import Cut
from tasks.pipeline.rejected.indexed_json import indexed


class NdjsonCutter:
    """See `cut.Cutter`."""

    def __init__(self, file: BinaryIO, definition: Definition, *, with_index: bool, is_retry: bool) -> None:
        self._file = file
        self._with_index = with_index
        self._is_retry = is_retry
        file.seek(0)
        self._encoding = detect(file.read(HEAD_BYTES), definition.encoding)
        self._line_end = "\n".encode(self._encoding.codec)

    def head(self) -> Iterator[bytes]:
        """The byte order mark, if there is one."""
        self._file.seek(0)
        yield self._file.read(self._encoding.bom_bytes)

    def records(self, cuts: Iterable[Cut]) -> Iterator[bytes]:
        """The lines, without the blank ones behind them."""
        for cut in cuts:
            line = self._line(cut.read(self._file))
            yield indexed(line, cut.index, self._encoding, keep=self._is_retry) if self._with_index else line

    def tail(self) -> bytes:
        """Nothing."""
        return b""

    def _line(self, data: bytes) -> bytes:
        width = len(self._line_end)
        end = data.find(self._line_end)
        while end > 0 and end % width:  # half of one character and half of the next
            end = data.find(self._line_end, end + 1)
        if end >= 0:
            return data[: end + width]
        return data + self._line_end if len(data) % width == 0 else data
