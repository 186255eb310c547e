"""The path of every error leads to its value in the original file, and its place to its record."""

import csv
import io
import json
from typing import Any

import pytest
from lxml import etree

from tasks.pipeline.definition import Definition, define
from tasks.pipeline.paths import path_of
from tasks.pipeline.record import FileFormat
from tests.tasks.pipeline.rejecting import error_rows

NOTHING = object()


def definition(*sources: str, **options: Any) -> Definition:
    """Whole numbers, all of them required."""
    fields = [{"name": f"f{n}", "source": source, "type": "INTEGER"} for n, source in enumerate(sources)]
    return define({"fields": fields, **options})


def paths(data: bytes, format: FileFormat, schema: Definition) -> list[tuple[str | None, str, str | None]]:
    """Path, code and raw value of each error; each record begins where its error says."""
    of = path_of(format, schema)
    found = []
    for row in error_rows(data, format, schema):
        assert data[: row.offset].count(b"\n") == row.line - 1
        assert row.begins_with == data[row.offset : row.offset + len(row.begins_with)]
        found.append((of(row.index, row.field, row.source), row.code, row.raw))
    return found


def nodes_at(data: bytes, path: str | None) -> list[Any]:
    """What lxml finds there."""
    found: Any = etree.fromstring(data).xpath(path or "")
    assert isinstance(found, list)
    return found


def pointed(document: Any, pointer: str) -> Any:
    """RFC 6901."""
    assert pointer == "" or pointer[0] == "/"
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            document = document[int(key)]
        elif isinstance(document, dict) and key in document:
            document = document[key]
        else:
            return NOTHING
    return document


def test_json() -> None:
    """From the document's root."""
    schema = definition("id", "customer.age", "a/b~c", record_path="data.orders", unknown_fields="REJECT")
    data = b"""{"data": {"orders": [
{"id": 1, "customer": {"age": 2}, "a/b~c": 3},
 {"id": "x", "customer": {"age": "y", "e/mail": "z"}, "a/b~c": "w", "un.known": 1},
7, {"id": 1, "id": 2},
{"id": 1, "customer": {"age": 1, "age": 2}}, {"customer": {}}
]}}"""
    document = json.loads(data)

    found = paths(data, FileFormat.JSON, schema)

    expected = {
        "/data/orders/1/id": "x",
        "/data/orders/1/customer/age": "y",
        "/data/orders/1/a~1b~0c": "w",
        "/data/orders/1/customer/e~1mail": "z",
        "/data/orders/1/un.known": 1,
        "/data/orders/2": 7,
        "/data/orders/3/id": 2,
        "/data/orders/4/customer/age": 2,
        "/data/orders/5/id": NOTHING,
        "/data/orders/5/customer/age": NOTHING,
        "/data/orders/5/a~1b~0c": NOTHING,
    }
    assert expected == {path: pointed(document, path or "") for path, _, _ in found}


def test_ndjson() -> None:
    """From the line's document."""
    schema = definition("id", "customer.age")
    data = b'{"id": 1, "customer": {"age": 2}}\n\n{"id": "x", "customer": {"age": "y"}}\n[7]\n{'

    assert [
        ("/id", "INVALID_INTEGER", "x"),
        ("/customer/age", "INVALID_INTEGER", "y"),
        ("", "NOT_AN_OBJECT", "[7]"),
        ("", "MALFORMED_RECORD", "{"),
    ] == paths(data, FileFormat.NDJSON, schema)


@pytest.mark.parametrize("format", [FileFormat.CSV, FileFormat.TSV])
def test_csv(format: FileFormat) -> None:
    """The column's header; a record as a whole has none."""
    schema = definition("id", "the age", unknown_fields="REJECT", csv={"delimiter": ";"})
    data = b'id; the age ;more;\n\n1;"x\ny";a;b\n1;2\ny;3;"";""\n'

    found = paths(data, format, schema)

    names = [name.strip() for name in next(csv.reader(io.StringIO(data.decode()), delimiter=";"))]
    named = {(name or "(column 4)") for name in names} | {None}
    assert {path for path, _, _ in found} <= named
    assert [
        ("more", "UNKNOWN_FIELD", "a"),
        ("(column 4)", "UNKNOWN_FIELD", "b"),
        ("the age", "INVALID_INTEGER", "x\ny"),
        (None, "COLUMN_COUNT", "1;2"),
        ("more", "UNKNOWN_FIELD", ""),
        ("id", "INVALID_INTEGER", "y"),
    ] == found


def test_csv_without_a_header() -> None:
    """The column's number, as the schema has it."""
    schema = definition("2", csv={"header": False})

    assert [("2", "INVALID_INTEGER", "x")] == paths(b"a,x\nb,1\n", FileFormat.CSV, schema)


XML = b"""<?xml version="1.0"?>
<!-- <o/> --><r xmlns="D" xmlns:p="P" xmlns:q="Q">
<m><o id="1"><n>1</n></o></m>
<p:o q:id="x"><n>y</n><!-- <n>9</n> --></p:o>
<g><o p:id="1" id="z"><q:n>w</q:n></o></g>
<o/>
</r>"""


@pytest.mark.parametrize("record_path", ["o", None])
def test_xml(record_path: str | None) -> None:
    """Each selects exactly the node that holds the raw value, whatever the namespaces."""
    data = (
        XML
        if record_path
        else XML.replace(b"<m><o", b"<o")
        .replace(b"</o></m>", b"</o>")
        .replace(b"<g>", b"")
        .replace(b"</g>", b"")
    )
    found = paths(data, FileFormat.XML, definition("@id", "n", record_path=record_path))

    assert 6 == len(found)
    for path, code, raw in found:
        assert path is not None
        nodes = nodes_at(data, path)
        assert (code == "INVALID_INTEGER") == (len(nodes) == 1)
        assert [raw] * len(nodes) == [getattr(node, "text", node) for node in nodes]


def test_xml_that_nests() -> None:
    """Where the schema looks for elements of the record's own name inside it, they do not count."""
    data = b"<r><o><id>1</id><o><id>2</id></o></o><g><o><id>x</id><o><id>y</id></o></o></g></r>"

    found = paths(data, FileFormat.XML, definition("id", "o/id", record_path="o"))

    assert ["x", "y"] == [nodes_at(data, path)[0].text for path, _, _ in found]
    assert [1, 1] == [len(nodes_at(data, path)) for path, _, _ in found]


def test_xml_unknown() -> None:
    """Elements and attributes that no field names."""
    data = b"<r><o a='0'><n b='1'>1</n><c><d/>2</c></o></r>"

    found = paths(data, FileFormat.XML, definition("n", record_path="o", unknown_fields="REJECT"))

    assert ["a", "b", "c"] == [
        getattr(node, "attrname", None) or node.tag for path, _, _ in found for node in nodes_at(data, path)
    ]


@pytest.mark.parametrize("name", ["it's", 'a"b', "'\"", "{}"])
def test_names_with_quotes(name: str) -> None:
    """XPath knows no escapes."""
    path = path_of(FileFormat.XML, definition(name, record_path="o"))(0, "f0", None)

    assert [] == nodes_at(b"<r/>", path)


def test_a_retired_field() -> None:
    """An error of a field that the schema does not have says where its record is."""
    assert "/3" == path_of(FileFormat.JSON, definition("id"))(3, "gone", None)
