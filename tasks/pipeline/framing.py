"""Cuts a line-based file into physical lines and knows where each begins: line number and byte offset."""

import codecs
import io
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, repeat
from typing import BinaryIO

from tasks.pipeline.encoding import Encoding
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import MAX_RECORD_BYTES

BLOCK_BYTES = 256 * 1024
"""Read at once: large enough to hide Python's overhead, small enough that a block of tiny lines stays small."""

PORTION_LINES = 5_000


class Lines:
    """A window of whole physical lines that moves through a file, from `offset` on, which is on line `line`.

    Lines end with LF, CRLF or CR; with LF alone where `lf_only`.
    """

    def __init__(
        self, file: BinaryIO, encoding: Encoding, offset: int, line: int, *, lf_only: bool = False
    ) -> None:
        file.seek(offset)
        self.encoding = encoding
        self.raw: list[bytes] = []
        """The window's lines with their line ends, as bytes of `encoding.line_codec`."""
        self.offsets = [offset]
        """Where each line of the window begins in the file, and where the last one ends."""
        self.first_line = line
        """The number of the window's first line."""
        self._lf_only = lf_only
        self._failure: FileError | None = None
        self._blocks = _whole_lines(_pieces(file, encoding), lf_only=lf_only)

    def more(self) -> bool:
        """Take another block of lines into the window. False at the end of the file.

        Raises FileError RECORD_TOO_LARGE (without a place; each time from then on) where a line is longer than a record may be.
        """
        if self._failure:
            raise self._failure
        try:
            block = next(self._blocks, None)
        except FileError as error:
            self._failure = error
            raise
        if block is None:
            return False
        lines = io.BytesIO(block).readlines() if self._lf_only else block.splitlines(keepends=True)
        start = self.offsets.pop()
        self.raw += lines
        self.offsets += accumulate(self._sizes(lines), initial=start)
        return True

    @property
    def portion(self) -> int:
        """How many of the window's lines to work on at once, so that what is made of them stays small."""
        by_bytes = bisect_right(self.offsets, self.offsets[0] + 2 * BLOCK_BYTES) - 1
        return min(max(by_bytes, 1), PORTION_LINES, len(self.raw))

    def drop(self, count: int) -> None:
        """Move on: the first `count` lines leave the window."""
        del self.raw[:count]
        del self.offsets[:count]
        self.first_line += count

    def text(self, start: int, end: int) -> str:
        """The window's lines `start` to `end`, without the last line end."""
        text = self.encoding.decode(b"".join(self.raw[start:end]))
        return text.removesuffix("\n").removesuffix("\r")

    def _sizes(self, lines: list[bytes]) -> Iterator[int]:
        if not self.encoding.wide:
            return map(len, lines)
        texts = map(self.encoding.decode, lines)
        return map(len, map(str.encode, texts, repeat(self.encoding.codec), repeat("surrogatepass")))


def _pieces(file: BinaryIO, encoding: Encoding) -> Iterator[bytes]:
    if encoding.wide:
        return _transcoded(file, encoding.codec)
    return iter(lambda: file.read(BLOCK_BYTES), b"")


def _transcoded(file: BinaryIO, codec: str) -> Iterator[bytes]:
    decode = codecs.utf_16_le_decode if codec == "utf-16-le" else codecs.utf_16_be_decode
    rest = b""
    while data := file.read(BLOCK_BYTES):
        data = rest + data
        text, used = decode(data, "surrogatepass", False)
        rest = data[used:]
        yield text.encode("utf-8", "surrogatepass")
    if rest:
        text, used = decode(rest[: len(rest) // 2 * 2], "surrogatepass", True)
        half_units = "".join(chr(0xDC00 + byte) for byte in rest[used:])
        yield (text + half_units).encode("utf-8", "surrogatepass")


def _whole_lines(pieces: Iterator[bytes], *, lf_only: bool) -> Iterator[bytes]:
    """The same bytes, cut only where a line ends."""
    held: list[bytes] = []
    held_bytes = 0
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if not lf_only:
            # A CR at the very end may be half of a CRLF: it waits for what follows.
            end = max(end, piece.rfind(b"\r", 0, -1) + 1)
        if end:
            block = b"".join((*held, piece[:end]))
            if len(block) > MAX_RECORD_BYTES:
                _check_first_line(block, lf_only=lf_only)
            yield block
            held, held_bytes = [], 0
        held.append(piece[end:])
        held_bytes += len(piece) - end
        if held_bytes > MAX_RECORD_BYTES:
            raise _too_large()
    if held_bytes:
        yield b"".join(held)


def _check_first_line(block: bytes, *, lf_only: bool) -> None:
    ends = [block.find(b"\n")] if lf_only else [block.find(b"\n"), block.find(b"\r")]
    if min(end for end in ends if end >= 0) >= MAX_RECORD_BYTES:
        raise _too_large()


def _too_large() -> FileError:
    message = (
        f"A line is longer than {MAX_RECORD_BYTES // 2**20} MiB, the most that one record may hold. "
        "Check the file's line ends, or split the record."
    )
    return FileError(FailureCode.RECORD_TOO_LARGE, message)
