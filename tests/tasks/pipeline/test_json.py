import json
from typing import Any

import ijson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.pipeline.errors import FailureCode
from tasks.pipeline.formats.json import read
from tasks.pipeline.record import MAX_RAW_CHARS
from tests.tasks.pipeline.documents import failure, read_chunks, read_every_way
from tests.tasks.pipeline.reading import read_once, schema

A = schema("a?")
ORDERS = schema("a?", record_path="data.orders")


def plain(data: str | bytes, **options: Any) -> list[Any]:
    """The rows of a document that reads to its end."""
    encoded = data.encode() if isinstance(data, str) else data
    reading = read_every_way(read, encoded, schema("a?", "b?", **options))
    assert reading.error is None
    return reading.plain


def test_ijson_runs_on_yajl() -> None:
    """The backend that we count on is there: the pure Python one accepts what is no JSON."""
    assert "yajl2_c" == ijson.backend


@pytest.mark.parametrize(
    "text",
    [
        '[{"a":1,"b":"x"},{"a":2}]',
        '[\n  {"a": 1, "b": "x"},\n  {"a": 2}\n]\n',
        '\r\n[ {"b":"x","a":1}\t,\r\n{"c":[{}],"a":2} ] \n',
        '\ufeff[{"a":1,"b":"x"},{"a":2}]',
        '[{"a":1,"b":"\\u0078"},{"a":2,"b":null}]',
    ],
    ids=["compact", "indented", "odd white space", "byte order mark", "escapes and null"],
)
def test_json_reads_the_array_at_the_top(text: str) -> None:
    """However it is written, an array of objects is a list of records."""
    assert [["1", "x"], ["2", None]] == plain(text)


@pytest.mark.parametrize("text", ["[]", " [ ]\n", '{"orders":[]}'])
def test_json_with_an_empty_array_has_no_records(text: str) -> None:
    """It is read to its end without a record."""
    assert [] == plain(text, record_path="orders" if "orders" in text else None)


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("1.50", "1.50"),
        ("-0", "-0"),
        ("1E+400", "1E+400"),
        ("9" * 5000, "9" * 5000),
        ("true", "true"),
        ("false", "false"),
        ("null", None),
        ('"é€\U0001f600"', "é€\U0001f600"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\ud800"', "\ud800"),
        ('"\\u0000"', "\0"),
        ('""', ""),
        ('" x "', " x "),
        ('{"x": [1.0, true, "y"]}', '{"x":[1.0,true,"y"]}'),
        ("[]", "[]"),
    ],
    ids=lambda value: str(value)[:12].encode("unicode_escape").decode(),
)
def test_json_keeps_a_value_as_it_stands(spelling: str, expected: str | None) -> None:
    """Numbers and booleans keep their spelling, strings are decoded, the rest is compact JSON."""
    assert [[expected, None]] == plain(f'[{{"a":{spelling}}}]')


@pytest.mark.parametrize(
    ("element", "codes"),
    [
        ('{"a":1,"a":2}', ["DUPLICATE_KEY"]),
        ("1", ["NOT_AN_OBJECT"]),
        ('"x"', ["NOT_AN_OBJECT"]),
        ("null", ["NOT_AN_OBJECT"]),
        ("[[]]", ["NOT_AN_OBJECT"]),
        ('{"a":1,"c":2,"d":3}', ["UNKNOWN_FIELD", "UNKNOWN_FIELD"]),
    ],
)
def test_json_rejects_a_record_and_goes_on(element: str, codes: list[str]) -> None:
    """What is wrong with one element is a fault of that record, with its text, and the next is read."""
    data = f'[{{"a":0}},\n{element} , {{"a":9}}]'.encode()
    reading = read_once(read, data, schema("a?", unknown_fields="REJECT"))

    assert [["0"], codes, ["9"]] == reading.plain
    assert 2 == reading.records[1].line
    if "UNKNOWN_FIELD" not in codes:
        assert element == reading.records[1].faults[0].raw


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("data.orders", '{"data":{"orders":[{"a":1}]}}'),
        ("data.orders", '{"x":[[{"orders":[1]}]],"data":{"y":{},"orders":[{"a":1}],"z":"["},"w":[0]}\n'),
        ("orders", '{"[orders":"[\\"[","orders" : \n [ {"a":1} ] }'),
        ("data.orders", '{"data.orders":[{"a":1}]}'),
        (
            "orders",
            r'{"x":"\"[\\","[y\\":"[\\\"[","\\":{"[":"\u005b["},"orders":[{"a":1}],"z":"\\\"[","w\"":"["}',
        ),
        ("", '{"x":1}'),
    ],
)
def test_json_finds_the_array_at_the_record_path(path: str, text: str) -> None:
    """The dotted path leads through objects, whatever else the document holds."""
    if path:
        assert [["1", None]] == plain(text, record_path=path)
    else:
        assert failure(read_every_way(read, text.encode(), A))[0] == FailureCode.WRONG_STRUCTURE


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (None, '{"data":{"orders":[],"x":[]}}', "found an object"),
        (None, '{"data":{"orders":[],"x":[]}}', "data.orders, data.x"),
        (None, '{"data":1}', "recordPath"),
        (None, "12", "a number"),
        (None, '"x"', "a string"),
        (None, "null", "found null"),
        (None, '{"":[1]}', "found an object"),
        ("data.orders", '{"data":{"orders":{}}}', "leads to an object"),
        ("data.orders", '{"data":{"orders":"[]"}}', "leads to a string"),
        ("data.orders", '{"data":{}}', "leads nowhere"),
        ("data.orders", "[]", "the file holds an array"),
        ("data.orders", '{"data":[{"orders":[1]}]}', "leads nowhere"),
        ("data.orders", '{"data":{"orders":[],"orders":[]}}', "leads to two places"),
        ("data.orders", '{"data":{"orders":1,"orders":[]}}', "leads to two places"),
        ("data.orders", '{"data":{"orders":[]},"data":{"orders":null}}', "leads to two places"),
    ],
)
def test_json_says_what_stands_where_records_are_wanted(path: str | None, text: str, found: str) -> None:
    """Anything but one array at the path is WRONG_STRUCTURE, and the message helps."""
    reading = read_every_way(read, text.encode(), schema("a?", record_path=path))

    assert failure(reading)[0] == FailureCode.WRONG_STRUCTURE
    assert reading.error is not None
    assert found in reading.error.message
    assert "recordPath" in reading.error.message


@pytest.mark.parametrize(
    ("text", "code", "index", "line"),
    [
        ("", "FILE_EMPTY", None, None),
        ("\ufeff", "FILE_EMPTY", None, None),
        (" \n\t\r\n", "FILE_EMPTY", None, None),
        ('[{"a":0},\n{"a":1,}]', "MALFORMED", 1, 2),
        ('[{"a":0},\n]', "MALFORMED", 1, 2),
        ('[{"a":0}\n{"a":1}]', "MALFORMED", 1, 2),
        ('[{"a":0}{"a":1}]', "MALFORMED", 1, 1),
        ('[{"a":0}"x"]', "MALFORMED", 1, 1),
        ('[{"a":0},\n,{"a":1}]', "MALFORMED", 1, 2),
        ('[,{"a":1}]', "MALFORMED", 0, 1),
        ('[{"a":0},{"a":\nNaN}]', "MALFORMED", 1, 1),
        ('[{"a":0},{"a":-Infinity}]', "MALFORMED", 1, 1),
        ('[{"a":0},\n\n{"a": \n/* x */ 1}]', "MALFORMED", 1, 4),
        ("[{'a':0}]", "MALFORMED", 0, 1),
        ('[{"a":0}, {"a":"x\ny"}]', "MALFORMED", 1, 1),
        ('[{"a":0}, {"a":"\t"}]', "MALFORMED", 1, 1),
        ('[{"a":0}, {"a":"\\x"}]', "MALFORMED", 1, 1),
        ('[{"a":0}, {"a":01}]', "MALFORMED", 1, 1),
        ('[{"a":0}, {"a":nul}]', "MALFORMED", 1, 1),
        ('[{"a":0}\f]', "MALFORMED", 1, 1),
        ('\f[{"a":0}]', "MALFORMED", None, 1),
        ('[{"a":0}]\f', "MALFORMED", None, 1),
        ('[{"a":0}]\n\nx', "MALFORMED", None, 3),
        ('[{"a":0}]]', "MALFORMED", None, 1),
        ('[{"a":0}]\n"', "MALFORMED", None, 2),
        ('[{"a":0}]\n"x]', "MALFORMED", None, 2),
        ('[{"a":0}]nul', "MALFORMED", None, 1),
        ('[{"a":0}]1', "MALFORMED", None, 1),
        ('[{"a":0}e', "MALFORMED", 1, 1),
        ("\n\n]", "MALFORMED", None, 3),
        ('{"x":\n\n\v1}', "MALFORMED", None, 3),
        ('{"x":\n\n+1}', "MALFORMED", None, 3),
        ('{"a":0}\n{"a":1}', "MALFORMED", None, 2),
        ('{"x":1e99999999999999999999}', "MALFORMED", None, 1),
        ('[{"a":0},', "TRUNCATED", 1, 1),
        ('[{"a":0},\n{"a":"', "TRUNCATED", 1, 2),
        ('{"data":{"orders"', "TRUNCATED", None, 1),
        ("[" * 100_000, "TOO_DEEP", 0, 1),
        ('{"a":' * 100_000, "TOO_DEEP", None, 1),
        ('[{"a":0},\n{"a":' + "[" * 100_000, "TOO_DEEP", 1, 2),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_json_tells_the_place_of_damage(text: str, code: str, index: int | None, line: int | None) -> None:
    """Damage ends the reading with a code, the record and the line, after every whole record before it."""
    reading = (
        read_every_way(read, text.encode(), A) if len(text) < 1000 else read_once(read, text.encode(), A)
    )

    assert (code, index, line) == failure(reading)
    assert [["0"]] * text.count('{"a":0}') * (text.lstrip("\ufeff")[:1] == "[") == reading.plain


def test_json_points_out_ndjson() -> None:
    """An object on each line is NDJSON, which the message says."""
    assert "NDJSON" in read_once(read, b'{"a":0}\n{"a":1}', A).failure


@pytest.mark.parametrize("definition", [A, ORDERS], ids=["top", "path"])
def test_json_that_is_cut_off_is_truncated_wherever_it_ends(definition: Any) -> None:
    """Every beginning of a document is TRUNCATED, and every object that is whole is read."""
    text = '[{"a":-1.5e+3},{"a":"\\"\\u00e9\\ud83d\\ude00 é"}, {"b":[true,false,null,{}]}\n]'
    if definition is ORDERS:
        text = f'{{"x":[1.0,"\\u00e9"],"data":{{"orders":{text},"y":true}}}}'
    data = text.encode()
    ends = [position + 1 for position, byte in enumerate(data) if byte == ord("}")]
    for length in range(1, len(data)):
        reading = read_once(read, data[:length], definition)
        assert failure(reading)[0] == FailureCode.TRUNCATED, data[:length]
        if definition is A:
            whole = sum(end <= length for end in (ends[0], ends[1], ends[3]))
            assert whole == len(reading.records), data[:length]
            assert (
                reading.error is None
                or "character" in reading.failure
                or f" {whole} whole" in reading.failure
            )


@pytest.mark.parametrize(
    ("codec", "encoding", "text"),
    [
        ("utf-8", None, '[{"a":"é"},\n{"a":"\U0001f600"},{"a":"x"}]'),
        ("utf-8-sig", None, '[{"a":"é"},\n{"a":"\U0001f600"},{"a":"x"}]'),
        ("utf-8", "utf-8", '[{"a":"é"},\n{"a":"\U0001f600"},{"a":"x"}]'),
        ("utf-16", None, '[{"a":"é"},\n{"a":"\U0001f600"},{"a":"x"}]'),
        ("utf-16", "utf-16", '[{"a":"é"},\n{"a":"\U0001f600"},{"a":"x"}]'),
        ("utf-16-le", "utf-16", '[{"a":"é"},\n{"a":"\U0001f600"},{"a":"x"}]'),
        ("utf-16-be", "utf-16", '[{"a":"é"},\n{"a":"\U0001f600"},{"a":"x"}]'),
        ("iso-8859-1", "iso-8859-1", '[{"a":"é"},\n{"a":"\x80"},{"a":"x"}]'),
        ("windows-1252", "windows-1252", '[{"a":"é"},\n{"a":"€"},{"a":"x"}]'),
    ],
)
def test_json_is_read_in_its_encoding(codec: str, encoding: str | None, text: str) -> None:
    """Text, lines and byte offsets are right in each encoding."""
    data = text.encode(codec)
    reading = read_every_way(read, data, schema("a", encoding=encoding), codec)

    assert [[element["a"]] for element in json.loads(text)] == reading.plain
    assert [1, 2, 2] == [record.line for record in reading.records]
    for record, element in zip(reading.records, json.loads(text), strict=True):
        rest = data[record.offset :].decode(codec.removesuffix("-sig"))
        assert rest.startswith(json.dumps(element, ensure_ascii=False, separators=(",", ":")))


@pytest.mark.parametrize(
    ("data", "encoding", "index", "line", "place"),
    [
        (b'[{"a":"0"},\n{"a":"\xff"}]', None, 1, 2, 18),
        (b'[{"a":"0"}\xc3\x28]', None, 1, 1, 10),
        (b'[{"a":"0"},{"\xed\xa0\x80":1}]', None, 1, 1, 13),
        (b'[{"a":"0"}]\n\xff', None, None, 2, 12),
        (b'{"\xff":1}', None, None, 1, 2),
        (b'[{"a":"0"},{"a":"\x81"}]', "windows-1252", 1, 1, 17),
        ('[{"a":"0"},{"a":"'.encode("utf-16-le") + b'\x00\xd8"\x00', "utf-16", 1, 1, 34),
        ('[{"a":"0"}]'.encode("utf-16"), "utf-8", None, 1, 0),
    ],
)
def test_json_with_a_byte_that_does_not_decode_is_refused(
    data: bytes, encoding: str | None, index: int | None, line: int, place: int
) -> None:
    """A byte that is wrong anywhere is ENCODING, with its place, after the whole records before it."""
    codec = "utf-16-le" if encoding == "utf-16" else "latin-1"
    reading = read_every_way(read, data, schema("a", encoding=encoding), codec)

    assert (FailureCode.ENCODING, index, line) == failure(reading)
    assert f"Byte {place} " in reading.failure
    assert reading.plain == ([["0"]] if place > 2 else [])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "[", "é"]), VALUES), max_size=5)
SAFE_KEYS = st.text(st.characters(codec="utf-8", exclude_characters=".\0"), min_size=1, max_size=4)


def spelled(value: Any) -> str | None:
    """A value as the reader is to give it, with JSON numbers as Python writes them."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:MAX_RAW_CHARS]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    records=RECORDS,
    keys=st.lists(SAFE_KEYS, max_size=3),
    beside=VALUES,
    indent=st.sampled_from([None, 0, 1, "\t"]),
    escaped=st.booleans(),
    block_bytes=st.integers(1, 40),
)
def test_json_reads_back_what_json_dumps_wrote(
    records: list[Any], keys: list[str], beside: Any, indent: Any, escaped: bool, block_bytes: int
) -> None:
    """Random records at random paths, however written and wherever cut, come back equal and from their offsets."""
    document: Any = records
    for key in reversed(keys):
        document = {key: document, f"{key}?": beside}
    try:
        data = json.dumps(document, indent=indent, ensure_ascii=escaped).encode()
    except UnicodeEncodeError:
        return  # a lone surrogate has no bytes
    definition = schema("a?", "b?", record_path=".".join(keys) or None)
    chunks = list(read_chunks(data, definition, block_bytes))

    rows = [list(map(text_of, row)) for chunk in chunks for row in chunk.rows]
    assert [[spelled(record.get("a")), spelled(record.get("b"))] for record in records] == rows
    offsets = [offset for chunk in chunks for offset in chunk.offsets]
    decode = json.JSONDecoder().raw_decode
    assert records == [decode(data[offset:].decode())[0] for offset in offsets]
    lines = [line for chunk in chunks for line in chunk.lines]
    assert [1 + data[:offset].count(b"\n") for offset in offsets] == lines


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        ('[{"a":1}\n{"a":2}]', 1, "index 1 is not valid JSON: a comma or the closing bracket is missing before it (line 2, byte 9)."),
        ('[{"a":"é"},\n]', 1, "index 1 is not valid JSON: there is no record after the comma (line 2, byte 13)."),
        ('\ufeff[{"a":1},\n{"a" 2}]', 1, "index 1 is not valid JSON: Expecting ':' delimiter (line 2, byte 18)."),
        ("[1x]", 0, "index 0 is not valid JSON: a comma or the closing bracket is missing after it (line 1, byte 2)."),
        ('[{"a":"é"} x]', 1, "index 1 is not valid JSON: a comma or the closing bracket is missing before it (line 1, byte 12)."),
    ],
)  # fmt: skip
def test_json_damage_is_told_with_index_line_and_byte(text: str, rows: int, message: str) -> None:
    """The message names the record that could not be read, as recordIndex does, wherever the reader began."""
    reading = read_every_way(read, text.encode(), A)

    assert rows == len(reading.records)
    assert reading.error is not None
    assert rows == reading.error.record_index
    for start in reading.ends:
        error = read_once(read, text.encode(), A, start).error
        assert error is not None
        assert message in error.message


def text_of(value: Any) -> Any:
    """A value's text."""
    return getattr(value, "text", value)
