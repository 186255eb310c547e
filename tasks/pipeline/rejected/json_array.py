"""Rejected elements of a JSON document's array, in an array at the same path."""

import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tasks.pipeline.definition import Definition
from tasks.pipeline.encoding import HEAD_BYTES, detect
from tasks.pipeline.rejected.cut import Cut, bare_end
from tasks.pipeline.rejected.indexed_json import indexed

_BLANK = " \t\r\n"


class JsonCutter:
    """See `cut.Cutter`. Each element is byte for byte what was sent; what is around them is written anew."""

    def __init__(self, file: BinaryIO, definition: Definition, *, with_index: bool, is_retry: bool) -> None:
        self._file = file
        self._with_index = with_index
        self._is_retry = is_retry
        file.seek(0)
        self._encoding = detect(file.read(HEAD_BYTES), definition.encoding)
        self._steps = definition.record_path.split(".") if definition.record_path else []
        self._before = self._encode("\n")

    def head(self) -> Iterator[bytes]:
        """The byte order mark, if there is one, and what opens the array."""
        self._file.seek(0)
        opening = "".join(f"{{{json.dumps(step)}:" for step in self._steps)
        yield self._file.read(self._encoding.bom_bytes) + self._encode(f"{opening}[")

    def records(self, cuts: Iterable[Cut]) -> Iterator[bytes]:
        """The elements, a comma and a line end between them."""
        for cut in cuts:
            element = self._element(cut.read(self._file))
            if self._with_index:
                element = indexed(element, cut.index, self._encoding, keep=self._is_retry)
            yield self._before + element
            self._before = self._encode(",\n")

    def tail(self) -> bytes:
        """What closes the array."""
        return self._encode("\n]" + "}" * len(self._steps) + "\n")

    def _element(self, data: bytes) -> bytes:
        """Without what separates it from the next."""
        data = data[: bare_end(data, self._encoding, _BLANK)]
        if data.endswith(comma := self._encode(",")):
            data = data[: bare_end(data[: -len(comma)], self._encoding, _BLANK)]
        return data

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding.codec)
