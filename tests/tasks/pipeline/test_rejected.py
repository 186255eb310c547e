"""A file of rejected records, read again, gives exactly these records with the same errors, in the same order."""

import codecs
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tasks.pipeline.definition import Definition, define
from tasks.pipeline.record import ChunkSize, FileFormat
from tasks.pipeline.rejected import CannotIndex
from tests.tasks.pipeline.rejecting import Outcome, outcome, rejected_file

CSV, TSV, JSON, NDJSON, XML = FileFormat

FIELDS: list[dict[str, Any]] = [
    {"name": "id", "source": "id", "type": "INTEGER"},
    {"name": "name", "source": "name", "type": "STRING", "required": False, "max_length": 12},
]
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "iso-8859-1": b"",
}
many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
words = st.text(st.sampled_from("abXYZ äöü,;#'{}[]<é"), max_size=14)
chunk_sizes = st.sampled_from([ChunkSize(), ChunkSize(records=1), ChunkSize(records=2), ChunkSize(bytes=1)])
encodings = st.sampled_from(list(ENCODINGS))


def definition(encoding: str = "utf-8", **options: Any) -> Definition:
    """The schema of all these files."""
    declared = {"encoding": encoding} if encoding == "iso-8859-1" else {}
    return define({"fields": FIELDS, **declared, **options})


def encoded(text: str, encoding: str) -> bytes:
    """With the byte order mark that belongs to it."""
    return ENCODINGS[encoding] + text.encode(encoding)


def check(data: bytes, format: FileFormat, schema: Definition, size: ChunkSize, **options: Any) -> Outcome:
    """The round trip: as they are, and with their indexes."""
    before = outcome(data, format, schema, size, **options)
    if not before.cuts:
        return before
    again = outcome(rejected_file(data, format, schema, before.cuts), format, schema)
    assert (before.verdicts, 0, None) == (again.verdicts, again.accepted, again.failure)
    return before


def check_indexed(data: bytes, format: FileFormat, schema: Definition, before: Outcome) -> list[str | None]:
    """The same with indexes, which are all that has changed; gives what each record says."""
    indexed = rejected_file(data, format, schema, before.cuts, with_index=True)
    again = outcome(indexed, format, schema)
    assert [_shape(v) for v in before.verdicts] == [_shape(v) for v in again.verdicts]
    assert (0, None) == (again.accepted, again.failure)
    source = "@index" if format is XML else "sluice:index"
    asking = Definition.model_validate(
        schema.model_dump()
        | {"fields": [{"name": "i", "source": source, "type": "INTEGER", "required": True, "max": "-1"}]}
    )
    told = outcome(indexed, format, asking)
    return [verdict[0][3] if verdict[0][0] == "i" else None for verdict in told.verdicts]


def _shape(verdict: Any) -> Any:
    """Without raw values of whole records, which hold the index, and without counts of columns."""
    return [(field, code, raw if field != "\\N" else None) for field, code, _, raw in verdict]


# CSV and TSV


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], FileFormat, list[str]]:
    """The text of a file, its encoding, the schema's csv options, and the records as they stand there."""
    format = draw(st.sampled_from([CSV, TSV]))
    mark = "\t" if format is TSV else draw(st.sampled_from(",;|"))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    options: dict[str, Any] = {"skip_lines": draw(st.integers(0, 2))}
    if comment := draw(st.booleans()):
        options["comment"] = "#"
    rows = [draw(_row(mark, end)) for _ in range(draw(st.integers(1, 12)))]
    sep = draw(st.booleans()) and not options["skip_lines"]
    head = (
        f"sep={mark}{end}" if sep else "".join(f"junk{mark}here{end}" for _ in range(options["skip_lines"]))
    )
    between = st.sampled_from(["", "", end, end * 3, f"  {end}", f'#no, "comment{end}' if comment else ""])
    text = f"{head}id{mark}name{end}" + "".join(draw(between) + row + end for row in rows) + draw(between)
    if draw(st.booleans()):
        text = text.removesuffix(end)
    elif draw(st.booleans()):
        text += "\x1a"
    return text, draw(encodings), options, format, rows


@st.composite
def _row(draw: st.DrawFn, mark: str, end: str) -> str:
    word = re.sub(r"[#,;|\t]", "", draw(words))
    identity = draw(st.sampled_from(["1", "2", "x", "", "  7 "]))
    return draw(
        st.sampled_from(
            [
                f"{identity}{mark}{word}",
                f"{identity}{mark}{word}",
                f'{identity}{mark}"{word}{end}{end}{word}""{mark}"',
                f'"{identity}"{mark}"{word}"',
                f"x{mark}{word}{mark}more",
                "few",
                f'{identity}{mark}"{word}"x',
                f'{identity}{mark}"{word}" ',
            ]
        )
    )


@many
@given(tables(), chunk_sizes)
def test_csv(table: tuple[str, str, dict[str, Any], FileFormat, list[str]], size: ChunkSize) -> None:
    """Whatever stands around and between the rows."""
    text, encoding, options, format, rows = table
    schema = definition(encoding, csv=options)
    data = encoded(text, encoding)

    before = check(data, format, schema, size)

    if before.cuts:
        cut = rejected_file(data, format, schema, before.cuts)
        head = data[: data.index("name".encode(encoding.removesuffix("-sig")))]
        assert cut.startswith(head)
        kept = cut.decode("utf-16" if "16" in encoding else encoding)
        for index in before.rejected:
            assert rows[index].strip("\r\n") in kept
        told = check_indexed(data, format, schema, before)
        wellformed = [codes[0][1] not in ("MALFORMED_RECORD", "COLUMN_COUNT") for codes in before.verdicts]
        assert [str(i) for i, well in zip(before.rejected, wellformed, strict=True) if well] == [
            i for i, well in zip(told, wellformed, strict=True) if well
        ]


def test_csv_bytes() -> None:
    """A rejected file is the head and the very bytes of its records."""
    data = b'\xef\xbb\xbfsep=;\r\nid;name\r\n1;a\r\n\r\nx;"b\r\n\r\nc"\r\n \r\n2;c;\r\n3;d\r\ny;e'
    schema = definition()

    cut = rejected_file(data, CSV, schema, outcome(data, CSV, schema).cuts)

    assert b'\xef\xbb\xbfsep=;\r\nid;name\r\nx;"b\r\n\r\nc"\r\n2;c;\r\ny;e\r\n' == cut


def test_csv_index_is_a_first_column() -> None:
    """Before the record's own bytes, so that what was ragged stays so."""
    data = b"id,name\n1,a\nx,b\n2\n"
    schema = definition()

    cut = rejected_file(data, CSV, schema, outcome(data, CSV, schema).cuts, with_index=True)

    assert b"sluice:index,id,name\n1,x,b\n2,2\n" == cut


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({"delimiter": ":"}, b'"sluice:index":id:name'),
        ({"delimiter": "1", "quote": "'"}, b"sluice:index1id1name"),
        ({"comment": "s"}, b'"sluice:index",id,name'),
    ],
)
def test_csv_index_is_quoted_where_it_must_be(options: dict[str, str], first: bytes) -> None:
    """Whatever the schema's characters are."""
    mark = options.get("delimiter", ",").encode()
    data = mark.join([b"id", b"name"]) + b"\n" + b"".join(mark.join([b"x", b"b"]) + b"\n" for _ in range(12))
    schema = definition(csv=options)
    before = outcome(data, CSV, schema)

    cut = rejected_file(data, CSV, schema, before.cuts, with_index=True)

    assert first == cut.splitlines()[0]
    assert [str(k) for k in range(12)] == check_indexed(data, CSV, schema, before)


@pytest.mark.parametrize("options", [{"header": False}, {"delimiter": ":", "quote": ""}])
def test_csv_without_a_place_for_the_index(options: dict[str, Any]) -> None:
    """It says so and what to do instead."""
    data = b"x:b\n" if "delimiter" in options else b"x,b\n"
    fields = [{"name": "id", "source": "1", "type": "INTEGER", "required": False}]
    schema = define({"fields": fields, "csv": options})

    with pytest.raises(CannotIndex, match="Leave withIndex out"):
        rejected_file(data, CSV, schema, [], with_index=True)


def test_csv_that_has_an_index_keeps_it() -> None:
    """What a partner has fixed by half and sent with its indexes."""
    data = b"sluice:index,id,name\n5,x,a\n7,1,b\n"
    schema = definition()

    assert b"sluice:index,id,name\n5,x,a\n" == rejected_file(
        data, CSV, schema, outcome(data, CSV, schema).cuts, with_index=True
    )


# NDJSON and JSON

records = st.recursive(
    st.one_of(st.integers(-3, 3), words, st.booleans(), st.none(), st.floats(0, 9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "name", "sluice", "a.b", ""]), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def written(draw: st.DrawFn, ascii_only: bool) -> str:
    """A JSON value, spelled somehow."""
    value = draw(
        st.one_of(records, st.fixed_dictionaries({"id": st.sampled_from([1, "x", 2]), "name": words}))
    )
    space = draw(st.sampled_from(["", " ", "\t"]))
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(f",{space}", f"{space}:"))
    return draw(st.sampled_from([text, text.replace("{", "{ "), text]))


@many
@given(st.data(), encodings, chunk_sizes)
def test_ndjson(data: st.DataObject, encoding: str, size: ChunkSize) -> None:
    """Bad lines, too."""
    lines = data.draw(
        st.lists(
            st.one_of(
                written(ascii_only=False),
                st.sampled_from(["{", '{"id": 1', "{}", "[1]", '{"id":1,"id":2}', "{ }x"]),
            ),
            min_size=1,
            max_size=10,
        )
    )
    ends = data.draw(
        st.lists(st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]), min_size=len(lines), max_size=len(lines))
    )
    text = "".join(map(str.__add__, lines, ends))
    text = text.removesuffix("\n") if data.draw(st.booleans()) else text
    schema, file = definition(encoding), encoded(text, encoding)

    before = check(file, NDJSON, schema, size)

    if before.cuts:
        cut = rejected_file(file, NDJSON, schema, before.cuts)
        kept = cut.decode("utf-16" if "16" in encoding else encoding).split("\n")[:-1]
        assert [lines[k] for k in before.rejected] == [line.removesuffix("\r") for line in kept]
        indexed = rejected_file(file, NDJSON, schema, before.cuts, with_index=True)
        told = indexed.decode("utf-16" if "16" in encoding else encoding).split("\n")[:-1]
        _check_json_indexes(before, kept, told)


def _check_json_indexes(before: Outcome, kept: list[str], told: list[str]) -> None:
    for index, plain, line in zip(before.rejected, kept, told, strict=True):
        try:
            value = json.loads(plain)
        except ValueError:
            continue
        if isinstance(value, dict):
            assert next(iter(json.loads(line).items())) == ("sluice:index", index)
            assert {k: v for k, v in json.loads(line).items() if k != "sluice:index"} == value
        else:
            assert plain == line


@many
@given(
    st.data(),
    encodings,
    chunk_sizes,
    st.sampled_from([None, "data", 'data.or"ders']),
    st.sampled_from([1, 3, 64 * 1024]),
)
def test_json(data: st.DataObject, encoding: str, size: ChunkSize, path: str | None, block: int) -> None:
    """At any path, whatever stands between the elements, and before damage."""
    elements = data.draw(st.lists(written(ascii_only=False), min_size=1, max_size=10))
    comma = st.sampled_from([",", ", ", " ,\n\n", "\t,\r\n"])
    array = elements[0] + "".join(data.draw(comma) + element for element in elements[1:])
    steps = path.split(".") if path else []
    behind = data.draw(st.sampled_from(["]", " \n]", "\n", ",,", " x]"]))
    text = "".join(f'{{"before": [0], {json.dumps(step)}: ' for step in steps) + f"[ {array}{behind}"
    if "]" in behind:
        text += ', "after": 1}' * len(steps)
    schema, file = definition(encoding, record_path=path), encoded(text, encoding)

    before = check(file, JSON, schema, size, block_bytes=block)

    if before.cuts:
        cut = rejected_file(file, JSON, schema, before.cuts).decode(
            "utf-16" if "16" in encoding else encoding
        )
        kept = cut.split("\n")[1:-2]
        assert [elements[k] for k in before.rejected] == [
            element.removesuffix(",") if k < len(kept) - 1 else element for k, element in enumerate(kept)
        ]
        indexed = rejected_file(file, JSON, schema, before.cuts, with_index=True)
        told = indexed.decode("utf-16" if "16" in encoding else encoding).split("\n")[1:-2]
        _check_json_indexes(before, [k.removesuffix(",") for k in kept], [t.removesuffix(",") for t in told])


def test_json_bytes() -> None:
    """The elements as they were, in an array at the same path."""
    data = b'{"a": {"b": 1}, "data":{"orders":[{"id":1},\n {"id":"x"} , {"id": 1.0e2,\n "name":"b"}]}}'
    schema = definition(record_path="data.orders")
    cuts = outcome(data, JSON, schema).cuts

    assert b'{"data":{"orders":[\n{"id":"x"},\n{"id": 1.0e2,\n "name":"b"}\n]}}\n' == rejected_file(
        data, JSON, schema, cuts
    )


# XML


@st.composite
def elements(draw: st.DrawFn, prefixes: list[str]) -> str:
    """A record."""
    prefix = draw(st.sampled_from(["", *[f"{p}:" for p in prefixes]]))
    inner = draw(
        st.sampled_from(
            ["<id>1</id>", "<id>x</id>", "<id>y</id><name><b/>t</name>", "", "<name>&lt;o&gt;</name>"]
        )
    )
    name = draw(
        st.sampled_from(
            ["<name><![CDATA[</o>]]></name>", "<name>it's: so</name>", "<!-- </o> -->", "<?pi </o>?>"]
        )
    )
    own = draw(st.sampled_from(["", ' a="1"', " xmlns:own='O' own:a='>'"]))
    if prefix:
        inner += f"<{prefix}more {prefix}a='1'/>"
    return draw(
        st.sampled_from(
            [
                f"<{prefix}o{own}>{inner}{name}</{prefix}o>",
                f"<{prefix}o{own}\n>{name}{inner}</{prefix}o >",
                f"<{prefix}o{own}/>",
            ]
        )
    )


@st.composite
def documents(draw: st.DrawFn, named: bool) -> tuple[str, list[str]]:
    """A document, and its records."""
    found: list[str] = []
    prolog = draw(st.sampled_from(["", "<?xml version='1.0'?>\n", "<!-- <r> --><?pi <r>?>\n"]))
    misc = st.sampled_from(
        ["", "\n", "<!-- <o> -->", " <?pi <o>?>\n"]
        + (["text", "<m a='>'/>", "<![CDATA[<o>]]>"] if named else [])
    )
    body = ""
    for number in range(draw(st.integers(1, 3)) if named else 1):
        inside = ""
        for _ in range(draw(st.integers(1, 4))):
            record = draw(elements(["p", f"q{number}"] if named else ["p"]))
            found.append(record)
            inside += draw(misc) + record
        inside += draw(misc)
        body += f'<g{number} xmlns:q{number}="Q"><deep>{inside}</deep></g{number}>' if named else inside
    end = draw(st.sampled_from(["</r>", "</r>\n<!-- end -->", "", "<o><id>x</id>", "&</r>"]))
    return f'{prolog}<r xmlns:p="P"\n>{body}{end}', found


@many
@given(st.data(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]), chunk_sizes)
def test_xml(data: st.DataObject, encoding: str, size: ChunkSize) -> None:
    """At any depth, with whatever prefixes, between whatever else; the quick way and the careful one."""
    named = data.draw(st.booleans())
    text, found = data.draw(documents(named))
    schema, file = definition(encoding, record_path="o" if named else None), encoded(text, encoding)
    options = {
        "quick": data.draw(st.booleans()),
        "block_bytes": data.draw(st.sampled_from([1, 7, 32 * 1024])),
    }

    before = check(file, XML, schema, size, **options)

    if before.cuts:
        cut = rejected_file(file, XML, schema, before.cuts).decode("utf-16" if "16" in encoding else encoding)
        assert all(found[k] in cut for k in before.rejected if k < len(found))
        assert [str(k) for k in before.rejected] == check_indexed(file, XML, schema, before)


def test_xml_bytes() -> None:
    """The elements around the first record, the records as they were, and end tags."""
    data = b'<?xml version="1.0"?>\n<r xmlns:p="P">\n <m/><g><p:o  a="1"><id>x</id></p:o>\n\n<o><id>1</id></o></g><o/></r>\n'
    schema = definition(record_path="o")
    cuts = outcome(data, XML, schema).cuts

    assert (
        b'<?xml version="1.0"?>\n<r xmlns:p="P">\n <m/><g>\n<p:o  a="1"><id>x</id></p:o>\n<o/>\n</g></r>\n'
        == rejected_file(data, XML, schema, cuts)
    )


def test_xml_root_that_is_the_record() -> None:
    """There is nothing around it."""
    data = b"<!-- <o> --><o>\n<id>x</id></o>\n<!-- -->"
    schema = definition(record_path="o")

    assert b"<!-- <o> --><o>\n<id>x</id></o>\n\n" == rejected_file(
        data, XML, schema, outcome(data, XML, schema).cuts
    )


def test_xml_prefix_that_nobody_declares_any_more() -> None:
    """Its last declaration before the record is put around it."""
    data = (
        b"<r><g><o/></g>"
        + b'<g xmlns:q="Q1">'
        + b" " * 200_000
        + b"<q:o/></g><g xmlns:q='Q2'><q:o/><q:o/></g></r>"
    )
    schema = definition(record_path="o")

    cut = rejected_file(data, XML, schema, outcome(data, XML, schema).cuts)

    names = [element.tag for element in etree.fromstring(cut).iter("{*}o")]
    assert ["o", "{Q1}o", "{Q2}o", "{Q2}o"] == names


def test_xml_big_head() -> None:
    """Of a head that is a lot the root's start tag is left."""
    data = b"<r><m>" + b"<x/>" * 50_000 + b"</m><g><o/><o/></g></r>"
    schema = definition(record_path="o")

    assert b"<r>\n<o/>\n<o/>\n</r>\n" == rejected_file(data, XML, schema, outcome(data, XML, schema).cuts)
