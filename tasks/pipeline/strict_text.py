"""The text of a file in which every byte must decode, and where in the file its characters lie."""

import codecs
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise, repeat
from typing import BinaryIO

from tasks.pipeline.encoding import Encoding
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import Position

_WHITE_SPACE = " \t\r\n"
_MARK_CHARS = 6

_Steps = tuple[Iterable[int], Iterable[int]]
"""How many bytes, and how many line feeds, there are from each of some positions to the next."""


class StrictText:
    """Decodes a file block by block, from `start` on."""

    def __init__(self, file: BinaryIO, encoding: Encoding, start: Position, block_bytes: int) -> None:
        file.seek(start.offset)
        self.codec = encoding.codec
        self.line = start.line
        """The line on which the text ends that was given so far."""
        self.offset = start.offset
        """Bytes of the file that were read so far."""
        self._file = file
        self._block_bytes = block_bytes
        self._decoder = codecs.getincrementaldecoder(self.codec)()
        self._damage: FileError | None = None

    def read(self, size: int = 0) -> str:
        """The next text, of `size` bytes or a block, whichever is more; "" at the end of the file.

        Raises FileError ENCODING once all that comes before the first bad byte has been given, TRUNCATED where the
        file ends in the middle of a character.
        """
        text = ""
        while not text:
            if self._damage is not None:
                raise self._damage
            block = self._file.read(max(size, self._block_bytes))
            self.offset += len(block)
            text = self._decode(block)
            if not block and self._damage is None:
                break
        self.line += text.count("\n")
        return text

    def _decode(self, block: bytes) -> str:
        try:
            return self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            good: str = error.object[: error.start].decode(self.codec)
            line = self.line + good.count("\n")
            if block:
                place = self.offset - len(error.object) + error.start
                message = (
                    f"Byte {place} (line {line}) is not valid {self.codec.upper()}. "
                    "Save the file as UTF-8, or name its encoding in the schema."
                )
                self._damage = FileError(FailureCode.ENCODING, message, line=line)
            else:
                message = f"The file ends in the middle of a character, on line {line}. Send the whole file."
                self._damage = FileError(FailureCode.TRUNCATED, message, line=line)
            return good


class Window:
    """A piece of a file's text that moves through it; `position` is the character in it where reading goes on."""

    def __init__(self, source: StrictText, place: Position) -> None:
        self.source = source
        self.text = ""
        self.position = 0
        self._at = 0
        self._offset = place.offset
        self._line = place.line
        self._one_byte_each = True

    def read_on(self) -> str:
        """Drop what lies before the position and append at least as much as is left; gives what was appended.

        "" at the end of the file. The window then stays as it is, as it does when the source raises FileError.
        """
        more = self.source.read(len(self.text) - self.position)
        if more:
            self._move(self.position)
            self.text = self.text[self.position :] + more
            self.position = self._at = 0
            codec = self.source.codec
            self._one_byte_each = self.text.isascii() if codec == "utf-8" else not codec.startswith("utf-16")
        return more

    def read_first(self) -> None:
        """Read the first text that is more than white space, with the white space before it.

        Raises FileError FILE_EMPTY where there is none.
        """
        while self.read_on():
            if self.text.strip(_WHITE_SPACE):
                return
            self.position = len(self.text)
        raise FileError(FailureCode.FILE_EMPTY, "The file is empty: there is nothing in it but white space.")

    def take_rest(self) -> str:
        """The text from the position on; the position moves to its end."""
        rest = self.text[self.position :]
        self.position = len(self.text)
        return rest

    def width(self, start: int, end: int) -> int:
        """How many bytes the characters `start` to `end` take in the file."""
        if self._one_byte_each:
            return end - start
        return len(self.text[start:end].encode(self.source.codec))

    def line_at(self, position: int) -> int:
        """The line of a character at or behind the one that was located last."""
        return self._line + self.text.count("\n", self._at, position)

    def offset_at(self, position: int) -> int:
        """The byte offset of a character at or behind the one that was located last."""
        return self._offset + self.width(self._at, position)

    def locate(self, positions: Sequence[int]) -> tuple[list[int], list[int]]:
        """`place_of` each of the characters, which are in rising order."""
        if not positions:
            return [], []
        self._move(positions[0])
        sizes, feeds = self._by_mark(positions) or self._piece_by_piece(positions)
        offsets = list(accumulate(sizes, initial=self._offset))
        lines = list(accumulate(feeds, initial=self._line))
        self._at, self._offset, self._line = positions[-1], offsets[-1], lines[-1]
        return offsets, lines

    def _piece_by_piece(self, positions: Sequence[int]) -> _Steps:
        pieces = [self.text[start:end] for start, end in pairwise(positions)]
        codec = self.source.codec
        sizes = map(len, pieces if self._one_byte_each else [piece.encode(codec) for piece in pieces])
        return sizes, map(str.count, pieces, repeat("\n"))

    def _by_mark(self, positions: Sequence[int]) -> _Steps | None:
        """The same of all at once, where the same few characters stand at each position and nowhere else between them."""
        text, first, last = self.text, positions[0], positions[-1]
        mark = text[first : first + _MARK_CHARS]
        if self.source.codec != "utf-8" or mark[0] in mark[1:]:
            return None  # a mark that does not begin anew inside itself is never found in two places that overlap
        if text.count(mark, first, last + len(mark)) != len(positions):
            return None
        if not all(map(text.startswith, repeat(mark), positions)):
            return None
        encoded = mark.encode()
        pieces = text[first:last].encode().split(encoded)[1:]
        feeds = map(bytes.count, pieces, repeat(b"\n"))
        return map(len(encoded).__add__, map(len, pieces)), map(mark.count("\n").__add__, feeds)

    def place_of(self, position: int) -> tuple[int, int]:
        """Byte offset and line of a character, which must not lie before any that was located earlier."""
        self._move(position)
        return self._offset, self._line

    def _move(self, to: int) -> None:
        self._offset += to - self._at if self._one_byte_each else self.width(self._at, to)
        self._line += self.text.count("\n", self._at, to)
        self._at = to
