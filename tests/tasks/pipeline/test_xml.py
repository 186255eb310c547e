import socket
from pathlib import Path
from typing import Any

import pytest

from tasks.pipeline.definition import define
from tasks.pipeline.errors import FailureCode
from tasks.pipeline.formats.xml import read
from tests.tasks.pipeline.documents import failure, read_every_way
from tests.tasks.pipeline.reading import read_once, schema

A = schema("a?")
NAMED = schema("a?", record_path="o")
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
MANY = 100_000


def plain(text: str, *sources: str, **options: Any) -> list[Any]:
    """The rows of a document that reads to its end."""
    reading = read_every_way(read, text.encode(), schema(*(sources or ("a?", "b?")), **options), begin="<")
    assert reading.error is None
    return reading.plain


@pytest.mark.parametrize("path", [None, "o"])
@pytest.mark.parametrize(
    "text",
    [
        "<r><o><a>1</a><b>x</b></o><o><a>2</a></o></r>",
        '<?xml version="1.0"?>\n<r>\n  <o>\n    <a>1</a>\n    <b>x</b>\n  </o>\n  <o><a>2</a></o>\n</r>\n',
        "\ufeff<r><o><b>x</b><a>1</a></o><o><a>2</a></o></r>",
        '<n:r xmlns:n="u:n" xmlns="u:d"><o><n:a>1</n:a><b>x</b></o><n:o><a xmlns="">2</a></n:o></n:r>',
        "<r><!-- <o> --><o><a><!--<a>-->1</a><b><!--</o>--><![CDATA[x]]><?p </o>?></b><c><![CDATA[</o>]]></c></o><?o <o> ?><o><a>2</a></o><!--</r>--></r>",
        "<r >\r\n<o\n><a>1</a ><b>x</b></o\n><o><a>2</a></o></r >\r\n<!-- end --><?pi?>",
        '<r x="<o>"><o y="/>" z=\'"><o>\'><a>1</a><b>x</b></o><o k="a>b"><a>2</a></o></r>'.replace(
            "<o>", "&lt;o>"
        ),
    ],
    ids=["compact", "indented", "byte order mark", "namespaces", "hidden tags", "odd white space", "quotes"],
)
def test_xml_reads_the_records(text: str, path: str | None) -> None:
    """However it is written, the root's children, or the elements of that name, are the records."""
    assert [["1", "x"], ["2", None]] == plain(text, record_path=path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("<r><x><o><a>1</a></o></x><y/><o><a>2</a></o></r>", "o", ["1", "2"]),
        ("<r><s><t><o><a>1</a></o></t><o><a>2</a></o></s></r>", "o", ["1", "2"]),
        ("<o><a>1</a></o>", "o", ["1"]),
        ("<r><o/><o ><a>2</a></o><o/></r>", "o", [None, "2", None]),
        ('<r><o id="1"/><o id="/"/></r>', None, [None, None]),
        ("<r><order><a>1</a></order><orders><a>2</a></orders><o><a>3</a></o></r>", "order", ["1"]),
        ("<r><x><a>1</a></x><y><a>2</a></y><x><x><a>0</a></x><a>3</a></x></r>", None, ["1", "2", "3"]),
        ("<r><r><a>1</a><r/></r><r><a>2</a></r></r>", None, ["1", "2"]),
        ("<r><x/><xx><x/></xx><x><xx/><a>1</a></x></r>", None, [None, None, "1"]),
        ("<é><ö><a>1</a></ö></é>", "ö", ["1"]),
    ],
)
def test_xml_finds_records_at_any_depth(text: str, path: str | None, expected: list[str | None]) -> None:
    """A name leads to its elements wherever they are; without one, children of the root may have any name."""
    assert [[value] for value in expected] == plain(text, "a?", record_path=path)


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("<r><o><o>1</o></o><o><o>2</o></o></r>", "o", ["1", "2"]),
        ("<r><o><o>1</o></o>\n<o/>\n<o><a/></o><o><o/></o></r>", "o", ["1", None, None, ""]),
        ("<r><o><p:o xmlns:p='u:p'>1</p:o></o><x><p:o xmlns:p='u:p'><o>2</o></p:o></x></r>", "o", ["1", "2"]),
        ("<r><o><leg><o>1</o></leg></o><o><leg><o>2</o><o>3</o></leg></o></r>", "leg/o", ["1", '["2","3"]']),
        ("<r><o><o n='1'/></o><!-- <o> --><o><![CDATA[<o>]]><o n='2'></o></o></r>", "o/@n", ["1", "2"]),
        ("<r><o><o><o>1</o></o></o><o><o>2</o><ox/></o></r>", "o", ['{"o":"1"}', "2"]),
        ("<o><o>1</o></o>", "o", ["1"]),
    ],
)
def test_xml_record_may_hold_an_element_of_its_own_name(
    text: str, source: str, expected: list[str | None]
) -> None:
    """Where a source leads to such an element, the outermost one is the record and the others are parts of it."""
    assert [[value] for value in expected] == plain(text, source + "?", record_path="o")


def test_xml_damage_in_a_record_with_an_element_of_its_own_name_has_its_place() -> None:
    """What came whole is given, and the file's damage is told as anywhere else."""
    text = "<r>\n<o><o>1</o></o>\n<o><o>2</o></o>\n<o><o>3</a></o></r>"

    reading = read_every_way(read, text.encode(), schema("o?", record_path="o"), begin="<")

    assert [["1"], ["2"]] == reading.plain
    assert (FailureCode.MALFORMED, 2, 4) == failure(reading)


@pytest.mark.parametrize("path", [None, "o"])
@pytest.mark.parametrize("text", ["<r/>", "<r></r>", "<?xml version='1.0'?><r x='1'>\n <!-- o --> </r>\n"])
def test_xml_with_an_empty_root_has_no_records(text: str, path: str | None) -> None:
    """It is read to its end without a record."""
    assert [] == plain(text, record_path=path)


@pytest.mark.parametrize(
    ("inner", "source", "expected"),
    [
        ("<a>x</a>", "a", "x"),
        ("<a> x\n</a>", "a", " x\n"),
        ("<a/>", "a", ""),
        ("<a></a>", "a", ""),
        ("<b/>", "a", None),
        ('<a xsi:nil="true"/>', "a", None),
        ('<a xsi:nil="1"></a>', "a", None),
        ('<a xsi:nil="false"/>', "a", ""),
        ('<a k="v">x</a>', "a", "x"),
        ("<a>x<!-- c -->y<?p i?>z<![CDATA[<&>]]>&lt;&#65;&#x1F600;</a>", "a", "xyz<&><A\U0001f600"),
        ("<a><b>x</b></a>", "a", '{"b":"x"}'),
        ('<a k="v" xsi:nil="0">s<b>x</b>t<b y="1"/><c/><d xsi:nil="true"/></a>', "a", None),
        ("<a>x</a><a/>", "a", '["x",""]'),
        ('<a>x</a><a xsi:nil="true"/>', "a", '["x",null]'),
        ("<c><d>x</d></c>", "c/d", "x"),
        ("<c/>", "c/d", None),
        ("<c><d>x</d></c><c><d>y</d></c>", "c/d", '["x","y"]'),
        ("<c/><c><d>y</d></c>", "c/d", "y"),
        ("<c><d><e>x</e></d></c>", "c/d", '{"e":"x"}'),
        ("<c><d><e>x</e></d></c>", "c/d/e", "x"),
        ('<c k="v"/>', "c/@k", "v"),
        ("<c/>", "c/@k", None),
        ('<c k="v"/><c k="w"/>', "c/@k", '["v","w"]'),
        ("<a/>", "@id", "7"),
        ("<a/>", "@other", "p"),
        ("<a/>", "@none", None),
        ("<id>x</id>", "id", "x"),
    ],
)
def test_xml_takes_a_value_from_its_source(inner: str, source: str, expected: str | None) -> None:
    """Children, paths and attributes lead to text; what is no plain value is compact JSON."""
    text = f'<r {XSI} xmlns:p="u:p"><o id="7" p:other="p" p:id="8">{inner}</o></r>'
    if 'k="v" xsi:nil="0"' in inner:
        expected = '{"@k":"v","b":["x",{"@y":"1"}],"c":"","d":null,"#text":"st"}'
    assert [[expected]] == plain(text, source + "?")


def test_xml_fills_every_field_that_has_the_same_source() -> None:
    """A source may be used more than once, and together with a path through it."""
    text = "<r><o><a>1</a><c><d>2</d></c></o></r>"
    sources = [("x", "a"), ("y", "a"), ("z", "c"), ("w", "c/d")]
    fields = [{"name": name, "source": source, "type": "STRING"} for name, source in sources]
    reading = read_once(read, text.encode(), define({"fields": fields}))

    assert [["1", "1", '{"d":"2"}', "2"]] == reading.plain


def test_xml_reports_unknown_elements_and_attributes() -> None:
    """Under REJECT each one that no source uses is a problem with its value; namespaces and xsi are none."""
    text = (
        f'<r {XSI}><o id="1" k="v" xmlns:p="u:p" xsi:type="T" p:l="w"><a>1</a><c><d/></c>'
        "<e>x</e><f><g>1</g></f><f/></o><o><a/></o></r>"
    )
    reading = read_once(read, text.encode(), schema("a", "c/d?", "@id?", unknown_fields="REJECT"))

    problems = [(problem.field, str(problem.code), problem.raw) for problem in reading.records[0].faults]
    assert [
        (None, "UNKNOWN_FIELD", "v"),
        (None, "UNKNOWN_FIELD", "w"),
        (None, "UNKNOWN_FIELD", "x"),
        (None, "UNKNOWN_FIELD", '[{"g":"1"},""]'),
    ] == problems
    assert ("1", "", "1") == reading.records[0].row
    assert () == reading.records[1].faults


def test_xml_reports_unknown_elements_at_any_depth() -> None:
    """Beside what a source leads to, too, by their paths; what is inside a value is NOT_A_SCALAR and no unknown field."""
    text = '<r><o><c n="5"><e k="z">q<i/></e><y>1</y></c></o><o><c><e>q</e></c></o></r>'
    reading = read_once(read, text.encode(), schema("c/e", unknown_fields="REJECT"))

    found = [
        (problem.message.split(" for the ")[1].split(".")[0], problem.raw)
        for problem in reading.records[0].faults
    ]
    assert [("attribute 'c/@n'", "5"), ("attribute 'c/e/@k'", "z"), ("element 'c/y'", "1")] == found
    assert () == reading.records[1].faults


def test_xml_reports_ten_unknown_elements_at_most() -> None:
    """However many there are, a record has few problems; the last of them says how many more there would be."""
    text = "<r><o>" + "".join(f"<k{n}/>" for n in range(100)) + "</o></r>"

    (record,) = read_once(read, text.encode(), schema("a?", unknown_fields="REJECT")).records

    assert 10 == len(record.faults)
    assert record.faults[9].message.endswith("… and 90 more like this.")


@pytest.mark.parametrize("path", [None, "o"])
@pytest.mark.parametrize(
    ("text", "code", "index", "line"),
    [
        ("", "FILE_EMPTY", None, None),
        ("\ufeff \r\n\t", "FILE_EMPTY", None, None),
        ("hello", "MALFORMED", None, 1),
        ('\n{"a": 1}', "MALFORMED", None, 2),
        ("<>", "MALFORMED", None, 1),
        ("<n:/>", "MALFORMED", 0, 1),
        ("</r>", "MALFORMED", None, 1),
        ("<!doctype html><html></html>", "MALFORMED", None, 1),
        ("<html><body><br>x</body></html>", "MALFORMED", 0, 1),
        ('\n<?xml version="1.0"?><r/>', "MALFORMED", 0, 2),
        ('<?xml version="3"?><r/>', "MALFORMED", 0, 1),
        ("<r>\n<o><a>0</a></o>\n<o><a></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>\0</a></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><![CDATA[</\0>]]></o>\n<o/></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>\x01</a></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>&#1;</a></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>&#xD800;</a></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>&x;</a></o>\n<o/></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>a & b</a></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>a&b</a></o>\n<o/></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a>&</a></o>\n<o><a>;</a></o></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>&\n<o/></r>", "MALFORMED", 1, 2),
        ("<r>\n<o><a>0</a></o>\n<o k='&'/><o/></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a k='<'/></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a k='1' k='2'/></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a k=1/></o>\n</r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><p:a/></o>\n<o/></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<o><a><b p:k=''/></a></o>\n<o/></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<p:o/>\n<o/></r>", "MALFORMED", 1, 3),
        ("<r><o><a>0</a></o><p:o/><o/></r>", "MALFORMED", 1, 1),
        ("<r>\n<o><a>0</a></o>\n]]></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<!-- -- --></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n<!ENTITY x 'y'></r>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n</r>x", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>\n</r>\n<r/>", "MALFORMED", 1, 4),
        ("<r>\n<o><a>0</a></o>\n</o>", "MALFORMED", 1, 3),
        ("<r>\n<o><a>0</a></o>", "TRUNCATED", 1, 2),
        ("<!-- x -->\n", "TRUNCATED", None, 2),
        ("<r>" + "<x>" * MANY, "TOO_DEEP", 0, 1),
        ("<r>\n<o><a>0</a></o>\n<o>" + "<x>" * 300, "TOO_DEEP", 1, 3),
        ("<!DOCTYPE r><r/>", "DTD_FORBIDDEN", None, 1),
        (
            "<?xml version='1.0'?>\n<!-- <r> -->\n<!DOCTYPE r [<!ENTITY x 'y'>]><r>&x;</r>",
            "DTD_FORBIDDEN",
            None,
            3,
        ),
        ("<!DOCTYPE html>\n<html></html>", "DTD_FORBIDDEN", None, 1),
        ("<!DOCTYPE", "DTD_FORBIDDEN", None, 1),
        ("<r>\n<o><a>0</a></o>\n<!DOCTYPE r></r>", "MALFORMED", 1, 3),
        ("<r>hello</r>", "WRONG_STRUCTURE", 0, 1),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_xml_tells_the_place_of_damage(
    text: str, code: str, index: int | None, line: int | None, path: str | None
) -> None:
    """Damage ends the reading with a code, the record and the line, after every whole record before it."""
    definition = schema("a?", record_path=path)
    long = len(text) > 1_000
    reading = (
        read_once(read, text.encode(), definition)
        if long
        else read_every_way(read, text.encode(), definition, begin="<")
    )

    assert (code, index, line) == failure(reading)
    assert [["0"]] * text.count("<a>0</a>") == reading.plain


@pytest.mark.parametrize("path", [None, "o"])
def test_xml_that_is_cut_off_is_truncated_wherever_it_ends(path: str | None) -> None:
    """Every beginning of a document is TRUNCATED, and every record that is whole is read."""
    text = (
        '<?xml version="1.0"?><!-- c -->\n<r k="v"><o><a>é&amp;</a></o> <o k=">"/><o>\n<a><![CDATA[x]]></a><?p i?>'
        "<b/></o><!-- d --></r ><!-- e --><?p?>"
    )
    data = text.encode()
    end = data.index(b"</r >") + len(b"</r >")
    ends = [data.index(b"</o>") + 4, data.index(b'">"/>') + 5, data.rindex(b"</o>") + 4]
    for length in range(1, len(data)):
        reading = read_once(read, data[:length], schema("a?", record_path=path))
        whole = sum(end <= length for end in ends)
        assert whole == len(reading.records), data[:length]
        finished = length == end or data[end:length] == b"<!-- e -->"
        code = None if finished else FailureCode.TRUNCATED
        assert code == (reading.error and reading.error.code), data[:length]


def test_xml_reads_no_file_and_opens_no_connection(tmp_path: Path) -> None:
    """An external entity is refused before it can take effect."""
    secret = tmp_path / "secret"
    secret.write_text("canary")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        for url in (secret.as_uri(), f"http://127.0.0.1:{server.getsockname()[1]}/x"):
            for inside in (
                f'[<!ENTITY x SYSTEM "{url}">]',
                f'SYSTEM "{url}"',
                f'[<!ENTITY % x SYSTEM "{url}"> %x;]',
            ):
                text = f"<!DOCTYPE r {inside}><r><o><a>&x;</a></o></r>"
                for codec in ("utf-8", "utf-16"):
                    reading = read_once(read, text.encode(codec), A)
                    assert (FailureCode.DTD_FORBIDDEN, None, 1) == failure(reading)
                    assert [] == reading.records
                    assert "canary" not in reading.failure
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("x", "<r><o/><p:o xmlns:p='u:p'/><q/></r>", "In <r> there are: o, q."),
        ("x:o", "<r><o/></r>", "'x:o'"),
        ("*", "<r><o/></r>", "'*'"),
        ("o", "<r><o><a>0</a><o/></o></r>", "another record inside"),
        ("o", "<r xmlns:p='u:p'><o><a>0</a></o><o><x><p:o></p:o></x></o><o/></r>", "another record inside"),
    ],
)
def test_xml_says_what_stands_where_records_are_wanted(path: str, text: str, found: str) -> None:
    """No element of the name in a document that has others, or one inside another, is WRONG_STRUCTURE."""
    reading = read_every_way(read, text.encode(), schema("a?", record_path=path), begin="<")

    assert failure(reading)[0] == FailureCode.WRONG_STRUCTURE
    assert found in reading.failure
    assert [["0"]] * text.count("</a></o>") == reading.plain


@pytest.mark.parametrize("path", [None, "o"])
@pytest.mark.parametrize(
    ("codec", "declared", "encoding", "value"),
    [
        ("utf-8", None, None, "é€\U0001f600"),
        ("utf-8-sig", None, None, "é€\U0001f600"),
        ("utf-8", "UTF-8", None, "é€\U0001f600"),
        ("utf-8", "utf-16", None, "é€\U0001f600"),
        ("utf-8", "iso-8859-1", "utf-8", "é€\U0001f600"),
        ("utf-16", None, None, "é€\U0001f600"),
        ("utf-16", "UTF-16", None, "é€\U0001f600"),
        ("utf-16", "utf-8", "utf-16", "é€\U0001f600"),
        ("utf-16-be", "utf-16", "utf-16", "é€\U0001f600"),
        ("iso-8859-1", "ISO-8859-1", None, "é\xa0"),
        ("iso-8859-1", "utf-8", "iso-8859-1", "é\xa0"),
        ("windows-1252", "Windows-1252", None, "é€"),
        ("windows-1252", None, "windows-1252", "é€"),
        ("us-ascii", "US-ASCII", None, "e"),
    ],
)
def test_xml_is_read_in_its_encoding(
    codec: str, declared: str | None, encoding: str | None, value: str, path: str | None
) -> None:
    """The schema's encoding overrules the byte order mark, that the declaration; offsets and lines are right."""
    declaration = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else "\n"
    text = f"{declaration}<r>\n<o><a>{value}</a></o><o><a>{value}x</a></o>\n<o/>{value}</r>"
    data = text.encode(codec)
    reading = read_every_way(read, data, schema("a?", record_path=path, encoding=encoding), codec, "<o")

    assert reading.error is None
    assert [[value], [value + "x"], [None]] == reading.plain
    assert [3, 3, 4] == [record.line for record in reading.records]
    rest = data[reading.records[1].offset :].decode(codec.removesuffix("-sig"))
    assert rest.startswith(f"<o><a>{value}x</a></o>")


@pytest.mark.parametrize(
    ("data", "encoding", "index", "line", "message"),
    [
        (b"<r>\n<o><a>0</a></o>\n<o><a>\xff</a></o></r>", None, 1, 3, "Byte 26 "),
        (b"<r>\n<o><a>0</a></o>\xc3</r>", None, 1, 2, "Byte 19 "),
        (b"<r>\n<o><a>0</a></o></r>\n\xff", None, 1, 3, "Byte 24 "),
        (b"<r><\xff/></r>", None, 0, 1, "Byte 4 "),
        (b"<?xml version='1.0' encoding='us-ascii'?><r>\xc3\xa9</r>", None, 0, 1, "Byte 44 "),
        (b"<?xml version='1.0' encoding='UTF-7'?><r/>", None, None, 1, "'UTF-7'"),
        (b"<?xml version='1.0' encoding='shift_jis'?><r/>", None, None, 1, "'shift_jis'"),
        (b"<r><o>\x81</o></r>", "windows-1252", 0, 1, "Byte 6 "),
        ("<r/>".encode("utf-32"), None, None, None, "UTF-32"),
        ("<r></r>".encode("utf-16-le"), None, None, None, "UTF-16"),
    ],
)
def test_xml_with_a_byte_that_does_not_decode_is_refused(
    data: bytes, encoding: str | None, index: int | None, line: int | None, message: str
) -> None:
    """A byte that is wrong anywhere, or an encoding that we do not read, is ENCODING."""
    reading = read_every_way(read, data, schema("a?", encoding=encoding), "latin-1", "<o")

    assert (FailureCode.ENCODING, index, line) == failure(reading)
    assert message in reading.failure
    assert [["0"]] * data.count(b"<a>0</a>") == reading.plain
