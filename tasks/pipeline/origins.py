"""The origins file of a retry: which records of the family's first job were outstanding when the retry was made.

64-bit whole numbers, little-endian: the k-th is the origin of the parent's k-th outstanding record, none twice. Behind
them stands `BY_PLACE` where what the file says as `sluice:index` must not count.
"""

import struct
import sys
from array import array
from collections.abc import Iterator
from typing import BinaryIO

NUMBER_BYTES = 8

BY_PLACE = struct.pack("<q", -1)
"""The k-th record is the k-th origin's, whatever it says: the parent's file has brought along indexes that mean another
job, since that one's rejected records were sent for a new job by mistake."""

_BLOCK_NUMBERS = 64 * 1024


class Origins:
    """Reads the file piece by piece: of three million origins only a bit each is ever held."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._count = file.seek(0, 2) // NUMBER_BYTES
        file.seek(max(0, self._count - 1) * NUMBER_BYTES)
        self.by_place = file.read(NUMBER_BYTES) == BY_PLACE
        self._count -= self.by_place

    def __len__(self) -> int:
        return self._count

    def some(self, first: int, count: int) -> tuple[int, ...]:
        """The origins from the one with number `first` on, `count` of them."""
        self._file.seek(first * NUMBER_BYTES)
        return struct.unpack(f"<{count}q", self._file.read(count * NUMBER_BYTES))

    def blocks(self) -> Iterator["array[int]"]:
        """All of them, in order."""
        for first in range(0, self._count, _BLOCK_NUMBERS):
            self._file.seek(first * NUMBER_BYTES)
            numbers = array("q", self._file.read(min(_BLOCK_NUMBERS, self._count - first) * NUMBER_BYTES))
            if sys.byteorder == "big":
                numbers.byteswap()
            yield numbers


class Marks:
    """A set of whole numbers from 0 to `last`, in a bit each."""

    def __init__(self, last: int) -> None:
        self.last = last
        self._bits = bytearray(last // 8 + 1)

    def __contains__(self, number: int) -> bool:
        return 0 <= number <= self.last and bool(self._bits[number >> 3] >> (number & 7) & 1)

    def add(self, number: int) -> None:
        """Take in a number that is not above `last`."""
        self._bits[number >> 3] |= 1 << (number & 7)


def marks(origins: Origins) -> Marks:
    """The set of all origins."""
    found = Marks(max((max(block) for block in origins.blocks()), default=0))
    for block in origins.blocks():
        for origin in block:
            found.add(origin)
    return found
