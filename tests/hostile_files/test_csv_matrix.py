"""The bad-input matrix for CSV: C1 to C20."""

import codecs
from pathlib import Path

import pytest

from tasks.pipeline.record import MAX_RECORD_BYTES, MAX_VALUE_CHARS, FileFormat
from tests.hostile_files.child import has_proc
from tests.hostile_files.matrix import Row, check, check_by_child, missing
from tests.hostile_files.outcome import schema

MIB = 2**20
AB = schema("a", "b")
A = schema("a")
REJECT = schema("a", "b", unknown_fields="REJECT")
BAD = ["MALFORMED_RECORD"]
KB_LINE = b"3," + b"x" * 1_000 + b"\n"
KB_ROW = ["3", "x" * 1_000]
RAGGED = ["COLUMN_COUNT"]
NOT_TEXT = ["b: INVALID_CHARACTER"]
REFUSED = ("UNSUPPORTED_FORMAT", None, None)

ROWS = [
    Row("C1", "BOM", b"\xef\xbb\xbfa,b\n1,2\n", AB, [["1", "2"]]),
    Row("C1", "BOM before a quoted header", b'\xef\xbb\xbf"a",b\n1\n', AB, [RAGGED], places=[(2, 9)]),
    Row("C1", "BOM in the middle is a character", b"a,b\n\xef\xbb\xbf1,2\n", AB, [["\ufeff1", "2"]]),
    Row("C2", "UTF-16 LE", codecs.BOM_UTF16_LE + "a,b\n1,é\n2\n".encode("utf-16-le"), AB, [["1", "é"], RAGGED],
        places=[(3, 18)]),
    Row("C2", "UTF-16 BE", codecs.BOM_UTF16_BE + "a,b\n1,é\n".encode("utf-16-be"), AB, [["1", "é"]]),
    Row("C2", "UTF-16 cut in a character", "a,b\n1,é\n".encode("utf-16") + b"x", AB, [["1", "é"], RAGGED],
        places=[(3, 18)]),
    Row("C2", "UTF-16 without BOM", "a,b\n1,é\n".encode("utf-16-le"), AB, [], ("ENCODING", None, None), message="UTF-16"),
    Row("C2", "UTF-32", "a,b\n1,2\n".encode("utf-32"), AB, [], ("ENCODING", None, None), message="UTF-32"),
    Row("C3", "Latin-1", b"a,b\n1,x\xe9y\n3,4\n", AB, [NOT_TEXT, ["3", "4"]], places=[(2, 4)], raw=r"x\xE9y"),
    Row("C3", "overlong", b"a,b\n1,\xc0\xaf\n3,4\n", AB, [NOT_TEXT, ["3", "4"]], raw=r"\xC0\xAF"),
    Row("C3", "CESU surrogate", b"a,b\n1,\xed\xa0\xbd\n3,4\n", AB, [NOT_TEXT, ["3", "4"]], raw=r"\xED\xA0\xBD"),
    Row("C3", "cut sequence", b"a,b\n1,\xe2\x82\n3,4\n", AB, [NOT_TEXT, ["3", "4"]], raw=r"\xE2\x82"),
    Row("C3", "beyond Unicode", b"a,b\n1,\xf4\x90\x80\x80\n3,4\n", AB, [NOT_TEXT, ["3", "4"]]),
    Row("C3", "in a column of no field", b"a,b\n1,\xff\n3,4\n", A, [["INVALID_CHARACTER"], ["3"]], raw=r"\xFF"),
    Row("C3", "in the header", b"a,\xe9\n1,2\n", A, [], ("ENCODING", None, 1)),
    Row("C3", "declared Latin-1", b"a,b\n1,\xe9\n", schema("a", "b", encoding="iso-8859-1"), [["1", "é"]]),
    Row("C3", "a byte that windows-1252 lacks", b"a,b\n1,\x81\n", schema("a", "b", encoding="windows-1252"), [NOT_TEXT],
        raw=r"\x81"),
    Row("C4", "NUL", b"a,b\n1,x\0y\n3,4\n", AB, [NOT_TEXT, ["3", "4"]], places=[(2, 4)], raw=r"x\u0000y"),
    Row("C4", "NUL in quotes", b'a,b\n1,"x\0,y"\n3,4\n', AB, [NOT_TEXT, ["3", "4"]], raw=r"x\u0000,y"),
    Row("C4", "NUL in a column of no field", b"a,b\n1,\0\n3,4\n", A, [["1"], ["3"]]),
    Row("C4", "NUL in the header", b"a,b\0\n1,2\n", AB, [], ("HEADER_MISSING", None, 1)),
    Row("C5", "unclosed quote", b'a,b\n1,"2\n3,4\n5,6\n', AB, [BAD, ["3", "4"], ["5", "6"]], places=[(2, 4)], raw='1,"2'),
    Row("C5", "unclosed quote at the end", b'a,b\n1,2\n3,"4', AB, [["1", "2"], BAD], places=[(3, 8)]),
    Row("C5", "unclosed quote in the header", b'a,"b\n1,2\n', AB, [], ("MALFORMED", None, 1)),
    Row("C6", "text after a closing quote", b'a,b\n1,"x"y\n3,4\n', AB, [BAD, ["3", "4"]], places=[(2, 4)]),
    Row("C7", "quote inside an unquoted field", b'a,b\n1,x"y\n3,4"\n', AB, [["1", 'x"y'], ["3", '4"']]),
    Row("C8", "bare CR and mixed ends", b"a,b\r1,2\r\n3,4\n5\r\r\n6\n", AB, [["1", "2"], ["3", "4"], RAGGED, RAGGED],
        places=[(4, 13), (6, 17)]),
    Row("C9", "newline in quotes", b'a,b\r\n1,"2\r\n3\n"\r\n4\r\n', AB, [["1", "2\r\n3"], RAGGED], places=[(5, 16)]),
    Row("C10", "short, long, blank", b"a,b\n1\n\n1,2,3\n \t\n3,4\n", AB, [RAGGED, RAGGED, ["3", "4"]],
        places=[(2, 4), (4, 7)], raw="1"),
    Row("C11", "131,073 characters", lambda: b"a,b\n1," + b"x" * 131_073 + b"\n3,4\n", AB, [["1", "x" * 131_073], ["3", "4"]]),
    Row("C11", "as long as a value may be", lambda: b"a,b\n1," + b"x" * MAX_VALUE_CHARS + b"\n", AB,
        [["1", "x" * MAX_VALUE_CHARS]]),
    Row("C11", "longer than a value may be", lambda: b'a,b\n1,"' + b"x" * (MAX_VALUE_CHARS + 1) + b'"\n3,4\n', AB,
        [["b: VALUE_TOO_LONG"], ["3", "4"]], places=[(2, 4)]),
    Row("C13", "no bytes", b"", AB, [], ("FILE_EMPTY", None, 1)),
    Row("C13", "BOM and blank lines", b"\xef\xbb\xbf\r\n \n", AB, [], ("FILE_EMPTY", None, 3)),
    Row("C13", "header only", b"a,b", AB, []),
    Row("C13", "no header", b"1,2\n3,4\n", AB, [], ("HEADER_MISSING", None, 1), message="'a', 'b'"),
    Row("C13", "no header, as the schema says", b"1,2\n", schema("1", "2", csv={"header": False}), [["1", "2"]]),
    Row("C14", "twice", b"a,b,a\n1,2,3\n", AB, [], ("DUPLICATE_HEADER", None, 1), message="'a'"),
    Row("C14", "twice but for spaces", b"\na,b, a\n1,2,3\n", AB, [], ("DUPLICATE_HEADER", None, 2)),
    Row("C14", "twice, of no field", b"a,b,x,x\n1,2,3,4\n", AB, [], ("DUPLICATE_HEADER", None, 1)),
    Row("C14", "in another case", b"a,A,b\n1,2,3\n", AB, [["1", "3"]]),
    Row("C14", "blank ones", b"a,,b,\n1,2,3,4\n", AB, [["1", "3"]]),
    Row("C15", "reordered, with one unknown", b"x,b,a\n1,2,3\n", AB, [["3", "2"]]),
    Row("C15", "unknown and not wanted", b"x,b,a\n1,2,3\n", REJECT, [["UNKNOWN_FIELD"]], places=[(2, 6)], raw="1"),
    Row("C15", "lacks a required one", b"b\n1\n", AB, [], ("HEADER_MISSING", None, 1), message="'a'"),
    Row("C15", "lacks an optional one", b"b\n1\n", schema("a?", "b"), [[None, "1"]]),
    Row("C15", "lacks one with a default", b"b\n1\n", schema({"default": "x"}, "b"), [["x", "1"]]),
    Row("C16", "sep=", b"sep=;\na;b\n1;2,5\n3\n", AB, [["1", "2,5"], RAGGED], places=[(4, 16)]),
    Row("C16", "sep= in quotes with BOM", b'\xef\xbb\xbf"sep=|"\r\na|b\r\n1|2\r\n', AB, [["1", "2"]]),
    Row("C16", "semicolon", b"a;b\n1;2,5\n", AB, [["1", "2,5"]]),
    Row("C16", "tab", b"a\tb\n1\t2\n", AB, [["1", "2"]]),
    Row("C16", "TSV", b"a\tb\n1\t2,\n", AB, [["1", "2,"]], format=FileFormat.TSV),
    Row("C16", "bar", b"a|b\n1|2\n", AB, [["1", "2"]]),
    Row("C16", "one that is not looked for", b"a^b\n1^2\n", AB, [], ("HEADER_MISSING", None, 1), message="'a^b'"),
    Row("C16", "one that is declared", b"a^b\n1^2\n", schema("a", "b", csv={"delimiter": "^"}), [["1", "2"]]),
    Row("C18", "formulas stay as they are", b"a,b\n=1+1,+x\n-1,@SUM(A1)\n\t=x,\"\r=y\"\n",
        schema({"trim": False}, {"name": "b", "trim": False}), [["=1+1", "+x"], ["-1", "@SUM(A1)"], ["\t=x", "\r=y"]]),
    Row("C19", "delimiter at the end", b"a,b\n1,2,\n", AB, [RAGGED], places=[(2, 4)]),
    Row("C19", "delimiter at the end of the header, too", b"a,b,\n1,2,\n", AB, [["1", "2"]]),
    Row("C19", "spaces", b"a , b\t\n1 , 2 \n", AB, [["1", "2"]]),
    Row("C19", "space after a closing quote", b'a,b\n"1" ,2\n', AB, [BAD], message="Remove that space"),
    Row("C19", "two characters", b"a::b\n1::2\n", AB, [], ("HEADER_MISSING", None, 1)),
    Row("C20", "zip, xlsx", b"PK\x03\x04\x14\0", AB, [], REFUSED, message="ZIP archive"),
    Row("C20", "gzip", b"\x1f\x8b\x08\0", AB, [], REFUSED, message="gzip"),
    Row("C20", "xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", AB, [], REFUSED, message="Excel"),
    Row("C20", "pdf", b"%PDF-1.4\na,b\n1,2\n", AB, [], REFUSED, message="PDF"),
    Row("C20", "rtf", b"{\\rtf1\\ansi a,b}", AB, [], REFUSED, message="rich text"),
    Row("C20", "rar", b"Rar!\x1a\x07\0", AB, [], REFUSED, message="RAR"),
    Row("C20", "png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", AB, [], REFUSED, message="PNG"),
    Row("C20", "jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF", AB, [], REFUSED, message="JPEG"),
    Row("C20", "gif", b"GIF89a\1\0", AB, [], REFUSED, message="GIF"),
    Row("C20", "sqlite", b"SQLite format 3\0\x10\0", AB, [], REFUSED, message="SQLite"),
    Row("C20", "tar", b"x.csv" + b"\0" * 95 + b"0000644\0" + b"\0" * 400, AB, [], REFUSED, message="binary"),
    Row("C20", "html", b"<!DOCTYPE html>\n<html>\n", AB, [], ("HEADER_MISSING", None, 1), message="XML or HTML"),
    Row("C20", "json", b'[{"a": 1, "b": 2}]', AB, [], ("HEADER_MISSING", None, 1), message="JSON"),
]  # fmt: skip

HEAVY = [
    Row("C5", "unclosed quote before 12 MB", lambda: b'a,b\n1,"2\n' + KB_LINE * 12_000, AB, [BAD, *[KB_ROW] * 12_000]),
    Row("C5", "quotes that never close, everywhere", lambda: b"a,b\n" + b'1,"x\n"y\n' * 20_000, AB,
        [BAD] * 39_999),
    Row("C11", "a record of 12 MB in quotes", lambda: b'a,b\n1,2\n3,"\n' + KB_LINE * 12_000 + b'"\n5,6\n', AB,
        [["1", "2"], BAD, *[KB_ROW] * 12_000, BAD, ["5", "6"]]),
    Row("C12", "100 MB on one line", lambda: b"a,b\n1,2\n3," + b"x" * 100_000_000 + b"\n5,6\n", AB, [["1", "2"]],
        ("RECORD_TOO_LARGE", 1, 3)),
    Row("C12", "100 MB on one line, the first", lambda: b"x" * 100_000_000, AB, [], ("RECORD_TOO_LARGE", None, 1)),
    Row("C12", "a record as large as it may be", lambda: b"a,b\n1," + b"x" * (MAX_RECORD_BYTES - 3) + b"\n5,6\n", AB,
        [["b: VALUE_TOO_LONG"], ["5", "6"]], places=[(2, 4)]),
    Row("C17", "100,001 columns", lambda: b",".join(b"c%d" % n for n in range(100_001)) + b"\n", schema("c1"), [],
        ("WRONG_STRUCTURE", None, 1), message="100,001 columns"),
    Row("C17", "8 million columns without a name", lambda: b"," * 8_000_000 + b"\n", A, [], ("WRONG_STRUCTURE", None, 1)),
    Row("C17", "100,000 columns, none of them wanted",
        lambda: b",".join(b"c%d" % n for n in range(100_000)) + (b"\n" + b"," * 99_999) * 20, schema("c1?", unknown_fields="REJECT"),
        [["UNKNOWN_FIELD"] * 10] * 20),
    Row("C17", "a record of 8 million columns", lambda: b"a,b\n" + b"," * 8_000_000 + b"\n5,6\n", AB, [RAGGED, ["5", "6"]],
        cost={"mib": 600}),
]  # fmt: skip

ELSEWHERE: dict[str, str] = {}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_csv_file_has_its_outcome(row: Row) -> None:
    """Code and place of what is wrong; everything else is read."""
    check(row, FileFormat.CSV)


@pytest.mark.skipif(not has_proc(), reason="a child's memory and CPU time are read from /proc")
@pytest.mark.parametrize("row", HEAVY, ids=str)
async def test_csv_bomb_costs_little(row: Row, tmp_path: Path) -> None:
    """The same within bounds of memory and CPU, by the reader child with its limits."""
    await check_by_child(row, FileFormat.CSV, tmp_path)


def test_every_row_of_the_csv_matrix_is_here() -> None:
    """None is forgotten."""
    assert [] == missing("C", 20, [*ROWS, *HEAVY], ELSEWHERE)
