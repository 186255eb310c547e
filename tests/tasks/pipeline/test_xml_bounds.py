"""What XML may cost: records and documents that never end, and memory that stays flat."""

import io
import json

import pytest

from tasks.pipeline.errors import FailureCode
from tasks.pipeline.formats.xml import read
from tasks.pipeline.record import MAX_RECORD_BYTES, Position
from tests.tasks.pipeline.documents import failure, memory_growth
from tests.tasks.pipeline.reading import read_once, schema

A = schema("a?")


@pytest.mark.parametrize("path", [None, "o"])
@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("unit", ["x", "é"])
def test_xml_bounds_a_record(path: str | None, extra: int, unit: str) -> None:
    """An element of more than MAX_RECORD_BYTES ends the reading; the records before it are there."""
    room = MAX_RECORD_BYTES - len("<o><a></a></o>") + extra
    value = unit * (room // len(unit.encode()))
    value += "x" * (room - len(value.encode()))
    data = f"<r><o><a>0</a></o>\n<o><a>{value}</a></o><o><a>2</a></o></r>".encode()
    reading = read_once(read, data, schema("a?", record_path=path))

    if extra:
        assert (FailureCode.RECORD_TOO_LARGE, 1, 2) == failure(reading)
        assert [["0"]] == reading.plain
    else:
        assert [["0"], [value], ["2"]] == reading.plain


@pytest.mark.parametrize(
    ("begin", "unit"),
    [
        ("<r><o><a>", "x"),
        ("<r><o>", "<a>1</a>"),
        ("<r><o><a k='", "x"),
        ("<r>", "x"),
        ("<r><!--", "x"),
        ("<r k='", "x"),
        ("<!--", "x"),
        ("<r><z>", "x"),
    ],
)
@pytest.mark.parametrize("path", [None, "o"])
def test_xml_gives_up_what_never_ends(begin: str, unit: str, path: str | None) -> None:
    """A record, text, attribute or comment without an end is RECORD_TOO_LARGE, long before it fills the memory."""
    data = (begin + unit * (24_000_000 // len(unit))).encode()
    assert failure(read_once(read, data, schema("a?", record_path=path)))[0] == FailureCode.RECORD_TOO_LARGE


@pytest.mark.parametrize("path", [None, "o"])
def test_xml_gives_up_soon_after_a_bare_ampersand(path: str | None) -> None:
    """lxml would keep everything until a semicolon comes: the reader does not wait for the end of the file."""
    file = io.BytesIO(
        b"<r>\n<o><a>0</a></o>\n<o><a>R & D</a></o>\n" + b"<o><a>x</a></o>\n" * 200_000 + b"</r>"
    )
    reading = read_once(lambda _, *rest: read(file, *rest), file.getvalue(), schema("a?", record_path=path))

    assert (FailureCode.MALFORMED, 1, 3) == failure(reading)
    assert [["0"]] == reading.plain
    assert file.tell() < 200_000


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        ("<o><a>1</a><b>some text</b></o>\\n", None, 1_600_000),
        ("<z/><!-- c --><?p i?><y>x</y>tail", "o", 1),
        ("<g><o><a>1</a></o></g>", "o", 2_250_001),
    ],
    ids=["records", "siblings that are no records", "records in groups"],
)
def test_xml_is_read_in_flat_memory(body: str, path: str | None, expected: int) -> None:
    """50 MB take no more memory than a few blocks, whatever they are made of."""
    growth = memory_growth(
        "import tempfile\n"
        "from tasks.pipeline.formats.xml import read\n"
        "from tasks.pipeline.definition import define\n"
        "from tasks.pipeline.record import ChunkSize, Position\n"
        "file = tempfile.TemporaryFile()\n"
        "file.write(b'<r>')\n"
        f"body = b'{body}' * 5000\n"
        "while file.tell() < 50_000_000: file.write(body)\n"
        "file.write(b'<o/></r>')\n"
        f"definition = define({{'fields': [{{'name': 'a', 'type': 'STRING'}}], 'record_path': {path!r}}})\n"
        "mark()\n"
        "n = sum(len(c.rows) for c in read(file, file.tell(), definition, Position(), ChunkSize()))\n"
        f"assert abs(n - {expected}) < 60_000, n\n"
    )
    assert growth < 32 * 2**20


def test_xml_skips_without_building_rows_where_it_goes_on() -> None:
    """To go on far into a file means to parse from its top, but the result is that of one pass."""
    data = ("<r>" + "".join(f"<o><a>{k}</a></o>\n" for k in range(5_000)) + "</r>").encode()
    start = Position(4_998, data.index(b"<o><a>4998"), 4_999)

    assert [["4998"], ["4999"]] == read_once(read, data, A, start).plain
    assert json.dumps([4998, 4999]) == json.dumps([r.index for r in read_once(read, data, A, start).records])
