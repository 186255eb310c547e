"""JSON: an array of records, at the top of the document or at the schema's `recordPath`."""

from collections.abc import Iterator
from typing import BinaryIO

from tasks.pipeline.chunking import Chunks
from tasks.pipeline.definition import Definition
from tasks.pipeline.elements import Elements, fill
from tasks.pipeline.encoding import Encoding, detect
from tasks.pipeline.errors import FileError
from tasks.pipeline.json_array import Cutter
from tasks.pipeline.json_outside import Outside
from tasks.pipeline.json_shape import Shapes
from tasks.pipeline.record import Chunk, ChunkSize, Position
from tasks.pipeline.strict_text import StrictText, Window

BLOCK_BYTES = 64 * 1024
"""Small enough that what is decoded from it stays in the processor's cache."""

_HEAD_BYTES = 4096


def read(
    file: BinaryIO,
    size: int,
    definition: Definition,
    start: Position,
    chunk_size: ChunkSize,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Chunk]:
    """See `record.Reader`. `block_bytes`: how much is read at once."""
    file.seek(0)
    encoding = detect(file.read(min(size, _HEAD_BYTES)), definition.encoding)
    place = Position(0, encoding.bom_bytes, 1)
    window = Window(StrictText(file, encoding, place, block_bytes), place)
    outside = Outside(definition.record_path)
    _open_array(window, outside)
    after_element = False
    if start.index:
        after_element = _is_after_element(file, start, encoding)
        window = Window(StrictText(file, encoding, start, block_bytes), start)
    cutter = Cutter(window, start.index, Shapes(definition))
    yield from _records(
        cutter, Elements(definition), Chunks(start.index, chunk_size), after_element=after_element
    )
    _close_array(window, outside)


def _open_array(window: Window, outside: Outside) -> None:
    """Move the window to right after the bracket that opens the array."""
    window.read_first()
    outside.line = window.line_at(window.position)
    while (position := outside.find(window.text)) is None:
        window.position = len(window.text)
        if not window.read_on():
            outside.end()
            raise outside.no_array()
    window.position = position


def _is_after_element(file: BinaryIO, start: Position, encoding: Encoding) -> bool:
    """Whether the reader that left off here met damage: only then did it stop right behind an element."""
    width = 2 if encoding.wide else 1
    file.seek(start.offset - width)
    return file.read(width).decode(encoding.codec, "replace") not in (" ", "\t", "\r", "\n", ",")


def _records(cutter: Cutter, elements: Elements, chunks: Chunks, *, after_element: bool) -> Iterator[Chunk]:
    """All that is left of the array; the window then stands on the bracket that closes it."""
    try:
        cutter.enter(after_element=after_element)
        while not cutter.ended:
            cutter.cut()
            yield from _hand_over(cutter, elements, chunks)
            cutter.go_on()
    except FileError as error:
        yield from _hand_over(cutter, elements, chunks)
        yield from chunks.flush()
        error.record_index = chunks.next_index
        raise
    yield from chunks.flush()


def _hand_over(cutter: Cutter, elements: Elements, chunks: Chunks) -> Iterator[Chunk]:
    if not cutter.starts:
        return
    offsets, lines = cutter.window.locate(cutter.starts)
    rows, faults = cutter.rows, {}
    if cutter.gaps:
        faults = fill(rows, cutter.gaps, *elements.pick(cutter.values, cutter.texts))
    cutter.forget()
    yield from chunks.add(rows, offsets, lines, faults, cutter.window.place_of(cutter.window.position))


def _close_array(window: Window, outside: Outside) -> None:
    """Read from the bracket that closes the array to the end of the file."""
    outside.line = window.place_of(window.position)[1]
    outside.feed(window.take_rest())
    while window.read_on():
        outside.feed(window.take_rest())
    outside.end()
