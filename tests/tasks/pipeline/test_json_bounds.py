"""What JSON may cost: long numbers, records that never end, and memory that stays flat."""

from unittest import mock

import pytest

from tasks.pipeline.errors import FailureCode
from tasks.pipeline.formats.json import read
from tasks.pipeline.json_outside import Outside
from tasks.pipeline.record import MAX_RECORD_BYTES
from tests.tasks.pipeline.documents import failure, memory_growth, read_chunks
from tests.tasks.pipeline.reading import read_once, schema

A = schema("a?")

ORDERS = schema("a?", record_path="data.orders")


@pytest.mark.parametrize(
    ("digits", "block_bytes"), [(4_000, 1), (4_301, 1), (4_301, 999), (100_000, 999), (100_000, 65_536)]
)
def test_json_survives_long_numbers_outside_the_records(digits: int, block_bytes: int) -> None:
    """ijson would crash on them; they are valid JSON, also as keys and in strings."""
    long = "1" * digits
    data = f'{{"x":[{long}, -{long}.{long}, "{long}"], "{long}":1, "orders":[{{"a":{long}}}], "y":{long}}}'.encode()
    rows = [
        row
        for chunk in read_chunks(data, schema("a", record_path="orders"), block_bytes)
        for row in chunk.rows
    ]
    assert [(long,)] == rows


@pytest.mark.parametrize(
    ("extra", "unit"), [(0, "x"), (1, "x"), (0, "é"), (1, "é")], ids=["fits", "over", "fits é", "over é"]
)
def test_json_bounds_a_record(extra: int, unit: str) -> None:
    """An element of more than MAX_RECORD_BYTES ends the reading; the records before it are there."""
    room = MAX_RECORD_BYTES - len('{"a":""}') + extra
    text = unit * (room // len(unit.encode()))
    text += "x" * (room - len(text.encode()))
    data = f'[{{"a":"0"}},\n{{"a":"{text}"}},{{"a":"2"}}]'.encode()
    reading = read_once(read, data, A)

    if extra:
        assert (FailureCode.RECORD_TOO_LARGE, 1, 2) == failure(reading)
        assert [["0"]] == reading.plain
    else:
        assert [["0"], [text], ["2"]] == reading.plain


def test_json_bounds_what_it_holds_of_a_record_that_never_ends() -> None:
    """A string without an end is given up once it is larger than a record may be."""
    assert (FailureCode.RECORD_TOO_LARGE, 0, 1) == failure(read_once(read, b'[{"a":"' + b"x" * 20_000_000, A))


def test_json_bounds_a_value_outside_the_records() -> None:
    """ijson would gather it in memory, whole."""
    data = b'{"x":"' + b"x" * 20_000_000 + b'","orders":[]}'
    assert (FailureCode.RECORD_TOO_LARGE, None, 1) == failure(read_once(read, data, ORDERS))


def test_json_is_read_in_flat_memory() -> None:
    """50 MB take no more memory than a few blocks."""
    growth = memory_growth(
        "import tempfile\n"
        "from tasks.pipeline.formats.json import read\n"
        "from tasks.pipeline.definition import define\n"
        "from tasks.pipeline.record import ChunkSize, Position\n"
        "file = tempfile.TemporaryFile()\n"
        "file.write(b'[')\n"
        'for i in range(500): file.write(b\'{"a": "some text", "b": [1, 2, 3]},\\n\' * 2600)\n'
        "file.write(b'{}]')\n"
        "definition = define({'fields': [{'name': 'a', 'type': 'STRING'}]})\n"
        "mark()\n"
        "n = sum(len(c.rows) for c in read(file, file.tell(), definition, Position(), ChunkSize()))\n"
        "assert n == 1_300_001\n"
    )
    assert growth < 32 * 2**20


def test_outside_takes_no_piece_that_is_too_long_for_the_end() -> None:
    """A piece of which nothing is left to feed does not end the document early."""
    outside = Outside("orders")
    for piece in ('{"x":', "1" * 4_000, "1" * 500, "1" * 500, ',"orders":'):
        assert outside.find(piece) is None
    assert 1 == outside.find("[")


@pytest.mark.parametrize("string", ["[" * 1_000, '\\"[\\\\\\"' * 1_000, "[" * 200_000, "\\\\[" * 40_000])
def test_outside_feeds_a_string_in_few_pieces(string: str) -> None:
    """Brackets in it mean nothing: fed piece by piece, a long string would take quadratic time."""
    outside = Outside("orders")
    text = f'{{"x":"{string}","orders":['

    with mock.patch.object(Outside, "_feed", autospec=True, side_effect=Outside._feed) as feed:
        assert len(text) == outside.find(text)

    assert feed.call_count <= 2 + len(text) // 50_000
