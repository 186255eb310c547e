"""XML records that are written at random read as ElementTree reads them."""

import io
from functools import partial
from typing import Any
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.pipeline.errors import FailureCode
from tasks.pipeline.formats.xml import read
from tasks.pipeline.record import ChunkSize, Position
from tests.tasks.pipeline.documents import failure
from tests.tasks.pipeline.reading import read_once, schema

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)

NAMES = st.sampled_from(["a", "b", "o", "oo", "é"])


def element(name: str, text: str, attributes: dict[str, str], children: list[ElementTree.Element]) -> Any:
    """An element of these parts."""
    made = ElementTree.Element(name, attributes)
    made.text = text
    made.extend(children)
    return made


ELEMENTS = st.recursive(
    st.builds(element, NAMES, TEXTS, st.dictionaries(NAMES, TEXTS, max_size=2), st.just([])),
    lambda inner: st.builds(
        element, NAMES, TEXTS, st.dictionaries(NAMES, TEXTS, max_size=2), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


def expected_row(record: ElementTree.Element) -> list[Any]:
    """What sources "a" and "@b" lead to, by Python's own parser; None for what is no plain value."""
    found = record.findall("a")
    text = None
    if found:
        text = found[0].text or "" if len(found) == 1 and not len(found[0]) else NotImplemented
    return [text, record.get("b")]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    records=st.lists(ELEMENTS, max_size=5),
    indent=st.sampled_from([None, "", " ", "\t"]),
    short=st.booleans(),
    codec=st.sampled_from(["utf-8", "utf-16"]),
    block_bytes=st.integers(1, 40),
)
def test_xml_reads_back_what_elementtree_wrote(
    records: list[ElementTree.Element], indent: str | None, short: bool, codec: str, block_bytes: int
) -> None:
    """Random elements of random names, nested and alike, come back equal and from their offsets, wherever cut."""
    root = element("o", "", {}, records)
    if indent is not None:
        ElementTree.indent(root, indent)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=short)
    data = text.encode(codec)
    records = list(ElementTree.fromstring(text))
    definition = schema("a?", "@b?")
    chunks = list(
        read(io.BytesIO(data), len(data), definition, Position(), ChunkSize(records=2), block_bytes)
    )

    rows = [row for chunk in chunks for row in chunk.rows]
    for record, row in zip(records, rows, strict=True):
        a, b = expected_row(record)
        assert b == row[1]
        assert a is NotImplemented or a == row[0]
    bom = 2 if codec == "utf-16" else 0
    offsets = [offset for chunk in chunks for offset in chunk.offsets]
    encoded = [
        ElementTree.tostring(record, encoding="unicode", short_empty_elements=short) for record in records
    ]
    for offset, written in zip(offsets, encoded, strict=True):
        tail = data[offset:].decode("utf-16-le" if bom else codec)
        assert tail.startswith(written.rstrip() if indent is not None else written)
    lines = [line for chunk in chunks for line in chunk.lines]
    assert lines == [1 + data[:offset].decode(codec).count("\n") for offset in offsets]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(records=st.lists(ELEMENTS, max_size=4), block_bytes=st.integers(1, 40))
def test_xml_finds_what_elementtree_finds(records: list[ElementTree.Element], block_bytes: int) -> None:
    """Elements of a name, at any depth: as many as there are, unless one is inside another."""
    root = element("r", "", {}, [element("o", "", {}, []), *records])
    data = ElementTree.tostring(root, encoding="utf-8")
    nested = any(len(list(found.iter("o"))) > 1 for found in root.iter("o"))
    definition = schema("a?", "@b?", record_path="o")
    reading = read_once(partial(read, block_bytes=block_bytes), data, definition)

    if nested:
        assert failure(reading)[0] == FailureCode.WRONG_STRUCTURE
        return
    assert reading.error is None
    expected = [expected_row(record) for record in root.iter("o")]
    for (a, b), record in zip(expected, reading.records, strict=True):
        assert b == record.row[1]
        assert a is NotImplemented or a == record.row[0]
