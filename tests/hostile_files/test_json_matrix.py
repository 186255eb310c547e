"""The bad-input matrix for JSON and NDJSON: J1 to J20."""

from pathlib import Path

import pytest

from tasks.pipeline.record import MAX_VALUE_CHARS, FileFormat
from tests.hostile_files.child import has_proc
from tests.hostile_files.matrix import Row, check, check_by_child, missing
from tests.hostile_files.outcome import schema

MIB = 2**20
ND = FileFormat.NDJSON
A = schema("a?")
AT_A = schema("a?", record_path="a")
REJECT = schema("a?", unknown_fields="REJECT")
WHOLE = schema({"type": "INTEGER"})
NUMBER = schema({"type": "NUMBER"})
BAD = ["MALFORMED_RECORD"]
NO_OBJECT = ["NOT_AN_OBJECT"]
NOT_TEXT = ["a: INVALID_CHARACTER"]
BEYOND = ["a: OUT_OF_RANGE"]
NESTED = ["a: NOT_A_SCALAR"]
WRONG = ("WRONG_STRUCTURE", None, 1)


def _keys(count: int) -> bytes:
    return b",".join(b'"k%d":1' % n for n in range(count))


ROWS = [
    Row("J1", "in a record", b'[{"a":1},\n{"a":2', A, [["1"]], ("TRUNCATED", 1, 2)),
    Row("J1", "between records", b'[{"a":1},', A, [["1"]], ("TRUNCATED", 1, 1)),
    Row("J1", "after the records", b'{"a":[{"a":1}],"b":', AT_A, [["1"]], ("TRUNCATED", None, 1)),
    Row("J1", "before the records", b'{"b":{"a"', AT_A, [], ("TRUNCATED", None, 1)),
    Row("J1", "NDJSON", b'{"a":1}\n{"a":2', A, [["1"], BAD], places=[(2, 8)], format=ND),
    Row("J2", "trailing comma", b'[{"a":1},\n]', A, [["1"]], ("MALFORMED", 1, 2), message="line 2, byte 10"),
    Row("J2", "trailing comma in a record", b'[{"a":1},{"a":1,}]', A, [["1"]], ("MALFORMED", 1, 1)),
    Row("J2", "comment", b'[{"a":1},\n/* x */{"a":2}]', A, [["1"]], ("MALFORMED", 1, 2), message="byte 10"),
    Row("J2", "single quotes", b"[{'a':1}]", A, [], ("MALFORMED", 0, 1), message="byte 2"),
    Row("J2", "garbage after the end", b'[{"a":1}]\nx', A, [["1"]], ("MALFORMED", None, 2)),
    Row("J2", "NaN", b'[{"a":1},{"a":NaN}]', A, [["1"]], ("MALFORMED", 1, 1), message="byte 9"),
    Row("J2", "Infinity", b'[{"a":-Infinity}]', A, [], ("MALFORMED", 0, 1)),
    Row("J2", "NDJSON", b'{"a":1,}\n{"a":NaN}\n{\'a\':1}\n{"a":1} x\n{"a":2}', A, [BAD, BAD, BAD, BAD, ["2"]],
        places=[(1, 0), (2, 9), (3, 19), (4, 27)], format=ND),
    Row("J3", "BOM", b'\xef\xbb\xbf[{"a":1}]', A, [["1"]]),
    Row("J3", "UTF-16", '[{"a":"é"},1]'.encode("utf-16"), A, [["é"], NO_OBJECT], places=[(1, 24)]),
    Row("J3", "UTF-16 without BOM", '[{"a":1}]'.encode("utf-16-le"), A, [], ("ENCODING", None, None)),
    Row("J3", "UTF-32", '[{"a":1}]'.encode("utf-32"), A, [], ("ENCODING", None, None)),
    Row("J3", "NDJSON with BOM", b'\xef\xbb\xbf{"a":1}\n1', A, [["1"], NO_OBJECT], places=[(2, 11)], format=ND),
    Row("J3", "NDJSON in UTF-16", '{"a":"é"}\n1'.encode("utf-16"), A, [["é"], NO_OBJECT], places=[(2, 22)], format=ND),
    Row("J4", "Latin-1", b'[{"a":1},\n{"a":"\xe9"},{"a":2}]', A, [["1"]], ("ENCODING", 1, 2), message="Byte 16"),
    Row("J4", "Latin-1 declared", b'[{"a":"\xe9"}]', schema("a", encoding="iso-8859-1"), [["é"]]),
    Row("J4", "outside the records", b'{"\xe9":1,"a":[]}', AT_A, [], ("ENCODING", None, 1)),
    Row("J4", "NDJSON", b'{"a":1}\n{"a":"\xe9"}\n{"a":2}', A, [["1"], NOT_TEXT, ["2"]], places=[(2, 8)], raw=r"\xE9",
        format=ND),
    Row("J5", "lone surrogates", rb'[{"a":"\ud800"},{"a":"\udc00\ud800"},{"a":"\ud83d\ude00"},{"a":"x\ud83dy"}]', A,
        [NOT_TEXT, NOT_TEXT, ["\U0001f600"], NOT_TEXT], places=[(1, 1), (1, 16), (1, 58)], raw=r"\uD800"),
    Row("J5", "in a key", rb'[{"\ud800":1,"a":2},{"\ud800":1,"\ud800":2}]', A, [["2"], ["DUPLICATE_KEY"]]),
    Row("J5", "in a key that is not wanted", rb'[{"\ud800":1}]', REJECT, [["UNKNOWN_FIELD"]], raw="1"),
    Row("J5", "NDJSON", b'{"a":"\\ud800"}\n{"a":1}', A, [NOT_TEXT, ["1"]], format=ND),
    Row("J6", "NUL", rb'[{"a":"x\u0000y"},{"\u0000":1,"a":2}]', A, [NOT_TEXT, ["2"]], raw=r"x\u0000y"),
    Row("J6", "NUL in the names that a message quotes", rb'{"\u0000":[],"x\u0000":[]}', AT_A, [], WRONG, message=r"\x00"),
    Row("J7", "beyond 64 bits", b'[{"a":9223372036854775807},{"a":9223372036854775808},{"a":-9223372036854775809}]', WHOLE,
        [[2**63 - 1], BEYOND, BEYOND], places=[(1, 27), (1, 53)]),
    Row("J9", "exponents", b'[{"a":1e400},{"a":1e999999999},{"a":-1E999999999999999999999},{"a":1e-400},{"a":0e999999999}]',
        NUMBER, [BEYOND, BEYOND, BEYOND, BEYOND, [0]]),
    Row("J9", "as a whole number", b'[{"a":1e400}]', WHOLE, [["a: INVALID_INTEGER"]], raw="1e400"),
    Row("J9", "outside the records", b'{"x":1e400,"a":[{"a":1}]}', AT_A, [["1"]]),
    Row("J9", "outside the records, more than yajl knows", b'{"x":1e999999999999999999999,"a":[{"a":1}]}', AT_A, [],
        ("MALFORMED", None, 1)),
    Row("J9", "nothing else", b"1e999999999999999999999", A, [], ("MALFORMED", None, 1)),
    Row("J10", "40 digits", b'[{"a":0.1000000000000000000000000000000000000001}]', schema("a"),
        [["0.1000000000000000000000000000000000000001"]]),
    Row("J11", "duplicate keys", b'[{"a":1,"a":2},{"b":1,"b":1},{"a":3}]', A, [["DUPLICATE_KEY"], ["DUPLICATE_KEY"], ["3"]],
        places=[(1, 1), (1, 15)], raw='{"a":1,"a":2}'),
    Row("J11", "spelled in two ways", rb'[{"a":1,"\u0061":2}]', A, [["DUPLICATE_KEY"]]),
    Row("J12", "64 levels", b'[{"a":' + b"[" * 64 + b"]" * 64 + b'},{"a":1}]', A, [NESTED, ["1"]], raw="[" * 64 + "]" * 64),
    Row("J12", "256 levels outside the records", b'{"x":' + b"[" * 255 + b"]" * 255 + b',"a":[]}', AT_A, []),
    Row("J12", "257 levels outside the records", b'{"x":' + b"[" * 256 + b"]" * 256 + b',"a":[]}', AT_A, [],
        ("TOO_DEEP", None, 1)),
    Row("J13", "as long as a value may be", lambda: b'[{"a":"' + b"x" * MAX_VALUE_CHARS + b'"}]', A, [["x" * MAX_VALUE_CHARS]]),
    Row("J13", "longer than a value may be", lambda: b'[{"a":"' + b"x" * (MAX_VALUE_CHARS + 1) + b'"},{"a":1}]', A,
        [["a: VALUE_TOO_LONG"], ["1"]], places=[(1, 1)]),
    Row("J15", "object", b'{"a":1}', A, [], WRONG, message="found an object"),
    Row("J15", "number", b"1", A, [], WRONG, message="found a number"),
    Row("J15", "null", b"null", A, [], WRONG, message="found null"),
    Row("J15", "wrong path", b'{"b":[]}', AT_A, [], WRONG, message="Arrays in this file: b."),
    Row("J15", "a path that leads to an object", b'{"a":{}}', AT_A, [], WRONG),
    Row("J15", "two arrays", b'{"a":[{"a":1}],"a":[{"a":2}]}', AT_A, [["1"]], WRONG, message="two places"),
    Row("J15", "nothing", b" \n", A, [], ("FILE_EMPTY", None, None)),
    Row("J15", "empty array", b"[]", A, []),
    Row("J15", "NDJSON of nothing", b" \n\n", A, [], ("FILE_EMPTY", None, None), format=ND),
    Row("J16", "mixed", b'[1,"x",null,[1],true,{"a":1}]', A, [NO_OBJECT] * 5 + [["1"]],
        places=[(1, 1), (1, 3), (1, 7), (1, 12), (1, 16)], raw="1"),
    Row("J16", "NDJSON", b'1\n"x"\nnull\n[1]\ntrue\n{"a":1}', A, [NO_OBJECT] * 5 + [["1"]],
        places=[(1, 0), (2, 2), (3, 6), (4, 11), (5, 15)], format=ND),
    Row("J17", "NDJSON", b'{"a":1}\r\n\n{"a":2}', A, [["1"], ["2"]], format=ND),
    Row("J17", "NDJSON as JSON", b'{"a":1}\n{"a":2}', A, [], ("MALFORMED", None, 2), message="NDJSON"),
    Row("J18", "control character", b'[{"a":1},{"a":"x\x01y"}]', A, [["1"]], ("MALFORMED", 1, 1), message="byte 16"),
    Row("J18", "newline", b'[{"a":"x\ny"}]', A, [], ("MALFORMED", 0, 1)),
    Row("J18", "NDJSON", b'{"a":"x\ty"}\n{"a":1}', A, [BAD, ["1"]], places=[(1, 0)], format=ND),
    Row("J19", "form feed", b'[{"a":1},\f{"a":2}]', A, [["1"]], ("MALFORMED", 1, 1)),
    Row("J19", "form feed outside the records", b'{"a":\f[]}', AT_A, [], ("MALFORMED", None, 1)),
    Row("J19", "NDJSON", b'{"a":1}\f\n{"a":2}', A, [BAD, ["2"]], format=ND),
    Row("J20", "odd keys", b'[{"__proto__":1,"":2,"constructor":3,"a":4,"' + b"k" * 10_000 + b'":5}]', A, [["4"]]),
    Row("J20", "odd keys that are not wanted", b'[{"__proto__":1,"":2,"' + b"k" * 10_000 + b'":5}]', REJECT,
        [["UNKNOWN_FIELD"] * 3]),
    Row("J20", "an odd key that is wanted", b'[{"__proto__":1}]', schema("__proto__"), [["1"]]),
    Row("J20", "a long name that a message quotes", b'{"' + b"k" * 10_000 + b'":[]}', AT_A, [], WRONG,
        message=f"Arrays in this file: {'k' * 80}."),
]  # fmt: skip

HEAVY = [
    Row("J8", "4,301 digits", b'[{"a":1},{"a":' + b"9" * 4_301 + b'},{"a":2}]', WHOLE, [[1], BEYOND, [2]], places=[(1, 9)]),
    Row("J8", "4,301 digits as a number", b'[{"a":' + b"9" * 4_301 + b"}]", NUMBER, [BEYOND]),
    Row("J8", "a million digits as text", lambda: b'[{"a":' + b"9" * 1_000_000 + b"}]", A, [["9" * 1_000_000]]),
    Row("J8", "outside the records", lambda: b'{"x":' + b"9" * 1_000_000 + b',"a":[{"a":1}]}', AT_A, [["1"]]),
    Row("J8", "in many pieces", lambda: b'{"x":[' + b"[" + (b"9" * 4_301 + b",\n") * 500 + b'1]],"a":[{"a":1}]}', AT_A, [["1"]]),
    Row("J8", "instead of the records", b"9" * 4_301, A, [], WRONG),
    Row("J8", "NDJSON", b"9" * 4_301 + b'\n{"a":' + b"9" * 4_301 + b"}", WHOLE, [NO_OBJECT, BEYOND], format=ND),
    Row("J9", "a long exponent", b'[{"a":1e' + b"9" * 100_000 + b'},{"a":1e5}]', NUMBER, [BEYOND, [1e5]]),
    Row("J12", "100 KB of [", lambda: b"[" * 100_000, A, [], ("TOO_DEEP", 0, 1)),
    Row("J12", "1 MB of [", lambda: b"[" * 1_000_000, A, [], ("TOO_DEEP", 0, 1)),
    Row("J12", "1 MB of [ in a record", lambda: b'[{"a":1},\n{"a":' + b"[" * 1_000_000, A, [["1"]], ("TOO_DEEP", 1, 2)),
    Row("J12", "1 MB of [ outside the records", lambda: b'{"x":' + b"[" * 1_000_000, AT_A, [], ("TOO_DEEP", None, 1)),
    Row("J12", "1 MB of objects", lambda: b'{"a":' * 200_000, A, [], ("TOO_DEEP", None, 1)),
    Row("J12", "1 MB of closed [", lambda: b'[{"a":1},{"a":' + b"[" * 500_000 + b"]" * 500_000 + b'},{"a":2}]', A, [["1"]],
        ("TOO_DEEP", 1, 1)),
    Row("J12", "NDJSON", lambda: b'{"a":' + b"[" * 1_000_000 + b'\n{"a":2}', A, [BAD, ["2"]], places=[(1, 0)], format=ND),
    Row("J13", "100 MB", lambda: b'[{"a":1},\n{"a":"' + b"x" * 100_000_000 + b'"},{"a":2}]', A, [["1"]],
        ("RECORD_TOO_LARGE", 1, 2)),
    Row("J13", "20 MB of escapes", lambda: b'[{"a":1},{"a":"' + b"\\u0041" * 3_333_333 + b'"}]', A, [["1"]],
        ("RECORD_TOO_LARGE", 1, 1)),
    Row("J13", "20 MB outside the records", lambda: b'{"x":"' + b"x" * 20_000_000 + b'","a":[]}', AT_A, [],
        ("RECORD_TOO_LARGE", None, 1)),
    Row("J13", "NDJSON", lambda: b'{"a":1}\n{"a":"' + b"x" * 20_000_000 + b'"}\n{"a":2}', A, [["1"]],
        ("RECORD_TOO_LARGE", 1, 2), format=ND),
    Row("J14", "half a million keys that are not wanted", lambda: b"[{" + _keys(500_000) + b'},{"a":1}]', REJECT,
        [["UNKNOWN_FIELD"] * 10, ["1"]], cost={"mib": 600}),
    Row("J14", "a million keys", lambda: b"[{" + _keys(1_000_000) + b'},{"a":1}]', A, [], ("RECORD_TOO_LARGE", 0, 1),
        cost={"mib": 800}),
    Row("J14", "half a million keys outside the records", lambda: b'{"x":{' + _keys(500_000) + b'},"a":[{"a":1}]}', AT_A,
        [["1"]]),
    Row("J14", "NDJSON", lambda: b"{" + _keys(500_000) + b'}\n{"a":1}', A, [[None], ["1"]], format=ND, cost={"mib": 500}),
    Row("J20", "a key of 8 MB that a message would quote", lambda: b'{"' + b"k" * 8_000_000 + b'":[]}', AT_A, [], WRONG),
]  # fmt: skip

ELSEWHERE: dict[str, str] = {}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_json_file_has_its_outcome(row: Row) -> None:
    """Code and place of what is wrong; everything else is read."""
    check(row, FileFormat.JSON)


@pytest.mark.skipif(not has_proc(), reason="a child's memory and CPU time are read from /proc")
@pytest.mark.parametrize("row", HEAVY, ids=str)
async def test_json_bomb_costs_little(row: Row, tmp_path: Path) -> None:
    """The same within bounds of memory and CPU, by the reader child with its limits."""
    await check_by_child(row, FileFormat.JSON, tmp_path)


def test_every_row_of_the_json_matrix_is_here() -> None:
    """None is forgotten."""
    assert [] == missing("J", 20, [*ROWS, *HEAVY], ELSEWHERE)
