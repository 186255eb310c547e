"""XML: records are the elements that the schema's `recordPath` names, or the children of the root element."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from lxml import etree

from tasks.pipeline.chunking import Chunks
from tasks.pipeline.definition import Definition
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import MAX_RECORD_BYTES, Chunk, ChunkSize, Position
from tasks.pipeline.strict_text import StrictText, Window
from tasks.pipeline.xml_framing import Frame, Framer
from tasks.pipeline.xml_prolog import encoding_of, find_root
from tasks.pipeline.xml_regular import Regular
from tasks.pipeline.xml_rows import Rows
from tasks.pipeline.xml_tree import Tree

BLOCK_BYTES = 32 * 1024
"""Small enough that what is parsed from it stays in the processor's cache."""

_HEAD_BYTES = 4096


def read(
    file: BinaryIO,
    size: int,
    definition: Definition,
    start: Position,
    chunk_size: ChunkSize,
    block_bytes: int = BLOCK_BYTES,
    *,
    quick: bool = True,
) -> Iterator[Chunk]:
    """See `record.Reader`. `block_bytes`: how much is read at once. To go on at `start`, it skips `start.index` records.

    Without `quick` the careful way is the only one: the result is the same.
    """
    file.seek(0)
    encoding = encoding_of(file.read(min(size, _HEAD_BYTES)), definition.encoding)

    def window_at(place: Position) -> Window:
        return Window(StrictText(file, encoding, place, block_bytes), place)

    window = window_at(Position(0, encoding.bom_bytes, 1))
    rows, chunks = Rows(definition), Chunks(start.index, chunk_size)
    regular = Regular(window, find_root(window), definition.record_path, rows, chunks)
    nests = any(definition.record_path in field.source.split("/") for field in definition.fields)
    if quick and not nests:
        yield from regular.read()
        window = window_at(regular.end)
    records = _Records(file, window, regular, rows, chunks, nests=nests)
    del regular, window  # with the text and the parser that they hold
    yield from records.chunks()


class _Records:
    """The records behind those that `regular` has read, from a window that begins there."""

    def __init__(
        self, file: BinaryIO, window: Window, regular: Regular, rows: Rows, chunks: Chunks, *, nests: bool
    ) -> None:
        self._file = file
        self._window = window
        self._root = regular.root
        self._tree = Tree(regular.root, regular.name, nests=nests)
        self._framer = Framer(window, regular.name, nests=nests)
        self._rows = rows
        self._chunks = chunks
        self._first = chunks.next_index
        self._named = regular.name is not None
        self._index = regular.end.index
        self._due = 0
        if regular.head:
            self._tree.feed(regular.before())
            self._framer.root_tag = regular.head[regular.head.rindex(f"<{regular.root}") :]

    def chunks(self) -> Iterator[Chunk]:
        """All of them, from the first that is wanted on."""
        try:
            text = self._window.text or self._window.read_on()
            while text:
                yield from self._parse(text)
                text = self._window.read_on()
            yield from self._end()
        except FileError as error:
            yield from self._last_whole()
            yield from self._chunks.flush()
            error.record_index = self._index
            raise
        yield from self._chunks.flush()

    def _parse(self, text: str) -> Iterator[Chunk]:
        failure = self._tree.feed(text)
        self._framer.scan()
        yield from self._add(self._tree.take(), failure)
        self._check_unfinished()
        self._tree.forget()
        self._check_stalled()

    def _check_unfinished(self) -> None:
        """Nobody must hold more than a record may have: lxml waits for the end of a comment or tag however long."""
        started = self._framer.open
        if started is not None and self._window.source.offset - started[0] > MAX_RECORD_BYTES:
            raise _too_large(started[1])
        if len(self._window.text) - self._window.position > MAX_RECORD_BYTES:
            line = self._window.line_at(self._window.position)
            message = f"A tag or comment is longer than {MAX_RECORD_BYTES // 2**20} MiB (line {line})."
            raise FileError(FailureCode.RECORD_TOO_LARGE, message, line=line)

    def _check_stalled(self) -> None:
        """After a bare "&" lxml waits for a ";" and keeps all that comes: records fall behind that the scan has seen.

        Those seen one block ago are due by now; of the root's children all but the last.
        """
        if self._index < self._due:
            raise self._tree.give_up()
        seen = sum(not frame.nested for frame in self._framer.frames)
        self._due = self._index + seen - (not self._named)

    def _end(self) -> Iterator[Chunk]:
        failure = self._tree.close()
        yield from self._add(self._tree.take(), failure)
        yield from self._add(self._tree.take_last())
        if self._index == 0 and (nothing := self._tree.no_records()) is not None:
            raise nothing

    def _add(self, elements: Sequence[etree._Element], failure: FileError | None = None) -> Iterator[Chunk]:
        """Hand records on, up to the first that is damaged. Raises what is wrong with that, else `failure`."""
        frames = [self._framer.frames.popleft() for _ in elements]
        if failure is not None or not all(map(_is_sound, frames)):
            elements, failure = self._sound(elements, frames, failure)
        skipped = min(max(self._first - self._index, 0), len(elements))
        self._index += len(elements)
        if skipped < len(elements):
            wanted = elements[skipped:]
            rows = list(map(self._rows.row, wanted))
            faults = self._rows.faults(wanted)
            offsets, lines = zip(*[frame[:2] for frame in frames[skipped : len(elements)]], strict=True)
            yield from self._chunks.add(rows, offsets, lines, faults, self._framer.next_place())
        if failure is not None:
            raise failure

    def _sound(
        self, elements: Sequence[etree._Element], frames: Sequence[Frame], failure: FileError | None
    ) -> tuple[Sequence[etree._Element], FileError | None]:
        """The elements before the first that is damaged, and what is wrong with that, else `failure`."""
        sound = elements if failure is None else self._tree.sound(elements)
        for position, frame in enumerate(frames[: len(sound)]):
            if not _is_sound(frame):
                sound, failure = sound[:position], _damage(frame)
                break
        if len(sound) < len(elements):
            self._framer.frames.clear()
        return sound, failure

    def _last_whole(self) -> Iterator[Chunk]:
        """Before damage the tree does not tell whether the root's last child is whole. Parsed on its own it does."""
        last = self._tree.take_last()
        if not last or not self._framer.frames:
            return
        frame = self._framer.frames[0]
        self._file.seek(frame.offset)
        record = self._file.read(min(frame.size, MAX_RECORD_BYTES)).decode(self._window.source.codec)
        alone = Tree(self._root, None)
        if not alone.feed(f"{self._framer.root_tag}{record}</{self._root}>") and not alone.close():
            yield from self._add(last)


def _is_sound(frame: Frame) -> bool:
    return frame.size <= MAX_RECORD_BYTES and not frame.nested


def _damage(frame: Frame) -> FileError:
    if frame.nested:
        message = f"The record on line {frame.line} has another record inside it."
        return FileError(FailureCode.WRONG_STRUCTURE, message, line=frame.line)
    return _too_large(frame.line)


def _too_large(line: int) -> FileError:
    message = (
        f"The record on line {line} is larger than {MAX_RECORD_BYTES // 2**20} MiB, "
        "the most that one record may hold."
    )
    return FileError(FailureCode.RECORD_TOO_LARGE, message, line=line)
