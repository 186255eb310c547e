"""NDJSON: values in their own spelling, places, and what becomes of broken lines."""

import json
import math
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pipeline import elements
from tasks.pipeline.formats.ndjson import read
from tasks.pipeline.record import MAX_RECORD_BYTES, NotScalar, Problem, RecordErrorCode
from tests.tasks.pipeline.reading import read_every_way, read_once, schema, slices

AB = schema("a", "b")
TWO = [["1", "2"], ["3", "4"]]
MALFORMED = ["MALFORMED_RECORD"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":1,"b":2}\n{"a":3,"b":4}\n', id="lf"),
        pytest.param(b'{"a":1,"b":2}\r\n{"b":4,"a":"3"}\r\n', id="crlf"),
        pytest.param(b'{"a":1,"b":2}\n{"a":3,"b":4}', id="no-last-line-end"),
        pytest.param(b'\xef\xbb\xbf{"a":1,"b":2}\n{"a":3,"b":4}', id="utf-8-bom"),
        pytest.param('{"a":1,"b":2}\r\n{"a":3,"b":4}'.encode("utf-16"), id="utf-16-bom"),
        pytest.param(b'\n\r\n \t\n{"a":1,"b":2}\n\n\n  { "a" : 3 ,\t"b" : 4 } \n \n', id="blank-lines"),
        pytest.param(b'{"a":1,"x":[{"y":{}}],"b":2,"":null}\n{"a":3,"b":4,"A":5}', id="more-keys"),
    ],
)
def test_ndjson_reads_what_people_send(data: bytes) -> None:
    """The same records, written in many ways, read the same."""
    assert TWO == read_every_way(read, data, AB).plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('"x"', "x", id="string"),
        pytest.param('" x "', " x ", id="spaces-stay"),
        pytest.param("true", "true", id="true"),
        pytest.param("false", "false", id="false"),
        pytest.param("null", None, id="null"),
        pytest.param("-0", "-0", id="minus-zero"),
        pytest.param("1.50", "1.50", id="trailing-zero"),
        pytest.param("1E+400", "1E+400", id="exponent"),
        pytest.param("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827", id="long"),
        pytest.param("9" * 4301, "9" * 4301, id="4301-digits"),
        pytest.param('"\\ud800"', "\ud800", id="lone-surrogate-escape"),
        pytest.param('"\\ud83d\\ude00\\u0000"', "😀\0", id="escapes"),
        pytest.param('"ž😀\u2028"', "ž😀\u2028", id="non-ascii"),
        pytest.param('{"x": [1.50, true, null, "é\\n"]}', NotScalar('{"x":[1.50,true,null,"é\\n"]}'), id="object"),
        pytest.param("[ ]", NotScalar("[]"), id="array"),
    ],
)  # fmt: skip
def test_ndjson_values_keep_their_spelling(text: str, value: object) -> None:
    """Numbers, true and false come as they are spelled; null is None; what is no plain value says so."""
    reading = read_every_way(read, f'{{"a": "0", "b": 1}}\n{{"b": 2, "a": {text}}}\n'.encode(), AB)

    assert [("0", "1"), (value, "2")] == [record.row for record in reading.records]


def test_ndjson_absent_key_is_none() -> None:
    """A key that is not there gives None, as null does."""
    assert [[None, "1"], ["2", None]] == read_every_way(read, b'{"b":1}\n{"a":2}', AB).plain


@pytest.mark.parametrize(
    ("text", "row"),
    [
        pytest.param('{"c":{"e":"x","p":{"q":1}}}', ("x", "1"), id="nested"),
        pytest.param('{"c.e":"top","c":{"e":"x"},"c.p.q":2}', ("top", "2"), id="literal-dots-win"),
        pytest.param('{"c":{"p":{"q":null}}}', (None, None), id="null"),
        pytest.param('{"c":null}', (None, None), id="null-on-the-way"),
        pytest.param('{"c":"text"}', (None, None), id="text-on-the-way"),
        pytest.param('{"c":{"p":true}}', (None, None), id="true-on-the-way"),
        pytest.param('{"c":[{"e":1.0}]}', (NotScalar('[{"e":1.0}]'), NotScalar('[{"e":1.0}]')), id="array-on-the-way"),
        pytest.param('{"c":{"e":{"f":1.0}}}', (NotScalar('{"f":1.0}'), None), id="object-at-the-end"),
    ],
)  # fmt: skip
def test_ndjson_dotted_source_leads_into_objects(text: str, row: tuple[object, ...]) -> None:
    """A dotted source is a path; a key that is spelled with the dots wins."""
    assert [row] == [record.row for record in read_once(read, text.encode(), schema("c.e", "c.p.q")).records]


def test_ndjson_source_may_be_an_object_and_a_path() -> None:
    """An object is no plain value for the one field and the way to another."""
    reading = read_once(read, b'{"c":{"e":1}}', schema("c", "c.e"))

    assert [(NotScalar('{"e":1}'), "1")] == [record.row for record in reading.records]


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        pytest.param(b'{"a":1,', "MALFORMED_RECORD", "enclosed in double quotes at column 8", id="truncated"),
        pytest.param(b'{"a" 1}', "MALFORMED_RECORD", "Expecting ':' delimiter at column 6", id="no-colon"),
        pytest.param(b'  {"a" 1}', "MALFORMED_RECORD", "Expecting ':' delimiter at column 8", id="indented"),
        pytest.param(b"{'a':1}", "MALFORMED_RECORD", "column 2", id="single-quotes"),
        pytest.param(b'{"a":1,}', "MALFORMED_RECORD", "column 8", id="trailing-comma"),
        pytest.param(b'{"a":}', "MALFORMED_RECORD", "Expecting value at column 6", id="no-value"),
        pytest.param(b"x", "MALFORMED_RECORD", "Expecting value at column 1", id="no-json"),
        pytest.param(b'{"a":1} {"b":2}', "MALFORMED_RECORD", "follows the record at column 9", id="two-on-a-line"),
        pytest.param(b'{"a":1},', "MALFORMED_RECORD", "follows the record at column 8", id="comma-behind"),
        pytest.param(b'{"a":NaN}', "MALFORMED_RECORD", "NaN is no JSON number", id="nan"),
        pytest.param(b'{"a":-Infinity}', "MALFORMED_RECORD", "-Infinity is no JSON number", id="infinity"),
        pytest.param(b'{"a":"\t"}', "MALFORMED_RECORD", "control character at column 7", id="control-character"),
        pytest.param(b'{"a":"x}', "MALFORMED_RECORD", "Unterminated string at column 6", id="open-string"),
        pytest.param(b'{"a":01}', "MALFORMED_RECORD", "column 7", id="leading-zero"),
        pytest.param(b'{"a":1}\x0b', "MALFORMED_RECORD", "column 8", id="vertical-tab"),
        pytest.param(b'\xff{"a":1}', "MALFORMED_RECORD", "Expecting value at column 1", id="invalid-byte-outside"),
        pytest.param(b'{"a":' + b"[" * 100_000, "MALFORMED_RECORD", "nested too deeply", id="deep"),
        pytest.param(b"[1,2]", "NOT_AN_OBJECT", "found an array", id="array"),
        pytest.param(b'"a"', "NOT_AN_OBJECT", "found a plain value", id="string"),
        pytest.param(b"null", "NOT_AN_OBJECT", "found null", id="null"),
        pytest.param(b'{"a":1,"b":2,"a":3}', "DUPLICATE_KEY", "'a'", id="duplicate"),
        pytest.param(b'{"x":1,"x":1}', "DUPLICATE_KEY", "'x'", id="duplicate-unmapped"),
        pytest.param(b'{"c":{"e":1,"e":1}}', "DUPLICATE_KEY", "'c.e'", id="duplicate-on-a-path"),
    ],
)  # fmt: skip
def test_ndjson_bad_line_rejects_its_record_alone(line: bytes, code: str, message: str) -> None:
    """A line that is no JSON object is one fault, with what is wrong where; the others go on."""
    data = b'{"a":1,"b":2}\n' + line + b'\n{"a":3,"b":4}\n'

    reading = read_every_way(read, data, schema("a?", "b?", "c.e?"))

    assert [["1", "2", None], [code], ["3", "4", None]] == reading.plain
    (problem,) = reading.records[1].faults
    assert message in problem.message
    assert (None, ()) == (problem.field, reading.records[1].row)
    assert line.decode("utf-8", "surrogateescape") == problem.raw
    assert line + b"\n" == slices(data, reading)[1]


def test_ndjson_duplicate_key_off_the_mapped_paths_is_none_of_ours() -> None:
    """An object that the schema does not look into may have a key twice."""
    assert TWO == read_once(read, b'{"a":1,"b":2,"x":{"y":1,"y":2}}\n{"a":3,"b":4}', AB).plain


@pytest.mark.parametrize(
    ("line", "row", "codes"),
    [
        pytest.param(b'{"a":"\xff","b":1}', ("\udcff", "1"), [], id="mapped"),
        pytest.param(b'{"a":["\xff"],"b":1}', (NotScalar('["\udcff"]'), "1"), [], id="mapped-array"),
        pytest.param(b'{"a":2,"b":1,"x":"\xff"}', ("2", "1"), ["INVALID_CHARACTER"], id="unmapped"),
        pytest.param(b'{"a":2,"b":1,"\xff":0}', ("2", "1"), ["INVALID_CHARACTER"], id="key"),
        pytest.param(b'{"a":2,"b":1,"x":"\\ud800"}', ("2", "1"), [], id="unmapped-escape"),
    ],
)
def test_ndjson_invalid_byte_rejects_its_record(
    line: bytes, row: tuple[object, ...], codes: list[str]
) -> None:
    """In a mapped value it stays as a lone surrogate, for validation to name; elsewhere it is a fault."""
    first, second = read_every_way(read, b'{"a":"\xc3\xa9","b":"x"}\n' + line, AB).records

    assert (("é", "x"), []) == (first.row, first.codes)
    assert (row, codes) == (second.row, second.codes)


def test_ndjson_bad_utf16_is_kept_as_lone_surrogates() -> None:
    """Half of a pair in UTF-16 stays in the value; offsets stay those of the file."""
    lines = [
        '{"a":"'.encode("utf-16-le") + b"\x00\xd8" + '","b":1}\n'.encode("utf-16-le"),
        '{"a":"😀","b":1}\n'.encode("utf-16-le"),
    ]
    data = b"\xff\xfe" + b"".join(lines)

    reading = read_once(read, data, AB)

    assert [["\ud800", "1"], ["😀", "1"]] == reading.plain
    assert lines == slices(data, reading)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16"])
def test_ndjson_declared_encoding_counts(encoding: str) -> None:
    """The schema's encoding decides."""
    data = '{"a":"ø","b":1}'.encode({"utf-16": "utf-16-be"}.get(encoding, encoding))

    assert [["ø", "1"]] == read_once(read, data, schema("a", "b", encoding=encoding)).plain


def test_ndjson_unknown_keys_are_rejected_where_the_schema_says_so() -> None:
    """Each key without a field is a fault, at the top and in objects on a mapped path, in the line's own order."""
    line = b'{"a":1,"x":[1.0],"c":{"e":2,"z":null},"y":true}\n{"a":1,"c":"text"}\n{"a":1,"c":null}'

    records = read_every_way(read, line, schema("a", "c.e?", unknown_fields="REJECT")).records

    assert [("1", "2"), ("1", None), ("1", None)] == [record.row for record in records]
    found = [[(p.code, p.message.split("'")[1], p.raw) for p in record.faults] for record in records]
    assert [
        [("UNKNOWN_FIELD", "x", "[1.0]"), ("UNKNOWN_FIELD", "c.z", None), ("UNKNOWN_FIELD", "y", "true")],
        [("UNKNOWN_FIELD", "c", "text")],
        [],
    ] == found


def test_ndjson_reports_ten_unknown_keys_at_most() -> None:
    """However many there are, a record has few problems; the last of them says how many more there would be."""
    line = json.dumps({"a": 1} | {f"k{n}": [n] for n in range(3_000)}).encode()

    (record,) = read_once(read, line, schema("a", unknown_fields="REJECT")).records

    assert [f"[{n}]" for n in range(10)] == [problem.raw for problem in record.faults]
    assert record.faults[8].message.endswith("add it to the schema.")
    assert record.faults[9].message.endswith("… and 2,990 more like this.")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([list(range(10))] * 10_000, id="array"),
        pytest.param({f"k{n}": True for n in range(10_000)}, id="object"),
        pytest.param(["é" * 5_000], id="string"),
        pytest.param([{"é" * 5_000: None}], id="key"),
        pytest.param(["x" * 1_018, 1.5], id="at-the-border"),
    ],
)
def test_ndjson_nested_value_is_cut(value: object) -> None:
    """Of a large nested value only its beginning is written, as nobody will see more."""
    whole = json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    (record,) = read_once(read, json.dumps({"a": value}).encode(), schema("a")).records

    assert (NotScalar(whole[:1024]),) == record.row


def test_ndjson_decodes_a_record_with_many_nested_values_once_more() -> None:
    """Its numbers' spelling takes a second decoding, whatever the number of its nested values."""
    sources = [f"k{n}.x" for n in range(50)]
    line = "{" + ",".join(f'"k{n}":[{n}.0]' for n in range(50)) + ',"u":[1],"v":[2]}'
    definition = schema(*sources, unknown_fields="REJECT")
    counted = mock.Mock(wraps=elements.make_scan())

    with mock.patch.object(elements, "make_scan", return_value=counted):
        read_once(read, "\n".join([line] * 3).encode(), definition)

    assert 3 == counted.call_count


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        pytest.param(b"", "FILE_EMPTY", id="no-bytes"),
        pytest.param(b"\xef\xbb\xbf", "FILE_EMPTY", id="bom"),
        pytest.param(b"\xff\xfe", "FILE_EMPTY", id="utf-16-bom"),
        pytest.param(b" \n\r\n\t", "FILE_EMPTY", id="white-space"),
        pytest.param(b"\x1f\x8b\x08\x00", "UNSUPPORTED_FORMAT", id="gzip"),
        pytest.param('{"a":1}'.encode("utf-16-le"), "ENCODING", id="utf-16-no-bom"),
        pytest.param(b" " * (MAX_RECORD_BYTES + 1), "RECORD_TOO_LARGE", id="endless-line"),
    ],
)
def test_ndjson_unreadable_file_ends_the_job(data: bytes, failure: str) -> None:
    """What cannot be read at all says why, and gives no record."""
    reading = read_once(read, data, AB)

    assert [] == reading.records
    assert failure in reading.failure


def test_ndjson_too_long_line_ends_the_job() -> None:
    """A line longer than a record may be is RECORD_TOO_LARGE, after what came before; one just short of it is read."""
    whole = b'{"a":"%s","b":2}\n' % (b"x" * (MAX_RECORD_BYTES - 20))
    data = b'{"a":1,"b":2}\n\n' + whole + b'{"a":"' + b"x" * MAX_RECORD_BYTES + b'"}\n{"a":1}\n'

    reading = read_once(read, data, AB)

    assert ["1", "2"] == reading.plain[0]
    assert 2 == len(reading.records)
    assert reading.error is not None
    assert ("RECORD_TOO_LARGE", 4, 2) == (reading.error.code, reading.error.line, reading.error.record_index)


def test_ndjson_array_file_is_rejected_line_by_line() -> None:
    """A JSON array sent as NDJSON: every line is a fault of its own."""
    reading = read_once(read, b'[\n{"a":1,"b":2},\n{"a":3,"b":4}\n]\n', AB)

    assert [MALFORMED, MALFORMED, ["3", "4"], MALFORMED] == reading.plain


def test_ndjson_fault_holds_what_stood_there() -> None:
    """The record's own text goes with its fault."""
    (record,) = read_once(read, b" [1, 2] \r\n", AB).records

    message = 'Expected an object ({"key": value, ...}), found an array.'
    assert (Problem(None, RecordErrorCode.NOT_AN_OBJECT, message, "[1, 2]"),) == record.faults


def test_ndjson_as_deep_as_it_can_be_read() -> None:
    """A value too deep to write anew is still no plain value, not a crash."""
    for depth in range(300, 1000, 23):
        (record,) = read_once(read, b'{"b":1,"a":' + b"[" * depth + b"]" * depth + b"}", AB).records
        assert record.faults or isinstance(record.row[0], NotScalar)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(
    records=st.lists(
        st.dictionaries(st.sampled_from(["a", "b", "c", "d.e", ""]), JSON), min_size=1, max_size=6
    ),
    ascii=st.booleans(),
)
def test_ndjson_reads_what_python_writes(records: list[dict[str, object]], ascii: bool) -> None:
    """Each value is json.loads of what was written: by its own spelling, or as compact JSON."""
    data = "".join(json.dumps(record, ensure_ascii=ascii) + "\n" for record in records).encode()

    reading = read_every_way(read, data, schema("a?", "b?"), sizes=(1,))

    for record, found in zip(records, reading.records, strict=True):
        for key, value in zip("ab", found.row, strict=True):
            assert not found.faults
            wanted = record.get(key)
            if isinstance(wanted, str) or wanted is None:
                assert wanted == value
            else:
                text = value.text if isinstance(value, NotScalar) else value
                assert isinstance(value, NotScalar) == isinstance(wanted, list | dict)
                assert text is not None
                assert same(wanted, json.loads(text))


def same(wanted: object, found: object) -> bool:
    """Equal, and of the same kind: 1, 1.0 and true differ."""
    if isinstance(wanted, float) and isinstance(found, float):
        return math.copysign(1, wanted) == math.copysign(1, found) and wanted == found
    return type(wanted) is type(found) and wanted == found


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=60) | st.text('{}[]":,a1\\\n ', max_size=40).map(str.encode))
def test_ndjson_takes_any_bytes(data: bytes) -> None:
    """Any bytes give records or a FileError, and nothing else."""
    read_once(read, data, schema("a?"))
    read_once(read, b'{"a":1}\n' + data, schema("a?", "a.a?", unknown_fields="REJECT"))
