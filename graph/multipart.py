"""Takes a multipart/form-data body apart while it arrives. The grammar is python-multipart's; we pull its events."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum, auto

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from graph.body import Body
from graph.errors import ErrorCode, Refusal, bad_request

_MAX_EPILOGUE_BYTES = 64 * 1024
_MAX_SILENT_BYTES = 512 * 1024
"""Bytes that say nothing (before the first boundary, or behind one) before we stop listening."""
_PLAIN_ENCODINGS = ("", "binary", "8bit", "7bit")


class _Mark(Enum):
    HEADERS_FINISHED = auto()
    PART_END = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """What a part's headers say."""

    name: str
    filename: str | None


class MultipartBody:
    """The parts of a body, in the order in which they come; nothing is held but the chunk that came last."""

    def __init__(self, body: Body, content_type: str) -> None:
        self._body = body
        self._events: deque[_Mark | bytes | tuple[bytes, bytes]] = deque()
        self._name = self._value = b""
        try:
            self._parser = MultipartParser(_boundary(content_type), self._callbacks())  # type: ignore[arg-type]
        except FormParserError as error:
            raise bad_request(f"The boundary of the multipart body cannot be used: {error}.") from None

    async def next_part(self) -> Part | None:
        """The next part's headers; None at the end of the body. The part before must have been read to its end."""
        headers: dict[bytes, bytes] = {}
        while (event := await self._event()) is not _Mark.HEADERS_FINISHED:
            if event is _Mark.END:
                await self._skip_epilogue()
                return None
            if isinstance(event, tuple):
                headers.setdefault(*event)
        return _part(headers)

    async def blocks(self) -> AsyncIterator[bytes]:
        """The bytes of the current part, as they arrive."""
        while (event := await self._event()) is not _Mark.PART_END:
            if isinstance(event, bytes):
                yield event

    async def text(self, part: Part, limit: int) -> bytes:
        """The bytes of the current part, which must be a field of at most `limit` bytes."""
        if part.filename is not None:
            raise bad_request(f"The part `{part.name}` must be a plain field, not a file.")
        held = bytearray()
        async for block in self.blocks():
            held += block
            if len(held) > limit:
                raise Refusal(
                    413,
                    ErrorCode.PAYLOAD_TOO_LARGE,
                    f"The part `{part.name}` may have at most {limit:,} bytes.",
                )
        return bytes(held)

    async def _event(self) -> _Mark | bytes | tuple[bytes, bytes]:
        silent = 0
        while not self._events:
            chunk = await self._body.read()
            silent += len(chunk)
            if not chunk or silent > _MAX_SILENT_BYTES:
                raise bad_request(
                    "The multipart body ends too early: its boundary is missing. "
                    "It may have been cut off on the way; please send it again."
                )
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise bad_request(f"The multipart body is malformed: {error}.") from None
        return self._events.popleft()

    async def _skip_epilogue(self) -> None:
        skipped = 0
        while skipped < _MAX_EPILOGUE_BYTES and (chunk := await self._body.read()):
            skipped += len(chunk)

    def _callbacks(self) -> dict[str, object]:
        return {
            "on_header_field": self._on_header_name,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": lambda: self._events.append(_Mark.HEADERS_FINISHED),
            "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
            "on_part_end": lambda: self._events.append(_Mark.PART_END),
            "on_end": lambda: self._events.append(_Mark.END),
        }

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._events.append((self._name.lower(), self._value))
        self._name = self._value = b""


def _boundary(content_type: str) -> bytes:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise bad_request("The Content-Type multipart/form-data needs a boundary.")
    return boundary


def _part(headers: dict[bytes, bytes]) -> Part:
    kind, options = parse_options_header(headers.get(b"content-disposition", b"").decode("latin-1"))
    if kind != b"form-data" or b"name" not in options:
        raise bad_request(
            'Every part needs a header Content-Disposition: form-data with a name, such as name="operations".'
        )
    encoding = headers.get(b"content-transfer-encoding", b"").decode("latin-1").strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise bad_request("A Content-Transfer-Encoding is not supported: send the bytes as they are.")
    filename = options.get(b"filename")
    return Part(
        options[b"name"].decode(errors="replace"),
        None if filename is None else filename.decode(errors="replace"),
    )
