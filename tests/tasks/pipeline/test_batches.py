"""Records become COPY rows: accepted ones or errors, never both, and every byte comes back as it was."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, BinaryIO
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pipeline.batches import batch, batches
from tasks.pipeline.definition import Definition, define
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.formats import READERS, format_of
from tasks.pipeline.record import (
    Batch,
    Chunk,
    ChunkSize,
    FileFormat,
    NotScalar,
    Position,
    Problem,
    Reader,
    RecordErrorCode,
    Value,
)
from tasks.pipeline.validator import Validator

JOB = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
FIRST = 1_000
Row = Sequence[Value]

TWO_FIELDS = define(
    {
        "fields": [
            {"name": "id", "type": "INTEGER"},
            {"name": 'full "name"\t%s', "type": "STRING", "required": False, "max_length": 2_000},
        ]
    }
)
TEXT = define({"fields": [{"name": "t", "type": "STRING", "trim": False, "null_values": []}]})


def loaded(
    rows: Sequence[Row], definition: Definition = TWO_FIELDS, faults: dict[int, list[Problem]] | None = None
) -> Batch:
    """The batch of these rows: the k-th has index 1000 + k, line k + 2 and offset 10 * k."""
    numbers = range(len(rows))
    chunk = Chunk(
        FIRST,
        [k + 2 for k in numbers],
        [10 * k for k in numbers],
        list(rows),
        faults or {},
        Position(FIRST + len(rows), 7, 9),
    )
    return batch(chunk, Validator(definition), JOB)


def copied(copy_text: bytes) -> list[list[str | None]]:
    """What PostgreSQL reads from COPY text."""
    assert copy_text == b"" or copy_text.endswith(b"\n")
    escapes = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}

    def cell(text: str) -> str | None:
        return None if text == "\\N" else re.sub(r"\\(.)", lambda found: escapes[found[1]], text)

    lines = copy_text.decode().split("\n")[:-1]
    assert "\r" not in copy_text.decode()
    assert "\0" not in copy_text.decode()
    return [[cell(text) for text in line.split("\t")] for line in lines]


def records(result: Batch) -> dict[int, Any]:
    """Index -> data of the accepted records."""
    rows = copied(result.records)
    assert {str(JOB)} >= {row[0] for row in rows}
    return {int(row[1] or ""): json.loads(row[2] or "") for row in rows}


def errors(result: Batch) -> list[tuple[str | None, ...]]:
    """(index, seq, line, byte offset, field, code, raw value) of each error row; its message is there."""
    rows = copied(result.errors)
    assert all(row[0] == str(JOB) and row[8] for row in rows)
    return [(*row[1:5], *row[6:8], row[9]) for row in rows]


def test_accepted_records_become_json_of_every_field() -> None:
    """One COPY row each, with every field of the schema, null where missing."""
    result = loaded([("+1", ' a\\b "c"\n'), ("2", None), ("3", "%d\té")])

    name = 'full "name"\t%s'
    assert {
        1000: {"id": 1, name: 'a\\b "c"'},
        1001: {"id": 2, name: None},
        1002: {"id": 3, name: "%d\té"},
    } == records(result)
    assert (FIRST, Position(1003, 7, 9), 3, 0, b"", Counter()) == (
        result.first_index,
        result.end,
        result.accepted,
        result.rejected,
        result.errors,
        result.error_counts,
    )


def test_copy_rows_are_written_as_postgresql_reads_them() -> None:
    """The exact bytes, once: backslashes of JSON doubled, cells between tabs."""
    result = loaded([("1", 'a"\\'), ("x", None)])

    assert (
        f'{JOB}\t1000\t{{"id":1,"full \\\\"name\\\\"\\\\t%s":"a\\\\"\\\\\\\\"}}\n' == result.records.decode()
    )
    assert f"{JOB}\t1001\t0\t3\t10\t-3\tid\tINVALID_INTEGER\t" in result.errors.decode()


def test_numbers_keep_all_their_digits_in_the_record() -> None:
    """No float on the way: the JSON holds what the file held."""
    digits = "123456789012345678901234567890.10"
    result = loaded([(digits,)], define({"fields": [{"name": "n", "type": "NUMBER"}]}))

    assert f'{JOB}\t1000\t{{"n":{digits}}}\n'.encode() == result.records


def test_every_failing_field_is_reported_in_the_schemas_order() -> None:
    """A rejected record is in the errors only, with one row for each failing field."""
    result = loaded([("1", "a"), ("x", "b" * 2001), ("3", "c"), (None, "d")])

    assert [1000, 1002] == list(records(result))
    assert [
        ("1001", "0", "3", "10", "id", "INVALID_INTEGER", "x"),
        ("1001", "1", "3", "10", 'full "name"\t%s', "TOO_LONG", "b" * 1024),
        ("1003", "0", "5", "30", "id", "REQUIRED", None),
    ] == errors(result)
    assert (2, 2) == (result.accepted, result.rejected)
    assert {
        ("id", "INVALID_INTEGER"): 1,
        ('full "name"\t%s', "TOO_LONG"): 1,
        ("id", "REQUIRED"): 1,
    } == result.error_counts


def test_faults_of_the_record_come_before_those_of_its_fields() -> None:
    """A row that is there is decided beside its fault; a row that is not there has its fault alone."""
    unknown = Problem(None, RecordErrorCode.UNKNOWN_FIELD, 'There is no field "z\udcff".', "zz")
    ragged = Problem(None, RecordErrorCode.COLUMN_COUNT, "Expected 2 columns.", "a,b,\tc\\")
    rows: list[Row] = [(), ("x", "a"), ("2", "b"), ("3", "c"), ("x", "d")]
    result = loaded(rows, faults={0: [ragged], 1: [unknown], 3: [unknown, unknown]})

    assert [1002] == list(records(result))
    assert [
        ("1000", "0", "2", "0", None, "COLUMN_COUNT", "a,b,\tc\\"),
        ("1001", "0", "3", "10", None, "UNKNOWN_FIELD", "zz"),
        ("1001", "1", "3", "10", "id", "INVALID_INTEGER", "x"),
        ("1003", "0", "5", "30", None, "UNKNOWN_FIELD", "zz"),
        ("1003", "1", "5", "30", None, "UNKNOWN_FIELD", "zz"),
        ("1004", "0", "6", "40", "id", "INVALID_INTEGER", "x"),
    ] == errors(result)
    assert (1, 4) == (result.accepted, result.rejected)
    assert {
        (None, "COLUMN_COUNT"): 1,
        (None, "UNKNOWN_FIELD"): 3,
        ("id", "INVALID_INTEGER"): 2,
    } == result.error_counts
    assert 'There is no field "z\\xFF".' == copied(result.errors)[1][8]


def test_error_rows_tell_how_far_their_record_reaches_and_what_no_field_names() -> None:
    """To where the next record begins, or the chunk ends; the source of what the schema has no field for."""
    unknown = Problem(None, RecordErrorCode.UNKNOWN_FIELD, "There is no field.", "zz", 'custo"mer\t.z\udcff')
    result = loaded([("x", "a"), ("2", "b"), ("3", "c")], faults={2: [unknown]})

    assert [("1000", "10", None), ("1002", "-13", 'custo"mer\t.z\\xFF')] == [
        (row[1], row[5], row[10]) for row in copied(result.errors)
    ]


def test_chunk_of_faults_alone_has_no_records() -> None:
    """No row to decide is no reason to stumble."""
    ragged = Problem(None, RecordErrorCode.COLUMN_COUNT, "Expected 2 columns.", None)
    result = loaded([(), ()], faults={0: [ragged], 1: [ragged]})

    assert (b"", 0, 2) == (result.records, result.accepted, result.rejected)
    assert [("1000", None), ("1001", None)] == [(row[0], row[6]) for row in errors(result)]


def test_chunk_without_records_moves_the_end_alone() -> None:
    """A file's last lines may hold no record."""
    result = loaded([])

    assert (b"", b"", 0, 0, 1000) == (
        result.records,
        result.errors,
        result.accepted,
        result.rejected,
        result.end.index,
    )


@pytest.mark.parametrize(
    ("value", "code", "raw"),
    [
        pytest.param(" x ", "INVALID_INTEGER", " x ", id="untrimmed"),
        pytest.param("", "REQUIRED", "", id="empty"),
        pytest.param(None, "REQUIRED", None, id="absent"),
        pytest.param("\\N", "INVALID_INTEGER", "\\N", id="COPY's own null"),
        pytest.param("\\.", "INVALID_INTEGER", "\\.", id="COPY's own end"),
        pytest.param("a\tb\nc\rd\\e", "INVALID_INTEGER", "a\tb\nc\rd\\e", id="separators"),
        pytest.param("a\0b", "INVALID_CHARACTER", "a\\u0000b", id="NUL"),
        pytest.param("caf\udce9", "INVALID_CHARACTER", "caf\\xE9", id="byte"),
        pytest.param("\ud83dx", "INVALID_CHARACTER", "\\uD83Dx", id="surrogate"),
        pytest.param(NotScalar('{"a":[1,2]}'), "NOT_A_SCALAR", '{"a":[1,2]}', id="object"),
        pytest.param("😀" * 1025, "INVALID_INTEGER", "😀" * 1024, id="cut"),
        pytest.param("\0" * 1025, "INVALID_CHARACTER", ("\\u0000" * 171)[:1024], id="cut after escaping"),
    ],
)
def test_raw_value_shows_what_stood_in_the_file(value: Value, code: str, raw: str | None) -> None:
    """Untrimmed, at most 1,024 characters, and always storable."""
    ((*_, found_code, found_raw),) = errors(loaded([(value, None)]))

    assert (code, raw) == (found_code, found_raw)


CHARACTERS = st.one_of(st.characters(), st.sampled_from('\0\t\n\r\\"%{}N\x7f\u2028\ud800\udcff'))
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.text(CHARACTERS),
    st.sampled_from(["1", "-7", "true", "\\N", ""]),
    st.text(CHARACTERS).map(NotScalar),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.text(CHARACTERS)))
def test_any_text_is_loaded_unchanged_or_refused(texts: list[str]) -> None:
    """What PostgreSQL would read back is the text itself; only what cannot be stored is refused."""
    result = loaded([(text,) for text in texts], TEXT)

    storable = {
        FIRST + k: {"t": text} for k, text in enumerate(texts) if not re.search("[\0\ud800-\udfff]", text)
    }
    assert storable == records(result)
    assert {"INVALID_CHARACTER"} >= {row[5] for row in errors(result)}


EVERY_TYPE = ["STRING", "INTEGER", "NUMBER", "BOOLEAN", "DATE", "DATETIME", "EMAIL", "URL"]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_every_record_is_accounted_for_exactly_once(data: st.DataObject) -> None:
    """Accepted or rejected, never both, whatever stands in the file; the counters equal the rows."""
    types = data.draw(st.lists(st.sampled_from(EVERY_TYPE), min_size=1, max_size=4))
    required = data.draw(st.booleans())
    definition = define(
        {"fields": [{"name": f"f{k}", "type": type, "required": required} for k, type in enumerate(types)]}
    )
    rows = data.draw(st.lists(st.tuples(*[VALUES] * len(types)), max_size=6))

    result = loaded(rows, definition)

    accepted, rejected = records(result), {int(row[0] or "") for row in errors(result)}
    assert set(range(FIRST, FIRST + len(rows))) == accepted.keys() | rejected
    assert not accepted.keys() & rejected
    assert (len(accepted), len(rejected)) == (result.accepted, result.rejected)
    assert Counter((row[4], row[5]) for row in errors(result)) == result.error_counts
    assert all(list(record) == [f"f{k}" for k in range(len(types))] for record in accepted.values())


def reader_of(chunks: list[Chunk], failure: FileError | None = None) -> Any:
    """A reader that gives these chunks, from `start` on."""

    def read(
        file: BinaryIO, size: int, definition: Definition, start: Position, chunk_size: ChunkSize
    ) -> Iterator[Chunk]:
        yield from (chunk for chunk in chunks if chunk.first_index >= start.index)
        if failure:
            raise failure

    return read


def test_batches_follow_the_chunks_of_the_formats_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch for each chunk, from the given position on; a damaged file tells so after what came before."""
    chunks = [Chunk(k, [k], [k], [(str(k), None)], {}, Position(k + 1)) for k in range(3)]
    failure = FileError(FailureCode.TRUNCATED, "The file ends in the middle of a record.")
    monkeypatch.setitem(READERS, FileFormat.CSV, reader_of(chunks, failure))
    found = batches(BytesIO(), 0, FileFormat.CSV, TWO_FIELDS, JOB, Position(1), ChunkSize())

    assert [1, 2] == [next(found).first_index, next(found).first_index]
    with pytest.raises(FileError) as caught:
        next(found)
    assert failure is caught.value


@pytest.mark.parametrize(("fields", "expected"), [(1, 5_000), (20, 5_000), (50, 2_000), (1_000, 100)])
def test_wide_records_come_in_smaller_batches(
    fields: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value may become an error row, so values are what bounds a batch's memory."""
    sizes: list[ChunkSize] = []

    def read(
        file: BinaryIO, size: int, definition: Definition, start: Position, chunk_size: ChunkSize
    ) -> Iterator[Chunk]:
        sizes.append(chunk_size)
        return iter(())

    reader: Reader = read
    monkeypatch.setitem(READERS, FileFormat.CSV, reader)
    definition = define({"fields": [{"name": f"f{k}", "type": "STRING"} for k in range(fields)]})

    assert [] == [*batches(BytesIO(), 0, FileFormat.CSV, definition, JOB, Position(), ChunkSize())]
    assert [ChunkSize(records=expected)] == sizes


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("orders.csv", FileFormat.CSV),
        ("ORDERS.CSV", FileFormat.CSV),
        ("a.tsv", FileFormat.TSV),
        ("a.Tab", FileFormat.TSV),
        ("a.b.json", FileFormat.JSON),
        ("a.ndjson", FileFormat.NDJSON),
        ("a.jsonl", FileFormat.NDJSON),
        ("a.xml", FileFormat.XML),
        (".csv", FileFormat.CSV),
        ("csv", None),
        ("a.txt", None),
        ("a.csv.gz", None),
        ("a.", None),
        ("", None),
    ],
)
def test_format_is_told_by_the_extension(filename: str, expected: FileFormat | None) -> None:
    """The last extension, in any case."""
    assert expected == format_of(filename)


def test_every_format_has_a_reader() -> None:
    """No format is promised that nothing reads."""
    assert set(FileFormat) == READERS.keys()
