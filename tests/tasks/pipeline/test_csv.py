"""CSV and TSV: values, places, and what becomes of broken files."""

import pytest

from tasks.pipeline.formats import csv_records
from tasks.pipeline.formats.csv import read
from tasks.pipeline.record import MAX_RECORD_BYTES, ChunkSize, Problem, RecordErrorCode
from tests.tasks.pipeline.reading import read_every_way, read_once, schema, slices

AB = schema("a", "b")
MALFORMED = ["MALFORMED_RECORD"]
TWO = [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a,b\n1,2\n3,4\n", id="lf"),
        pytest.param(b"a,b\r\n1,2\r\n3,4\r\n", id="crlf"),
        pytest.param(b"a,b\r1,2\r3,4\r", id="cr"),
        pytest.param(b"a,b\r1,2\r\n3,4\n", id="mixed"),
        pytest.param(b"a,b\n1,2\n3,4", id="no-last-line-end"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n3,4\n", id="utf-8-bom"),
        pytest.param("a,b\r\n1,2\r\n3,4\r\n".encode("utf-16"), id="utf-16-le-bom"),
        pytest.param(b"\xfe\xff" + "a,b\n1,2\n3,4\n".encode("utf-16-be"), id="utf-16-be-bom"),
        pytest.param(b"\n\r\na,b\n\n1,2\r\n\r\r3,4\n\n\n", id="blank-lines"),
        pytest.param(b"a;b\n1;2\n3;4\n", id="semicolon"),
        pytest.param(b"a\tb\n1\t2\n3\t4\n", id="tab"),
        pytest.param(b"a|b\n1|2\n3|4\n", id="pipe"),
        pytest.param(b"sep=;\r\na;b\r\n1;2\r\n3;4\r\n", id="sep-line"),
        pytest.param(b'"SEP=|"\na|b\n1|2\n3|4\n', id="sep-line-quoted"),
        pytest.param(b"sep=^\na^b\n1^2\n3^4\n", id="sep-line-odd"),
        pytest.param(b"b,a\n2,1\n4,3\n", id="other-order"),
        pytest.param(b" a\t, b \n1,2\n3,4\n", id="spaces-in-header"),
        pytest.param(b"x,b,a,y\n,2,1,\n,4,3,\n", id="more-columns"),
        pytest.param(b",a,b,\n,1,2,\n,3,4,\n", id="blank-header-names"),
        pytest.param(b'"a","b"\n"1","2"\n"3",4\n', id="quoted"),
    ],
)
def test_csv_reads_what_people_send(data: bytes) -> None:
    """One table, written in many ways, reads the same."""
    assert TWO == read_every_way(read, data, AB).plain


@pytest.mark.parametrize(
    ("line", "values"),
    [
        pytest.param(b"1,", ["1", ""], id="empty-cell"),
        pytest.param(b'"",""', ["", ""], id="empty-quoted"),
        pytest.param(b"  1 ,\t2 ", ["  1 ", "\t2 "], id="spaces-stay"),
        pytest.param(b'5" pipe,a"b"c', ['5" pipe', 'a"b"c'], id="quote-in-unquoted"),
        pytest.param(b'"say ""hi""",","', ['say "hi"', ","], id="doubled-quote"),
        pytest.param(b'"x\ny","\r\n\r"', ["x\ny", "\r\n\r"], id="line-ends-in-quotes"),
        pytest.param("žluť,😀".encode(), ["žluť", "😀"], id="non-ascii"),
        pytest.param("\u2028\x0b,\x85\x1c".encode(), ["\u2028\x0b", "\x85\x1c"], id="unicode-line-ends"),
        pytest.param(b"x\x00y,=1+1", ["x\x00y", "=1+1"], id="nul-and-formula"),
        pytest.param(b"\xff\xe9,\xed\xa0\x80", ["\udcff\udce9", "\udced\udca0\udc80"], id="invalid-utf-8"),
        pytest.param(b'1, "2"', ["1", ' "2"'], id="space-before-quote"),
    ],
)
def test_csv_values_come_as_they_are(line: bytes, values: list[str]) -> None:
    """A cell's text is untouched; only quotes that quote are taken away."""
    data = b"a,b\n" + line + b"\nlast,one\n"

    reading = read_every_way(read, data, AB)

    assert [values, ["last", "one"]] == reading.plain
    assert [line + b"\n", b"last,one\n"] == slices(data, reading)


def test_csv_places_are_right_in_every_record() -> None:
    """Line and offset count newlines in quotes, the header, a BOM and multi-byte characters."""
    data = b'\xef\xbb\xbfa,b\r\n"1\r\n\n",\xc3\xa9\r\n\r\n2,x\r3,y\n"4",z'

    records = read_every_way(read, data, AB).records

    assert [2, 6, 7, 8] == [record.line for record in records]
    assert [b'"1', b"2,", b"3,", b'"4'] == [data[r.offset : r.offset + 2] for r in records]


def test_csv_utf16_places_are_bytes_of_the_file() -> None:
    """Offsets in UTF-16 count the file's bytes, surrogate pairs included."""
    text = 'a,b\r\n"😀\r\n",é\r\n2,\u0a0d\n'
    data = text.encode("utf-16")

    reading = read_every_way(read, data, AB)

    assert [["😀\r\n", "é"], ["2", "\u0a0d"]] == reading.plain
    second = text.index("2,")
    assert [text[5:second].encode("utf-16-le"), text[second:].encode("utf-16-le")] == slices(data, reading)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        pytest.param(b"\x00\xd8,\x00x\x00", ["\ud800", "x"], id="lone-high"),
        pytest.param(b"\x00\xdc,\x00x\x00", ["\udc00", "x"], id="lone-low"),
        pytest.param(b"y\x00,\x00x\x00A", ["y", "x\udc41"], id="half-a-unit-at-the-end"),
        pytest.param(b"y\x00,\x00\x3d\xd8", ["y", "\ud83d"], id="half-a-pair-at-the-end"),
    ],
)
def test_csv_bad_utf16_units_become_lone_surrogates(cells: bytes, values: list[str]) -> None:
    """What does not decode stays in the value, for validation to name."""
    data = "a,b\n".encode("utf-16") + cells

    reading = read_once(read, data, AB)

    assert [values] == reading.plain
    assert len(data) == reading.ends[-1].offset


@pytest.mark.parametrize(
    ("line", "count"),
    [
        pytest.param(b"1", 1, id="short"),
        pytest.param(b"1,2,3", 3, id="long"),
        pytest.param(b'1,"2\n",3', 3, id="long-in-quotes"),
        pytest.param(b'" "', 1, id="space-in-quotes"),
    ],
)
def test_csv_ragged_row_is_a_fault(line: bytes, count: int) -> None:
    """Too few or too many columns reject the record, and say how many were expected and found."""
    reading = read_every_way(read, b"a,b\n9,9\n" + line + b"\r\n3,4\n", AB)

    assert [["9", "9"], ["COLUMN_COUNT"], ["3", "4"]] == reading.plain
    assert reading.records[1].faults == (
        Problem(
            None,
            RecordErrorCode.COLUMN_COUNT,
            f"Expected 2 column(s), as in the header; found {count}.",
            line.decode(),
        ),
    )


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        pytest.param(b'"1"x,2\n3,4\n', [MALFORMED, ["3", "4"]], id="text-after-quote"),
        pytest.param(b'"1" ,2\n3,4\n', [MALFORMED, ["3", "4"]], id="space-after-quote"),
        pytest.param(b'1,2\n"3,4\n5,6\n', [["1", "2"], MALFORMED, ["5", "6"]], id="never-closed"),
        pytest.param(b'1,"', [MALFORMED], id="open-at-the-end"),
        pytest.param(b'1,"\n', [MALFORMED], id="open-at-the-end-with-line-end"),
        pytest.param(b'"1,2\n3,4\n"5",6\n', [MALFORMED, ["3", "4"], ["5", "6"]], id="closed-on-a-later-line"),
        pytest.param(b'1,"2\n3,4\n5,"6"\n7,"8', [MALFORMED, ["3", "4"], ["5", "6"], MALFORMED], id="two-spoiled"),
        pytest.param(b'"1\n\n\n2,"3"\n', [MALFORMED, ["2", "3"]], id="blank-lines-behind"),
    ],
)  # fmt: skip
def test_csv_stray_quote_spoils_its_line_alone(body: bytes, rows: list[list[str]]) -> None:
    """A broken record costs the physical line on which it began; the next line is read as if nothing was."""
    reading = read_every_way(read, b"a,b\n" + body, AB)

    assert rows == reading.plain
    raws = [record.faults[0].raw for record in reading.records if record.faults]
    lines = [line.decode() for line in body.split(b"\n")]
    assert all(raw in lines for raw in raws)


def test_csv_record_beyond_the_limit_is_an_unclosed_quote() -> None:
    """A quote that stays open for more than MAX_RECORD_BYTES spoils its line; the lines behind it are read."""
    count = MAX_RECORD_BYTES // 1000 + 700
    body = b"".join(b"%08d,%s\n" % (k, b"x" * 990) for k in range(count))
    data = b'a,b\n1,"2\n' + body + b'3,"4"\n'

    reading = read_once(read, data, AB)

    assert MALFORMED == reading.plain[0]
    assert count + 2 == len(reading.records)
    assert ["3", "4"] == reading.plain[-1]
    assert all(record.plain[0] == f"{k:08}" for k, record in enumerate(reading.records[1:-1]))


def test_csv_large_quoted_record_is_read() -> None:
    """A record that spans many blocks, near the limit, is one record."""
    value = "a line of text, with a comma and more\r\n" * (MAX_RECORD_BYTES // 40)
    data = f'a,b\n1,2\n3,"{value}"\n5,6\n'.encode()

    reading = read_once(read, data, AB)

    assert [["1", "2"], ["3", value], ["5", "6"]] == reading.plain
    assert data.index(b"5,6\n") == reading.records[2].offset
    assert 4 + value.count("\n") == reading.records[2].line


def test_csv_endless_recovery_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes so broken that lines are read again and again end the job, with what came before."""
    monkeypatch.setattr(csv_records, "MAX_RECORD_BYTES", 64 * 1024)
    monkeypatch.setattr(csv_records, "_SPARE_BYTES", 0)
    data = b"a,b\n1,2\n" + b'x","y\n' * 100_000

    reading = read_once(read, data, AB)

    assert ["1", "2"] == reading.plain[0]
    assert {"MALFORMED_RECORD"} == {code for record in reading.records[1:] for code in record.codes}
    assert "MALFORMED: So many quotes are opened" in reading.failure
    assert reading.error is not None
    assert len(reading.records) == reading.error.record_index
    assert len(reading.records) + 2 == reading.error.line


def test_csv_record_of_too_many_lines_is_an_unclosed_quote(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote that stays open for too many lines spoils its line, wherever the blocks end."""
    monkeypatch.setattr(csv_records, "MAX_RECORD_LINES", 10)

    reading = read_every_way(read, b'a,b\n1,"2' + b"\n" * 10 + b'"\n3,"4' + b"\n" * 9 + b'"\n', AB)

    assert [MALFORMED, MALFORMED, ["3", "4" + "\n" * 9]] == reading.plain


def test_csv_too_long_line_ends_the_job() -> None:
    """A physical line longer than a record may be is RECORD_TOO_LARGE, after what came before."""
    data = b"a,b\n1,2\n3,4\n5," + b"x" * MAX_RECORD_BYTES + b"\n7,8\n"

    reading = read_once(read, data, AB)

    assert TWO == reading.plain
    assert reading.error is not None
    assert ("RECORD_TOO_LARGE", 4, 2) == (reading.error.code, reading.error.line, reading.error.record_index)


def test_csv_too_long_line_after_an_open_quote() -> None:
    """The open record is spoiled, and the job still ends at the long line."""
    data = b'a,b\n1,2\n"3,4\n5,' + b"x" * MAX_RECORD_BYTES + b"\n7,8\n"

    reading = read_once(read, data, AB)

    assert [["1", "2"], MALFORMED] == reading.plain
    assert reading.error is not None
    assert ("RECORD_TOO_LARGE", 4, 2) == (reading.error.code, reading.error.line, reading.error.record_index)


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        pytest.param(b"ok", [], id="valid"),
        pytest.param(b"\xc3\xa9", [], id="valid-non-ascii"),
        pytest.param(b"caf\xe9", ["INVALID_CHARACTER"], id="invalid"),
    ],
)
def test_csv_invalid_byte_in_an_unmapped_column_is_a_fault(cell: bytes, codes: list[str]) -> None:
    """A byte that does not decode rejects its record also where the schema does not look; the values are there."""
    reading = read_every_way(read, b"a,note,b\n1," + cell + b",2\n3,x,4\n", AB)

    assert [("1", "2"), ("3", "4")] == [record.row for record in reading.records]
    assert [codes, []] == [record.codes for record in reading.records]
    assert all(problem.field is None for record in reading.records for problem in record.faults)


def test_csv_unknown_columns_are_rejected_where_the_schema_says_so() -> None:
    """Each column without a field is one fault of every record; one without a name only where there is something in it."""
    content = b"a,x,,b,y\n1,2,3,4,\n1,2, ,4,\n"
    reading = read_every_way(read, content, schema("a", "b", unknown_fields="REJECT"))

    full, blank = reading.records
    assert ("1", "4") == full.row == blank.row
    assert [("UNKNOWN_FIELD", None, "2"), ("UNKNOWN_FIELD", None, "3"), ("UNKNOWN_FIELD", None, "")] == [
        (problem.code, problem.field, problem.raw) for problem in full.faults
    ]
    assert ["'x'.", "'y'."] == [problem.message.split()[8] for problem in blank.faults]
    assert "'(column 3)'." in full.faults[1].message


def test_csv_many_unknown_columns_make_few_problems_and_small_chunks() -> None:
    """A record of a wide file has ten problems of a kind at most, and a chunk holds fewer of such records."""
    header = "a," + ",".join(f"c{n}" for n in range(300))
    data = f"{header}\n".encode() + (b"1" + b",\xff" * 300 + b"\n") * 2_500

    reading = read_once(read, data, schema("a", unknown_fields="REJECT"), chunk_size=ChunkSize(bytes=2**24))

    assert ["UNKNOWN_FIELD"] * 10 + ["INVALID_CHARACTER"] * 10 == reading.records[0].codes
    assert [True, True] == [
        problem.message.endswith(". … and 290 more like this.")
        for problem in reading.records[0].faults[9::10]
    ]
    assert [0, 2_000, 2_500] == [end.index for end in reading.ends]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param(b"a,b\n1,2\n  \n \t \r\n3,4\n\t", [["1", "2"], ["3", "4"]], id="blank"),
        pytest.param(b'a,b\n"1",2\n  \n3,4\n \n', [["1", "2"], ["3", "4"]], id="blank-beside-quotes"),
        pytest.param(b"a\tb\n1\t2\n  \n\t\n3\t4\n", [["1", "2"], ["", ""], ["3", "4"]], id="tab-is-the-delimiter"),
        pytest.param(b"a,b\n1,2\n3,4\n\x1a", [["1", "2"], ["3", "4"]], id="ctrl-z"),
        pytest.param(b'a,b\r\n1,2\r\n"3",4\r\n\x1a\r\n', [["1", "2"], ["3", "4"]], id="ctrl-z-beside-quotes"),
        pytest.param(b"a,b\n\x1a\n3,4\n", [["COLUMN_COUNT"], ["3", "4"]], id="ctrl-z-further-up"),
        pytest.param(b'a,b\n\x1a\n"3",4\n', [["COLUMN_COUNT"], ["3", "4"]], id="ctrl-z-above-quotes"),
    ],
)  # fmt: skip
def test_csv_lines_with_nothing_on_them_are_skipped(data: bytes, rows: list[list[str]]) -> None:
    """White space alone is no record, nor is the mark that DOS programs put at the end of a file."""
    assert rows == read_every_way(read, data, AB).plain


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param(b"a\n1\n  \n", [["1"], ["  "]], id="white-space"),
        pytest.param(b'a\n"1"\n  \n\x1a', [["1"], ["  "]], id="white-space-beside-quotes"),
        pytest.param(b"a\n1\n\x1a", [["1"]], id="ctrl-z"),
    ],
)
def test_csv_white_space_is_a_value_of_a_single_column(data: bytes, rows: list[list[str]]) -> None:
    """A file of one column has no other way to write it."""
    assert rows == read_every_way(read, data, schema("a")).plain


@pytest.mark.parametrize(
    ("data", "plain", "raw"),
    [
        pytest.param(b'a,b\n"abc\ndef"x,1\n3,4\n', [MALFORMED, ["3", "4"]], '"abc\ndef"x,1', id="tail"),
        pytest.param(b'a,b\n"abc\nd,e\ndef"x,1\n\n \n3,4\n', [MALFORMED, ["3", "4"]], '"abc\nd,e\ndef"x,1', id="blank-line-behind"),
        pytest.param(b'a,b\n"1\n"2\n"3\n4,5\n', [MALFORMED, MALFORMED, ["4", "5"]], '"1', id="all-open"),
        pytest.param(b'a,b\n"abc\ndef"x,1', [MALFORMED], '"abc\ndef"x,1', id="end-of-file"),
        pytest.param(b'a,b\r\n"abc\r\ndef"x,1\r\n\r\n', [MALFORMED], '"abc\r\ndef"x,1', id="crlf"),
        pytest.param(b'a,b\n1,"x\n2,3\n4,"y"\n5,6\n', [MALFORMED, ["2", "3"], ["4", "y"], ["5", "6"]], '1,"x', id="opened-by-mistake"),
        pytest.param(b'a,b\n"abc\ndef"x,1\n3\n', [MALFORMED, ['def"x', "1"], ["COLUMN_COUNT"]], '"abc', id="no-record-behind"),
        pytest.param(b'a,b\n"' + b"x\n" * 20 + b'def"x,1\n3,4\n', [MALFORMED, *[["COLUMN_COUNT"]] * 19, ['def"x', "1"], ["3", "4"]], '"x', id="long"),
    ],
)  # fmt: skip
def test_csv_tail_of_a_spoiled_record_is_no_record(data: bytes, plain: list[list[str]], raw: str) -> None:
    """Text behind a closing quote spoils all lines of its record, where they can be told from other records."""
    reading = read_every_way(read, data, AB)

    assert plain == reading.plain
    assert raw == reading.records[0].faults[0].raw


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(b'"x" ,2', "Remove that space", id="space"),
        pytest.param(b'1,"x"\t', "Remove that space", id="tab-at-the-end"),
        pytest.param(b'"x"y ,2', "Text follows", id="text"),
        pytest.param(b'"x" y,2', "Text follows", id="space-and-text"),
    ],
)
def test_csv_space_behind_a_closing_quote_is_told(line: bytes, message: str) -> None:
    """Such a record is malformed, and the message says what to do."""
    records = read_every_way(read, b"a,b\n" + line + b"\n3,4\n", AB).records

    assert message in records[0].faults[0].message
    assert ["3", "4"] == records[1].plain


def test_csv_chunks_end_by_bytes_too() -> None:
    """A chunk is handed over when about so many bytes are held."""
    data = b"a,b\n" + b"x" * 98 + b",1\n" + (b"y" * 97 + b",2\n") * 99

    reading = read_once(read, data, AB)

    assert [0, 100] == [end.index for end in reading.ends]
    sized = read_once(read, data, AB, chunk_size=ChunkSize(bytes=1000))
    assert 10 <= len(sized.ends) - 1 <= 12
    assert reading.records == sized.records
