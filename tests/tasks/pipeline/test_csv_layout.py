"""The head of a CSV file: its encoding, options, header and delimiter, and what cannot be read at all."""

import pytest

from tasks.pipeline.formats.csv import read, read_tsv
from tasks.pipeline.record import MAX_RECORD_BYTES
from tests.tasks.pipeline.reading import read_every_way, read_once, schema

AB = schema("a", "b")

TWO = [["1", "2"], ["3", "4"]]


def test_csv_blank_lines_before_the_header_are_skipped_in_one_go() -> None:
    """A million of them take no longer than others."""
    reading = read_once(read, b"\n" * 1_000_000 + b"a,b\n1,2\n", AB)

    assert [(1_000_002, 1_000_004)] == [(record.line, record.offset) for record in reading.records]


@pytest.mark.parametrize(
    ("encoding", "data", "values"),
    [
        pytest.param("iso-8859-1", "ø,\x80".encode("iso-8859-1"), ["ø", "\x80"], id="iso-8859-1"),
        pytest.param("windows-1252", "€,ø".encode("windows-1252"), ["€", "ø"], id="windows-1252"),
        pytest.param("windows-1252", b"\x81,x", ["\udc81", "x"], id="windows-1252-undefined-byte"),
        pytest.param("utf-8", "é,€".encode(), ["é", "€"], id="utf-8"),
    ],
)
def test_csv_declared_encoding_counts(encoding: str, data: bytes, values: list[str]) -> None:
    """The schema's encoding decides."""
    assert [values] == read_once(read, b"a,b\n" + data, schema("a", "b", encoding=encoding)).plain


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_csv_declared_utf16_needs_no_bom(order: str) -> None:
    """The byte order is seen from the first byte."""
    data = "a,b\n1,2\n3,4\n".encode(order)

    assert TWO == read_once(read, data, schema("a", "b", encoding="utf-16")).plain


@pytest.mark.parametrize(
    ("options", "data", "rows"),
    [
        pytest.param({"delimiter": ";"}, b"a;b\n1,0;2\n", [["1,0", "2"]], id="delimiter"),
        pytest.param({"delimiter": ";"}, b"sep=,\na;b\n1;2\n", [["1", "2"]], id="delimiter-over-sep"),
        pytest.param({"quote": "'"}, b"a,b\n'1,','it''s'\n", [["1,", "it's"]], id="quote"),
        pytest.param({"quote": ""}, b'a,b\n"1,2"\n', [['"1', '2"']], id="no-quote"),
        pytest.param({"quote": "\u00a7"}, "a,b\n\u00a71,\u00a7,2\n".encode(), [["1,", "2"]], id="odd-quote"),
        pytest.param({"escape": "\\"}, b'a,b\n"1\\"",x\\,y\n', [['1"', "x,y"]], id="escape"),
        pytest.param({"escape": "\\"}, b"a,b\n1,x\\\ny\n3,4\n", [["1", "x\ny"], ["3", "4"]], id="escaped-lf"),
        pytest.param({"skip_lines": 2}, b'"Title\nmore\na,b\n1,2\n', [["1", "2"]], id="skip-lines"),
        pytest.param({"skip_lines": 1}, b"sep=;\na;b\n1;2\n", [["1", "2"]], id="skip-lines-and-sep"),
        pytest.param({"comment": "#"}, b"#x\na,b\n#,\n1,#2\n# \"y\n3,4\n", [["1", "#2"], ["3", "4"]], id="comment"),
        pytest.param(
            {"comment": "#"}, b'a,b\n#,"\n1,"2\n#3"\n#",\n"#4",5\n', [["1", "2\n#3"], ["#4", "5"]], id="comment-in-quotes"
        ),
        pytest.param({"comment": "#"}, b'a,b\n"x"y\n#"\n3,4\n', [["MALFORMED_RECORD"], ["3", "4"]], id="comment-after-spoiled"),
    ],
)  # fmt: skip
def test_csv_options_are_followed(options: dict[str, object], data: bytes, rows: list[list[str]]) -> None:
    """The schema's csv options decide."""
    assert rows == read_every_way(read, data, schema("a", "b", csv=options)).plain


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param(b"1,2,3\n4,5,6\n", [["3", "1"], ["6", "4"]], id="plain"),
        pytest.param(b"\n1;2;3\n", [["3", "1"]], id="delimiter-found"),
        pytest.param(b"1,2,3\n4,5\n", [["3", "1"], ["COLUMN_COUNT"]], id="ragged"),
        pytest.param(b'"1"x,2,3\n4,5,6\n', [["MALFORMED_RECORD"], ["6", "4"]], id="first-spoiled"),
        pytest.param(b" \xff,2,3\n", [["3", " \udcff"]], id="invalid-first"),
    ],
)
def test_csv_without_header_counts_columns(data: bytes, rows: list[list[str]]) -> None:
    """Without a header the sources are column numbers from 1."""
    assert rows == read_every_way(read, data, schema("3", "1", csv={"header": False})).plain


def test_tsv_is_csv_with_a_tab() -> None:
    """A TSV file is split at tabs, quotes included, whatever else is frequent in the header."""
    data = b'a\tb,c,d\n"1\t"\tx,y\n'

    assert [["1\t", "x,y"]] == read_every_way(read_tsv, data, schema("a", "b,c,d")).plain


def test_tsv_follows_the_schema() -> None:
    """The schema's delimiter wins over the tab."""
    assert TWO == read_once(read_tsv, b"a;b\n1;2\n3;4\n", schema("a", "b", csv={"delimiter": ";"})).plain


@pytest.mark.parametrize(
    ("data", "sources", "row"),
    [
        pytest.param(b'"a;b;c",d\n1,2\n', ["a;b;c", "d"], ["1", "2"], id="outside-quotes"),
        pytest.param(b'"x\n,,,";d\n1;2\n', ["x\n,,,", "d"], ["1", "2"], id="newline-in-quotes"),
        pytest.param(b"a,b;c;d\n1;2;3\n", ["a,b", "d"], ["1", "3"], id="most-frequent"),
        pytest.param(b"only\n1\n", ["only"], ["1"], id="none"),
        pytest.param(b'5";b\n1;2\n', ['5"', "b"], ["1", "2"], id="stray-quote"),
    ],
)
def test_csv_finds_the_delimiter_in_the_header(data: bytes, sources: list[str], row: list[str]) -> None:
    """It is the candidate that is most frequent outside quotes."""
    assert [row] == read_once(read, data, schema(*sources)).plain


def test_csv_optional_column_may_be_absent() -> None:
    """A column that the header lacks gives None where its field is optional or has a default."""
    definition = schema("a", "x?", "b")

    assert [["1", None, "2"], ["3", None, "4"]] == read_every_way(read, b"a,b\n1,2\n3,4\n", definition).plain


def test_csv_prefers_the_exact_header_name() -> None:
    """A source that is spelled with white space finds its column; without, the stripped name."""
    data = b"a , b\n1,2\n"

    assert [["1", "2"]] == read_once(read, data, schema("a ", "b")).plain


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        pytest.param(b"", "FILE_EMPTY", id="no-bytes"),
        pytest.param(b"\xef\xbb\xbf", "FILE_EMPTY", id="bom"),
        pytest.param(b"\xff\xfe", "FILE_EMPTY", id="utf-16-bom"),
        pytest.param(b" \r\n\t\n\n", "FILE_EMPTY", id="white-space"),
        pytest.param(b"sep=;\n", "FILE_EMPTY", id="sep-line-only"),
        pytest.param(b"a,b,a\n1,2,3\n", "DUPLICATE_HEADER: The header on line 1 has 'a' more", id="duplicate"),
        pytest.param(b"\nx, x,a,b\n", "DUPLICATE_HEADER: The header on line 2 has 'x' more", id="duplicate-unmapped"),
        pytest.param(b"a,c\n1,2\n", "HEADER_MISSING: The header on line 1 lacks 'b'. It has 'a', 'c'.", id="missing"),
        pytest.param(b"<?xml version='1.0'?>\n", "XML", id="xml"),
        pytest.param(b'[{"a": 1}]\n', "JSON", id="json"),
        pytest.param(b"a,b\xe9\n1,2\n", "ENCODING: The header holds bytes that are no valid UTF-8", id="header-not-utf-8"),
        pytest.param("a,b\n1,2\n".encode("utf-32"), "ENCODING", id="utf-32"),
        pytest.param("a,b\n1,2\n".encode("utf-16-le"), "ENCODING: The file looks like UTF-16", id="utf-16-no-bom"),
        pytest.param(b'"a"x,b\n1,2\n', "MALFORMED", id="header-broken"),
        pytest.param(b'"a,b\n1,2\n', "MALFORMED", id="header-unclosed"),
        pytest.param(b"PK\x03\x04\x14", "UNSUPPORTED_FORMAT: The file looks like a ZIP archive or an Excel", id="xlsx"),
        pytest.param(b"\x1f\x8b\x08\x00", "UNSUPPORTED_FORMAT: The file looks like a gzip", id="gzip"),
        pytest.param(b"%PDF-1.7\n", "UNSUPPORTED_FORMAT: The file looks like a PDF", id="pdf"),
        pytest.param(b"\x00\x00\x00\x01a\x00\x00\x00", "UNSUPPORTED_FORMAT: The file looks like binary", id="nuls"),
        pytest.param(b"x" * (MAX_RECORD_BYTES + 1), "RECORD_TOO_LARGE", id="endless-header"),
    ],
)  # fmt: skip
def test_csv_unreadable_file_ends_the_job(data: bytes, failure: str) -> None:
    """What cannot be read at all says why, and gives no record."""
    reading = read_once(read, data, AB)

    assert [] == reading.records
    assert failure in reading.failure


def test_csv_without_header_lacking_a_column_ends_the_job() -> None:
    """A column number beyond the first record's width is a missing header."""
    reading = read_once(read, b"1,2\n", schema("3", csv={"header": False}))

    assert "HEADER_MISSING: The schema wants column '3', but the first record has 2" in reading.failure


@pytest.mark.parametrize("data", [b"a,b", b"a,b\n", b"a,b\n\n\r\n"])
def test_csv_header_only_has_no_records(data: bytes) -> None:
    """A header without records is a whole file."""
    reading = read_once(read, data, AB)

    assert ([], None) == (reading.records, reading.error)


@pytest.mark.parametrize("delimiter", [None, ","])
def test_csv_too_many_columns_end_the_job(delimiter: str | None) -> None:
    """A line of millions of delimiters is no header, and is not taken apart."""
    data = b"a,b" + b"," * 100_000 + b"\n1,2\n"

    reading = read_once(read, data, schema("a", csv={"delimiter": delimiter}))

    assert "WRONG_STRUCTURE: Line 1 has 100,002 columns; a file has 100,000 at most." in reading.failure
    assert reading.error
    assert 1 == reading.error.line


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param(b"a;b;amount, net, EUR\n1;2;x\n", [["1", "2"]], id="sources-decide"),
        pytest.param(b'"a";"b";x, y, z, "p,q"\n1;2;x\n', [["1", "2"]], id="quoted-sources"),
        pytest.param(b"a|b|c;d;e;f\n1|2|3\n", [["1", "2"]], id="bar"),
        pytest.param(b"a,b,c;d\n1,2,3\n", [["1", "2"]], id="comma"),
    ],
)
def test_csv_delimiter_is_the_one_that_finds_the_sources(data: bytes, rows: list[list[str]]) -> None:
    """How often a candidate stands in the header only counts among those that find as many columns."""
    assert rows == read_every_way(read, data, AB).plain


def test_csv_many_columns_are_no_trouble() -> None:
    """100,000 columns are read; the schema takes two of them. Ragged rows of such a file stay cheap."""
    header = ",".join(f"c{n}" for n in range(100_000))
    cells = ",".join(map(str, range(100_000)))
    data = f"{header}\n{cells}\n{'1' + chr(10)}{cells}\n".encode() + b"1\n" * 100_000

    reading = read_once(read, data, schema("c99999", "c7"))

    assert [["99999", "7"], ["COLUMN_COUNT"], ["99999", "7"]] == reading.plain[:3]
    assert 100_003 == len(reading.records)
