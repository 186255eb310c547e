"""A retry's file: the k-th outstanding record by its place, or the one that each record names, in every format."""

import json
import tracemalloc
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pipeline.definition import Definition, define
from tasks.pipeline.formats import xml
from tasks.pipeline.index_names import with_index
from tasks.pipeline.origins import Marks, Origins, marks
from tasks.pipeline.record import FileFormat
from tests.tasks.pipeline.reading import read_once, schema
from tests.tasks.pipeline.retries import BY_PLACE, origins_file, retried

CSV, TSV, JSON, NDJSON, XML = FileFormat
STRICT = define(
    {
        "fields": [
            {"name": "id", "type": "INTEGER"},
            {"name": "name", "type": "STRING", "required": False},
        ],
        "unknown_fields": "REJECT",
    }
)
NUMBERED = STRICT.model_copy(update={"unknown_fields": "IGNORE"})

Said = int | str | None
"""What a record of a test's file says of its index; None: nothing."""


def text(format: FileFormat, said: list[Said], *, column: bool = True) -> str:
    """A file with a record for each; the k-th has the id 100 + k, and all but the JSON of a number is quoted text."""
    rows = [(mark, 100 + k) for k, mark in enumerate(said)]
    match format:
        case FileFormat.CSV | FileFormat.TSV:
            mark = "," if format is CSV else "\t"
            head = [*(["sluice:index"] if column else []), "id", "name"]
            lines = [
                [*(["" if index is None else str(index)] if column else []), str(id), "é"]
                for index, id in rows
            ]
            return "".join(mark.join(line) + "\r\n" for line in [head, *lines])
        case FileFormat.JSON | FileFormat.NDJSON:
            objects = [
                ({} if index is None else {"sluice:index": index}) | {"id": id, "name": "é"}
                for index, id in rows
            ]
            if format is JSON:
                return json.dumps(objects, ensure_ascii=False, indent=1)
            return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)
        case FileFormat.XML:
            records = (
                "<o"
                + ("" if index is None else f' xmlns:sluice="urn:sluice" sluice:index="{index}"')
                + f"><id>{id}</id><name>é</name></o>\n"
                for index, id in rows
            )
            return "<os>" + "".join(records) + "</os>"


def codec(format: FileFormat, wide: bool) -> str:
    """How a test's file is encoded."""
    return "utf-16" if wide else "utf-8"


formats = pytest.mark.parametrize("format", FileFormat, ids=str)
encodings = pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])


@formats
@encodings
def test_without_an_index_the_kth_record_is_the_kth_outstanding_one(
    format: FileFormat, encoding: str
) -> None:
    """Origins in the parent's order, also where that is not their own; every slice of a claim is its record."""
    data = text(format, [None] * 4, column=False).encode(encoding)

    found = retried(data, format, STRICT, [7, 3, 90_000, 0])

    assert {0: 7, 1: 3, 2: 90_000, 3: 0} == found.origins
    assert [] == found.errors
    assert all(
        str(100 + k) in part.decode(encoding.replace("16", "16-le"), "replace")
        for k, part in found.slices.items()
    )


@formats
@encodings
@pytest.mark.parametrize("definition", [STRICT, NUMBERED], ids=["REJECT", "IGNORE"])
def test_a_named_index_says_which_record_it_is(
    format: FileFormat, encoding: str, definition: Definition
) -> None:
    """In any order, and fewer than are outstanding; the index is no field of the record, known or unknown."""
    data = text(format, [9, "4", 0, " 6 "]).encode(encoding)

    found = retried(data, format, definition, [0, 4, 5, 6, 9])

    assert {0: 9, 1: 4, 2: 0, 3: 6} == found.origins
    assert [] == found.errors
    assert [{"id": 100 + k, "name": "é"} for k in range(4)] == [
        json.loads(record) for _, record in found.records.values()
    ]


@formats
def test_a_record_that_names_no_outstanding_one_is_rejected_and_the_rest_goes_on(format: FileFormat) -> None:
    """Missing, no number, of another shape, accepted long ago, beyond every file: UNKNOWN_INDEX with what it says."""
    said: list[Said] = [4, None, "x", "-1", "4.0", "04", 5, 10**18, 10**30, "٤", 6]

    found = retried(text(format, said).encode(), format, STRICT, [4, 6])

    assert {0: 4, 10: 6} == found.origins
    expected = [(k, "UNKNOWN_INDEX", None if said[k] is None else str(said[k]), None) for k in range(1, 10)]
    assert expected == found.errors


@formats
def test_other_problems_of_a_record_without_an_index_are_told_too(format: FileFormat) -> None:
    """UNKNOWN_INDEX comes first; a rejected record that names an outstanding one keeps that origin."""
    data = text(format, [4, 77, 6]).replace("101", "1.5").replace("102", "2.5").encode()

    found = retried(data, format, STRICT, [4, 6])

    assert {0: 4} == found.origins
    assert [
        (1, "UNKNOWN_INDEX", "77", None),
        (1, "INVALID_INTEGER", "1.5", None),
        (2, "INVALID_INTEGER", "2.5", "6"),
    ] == found.errors


@formats
def test_an_index_named_twice_fails_the_retry_before_anything_is_loaded(format: FileFormat) -> None:
    """Which of the two counts nobody knows; the message says which index, and where."""
    found = retried(text(format, [4, 6, "4"]).encode(), format, STRICT, [4, 5, 6])

    assert ("DUPLICATE_INDEX", {}, []) == (found.failure, found.records, found.errors)
    assert "4" in found.message
    assert "record 2" in found.message


@formats
@pytest.mark.parametrize("count", [0, 2, 4])
def test_another_number_of_records_fails_the_retry_before_anything_is_loaded(
    format: FileFormat, count: int
) -> None:
    """Both numbers are told, and what to do."""
    data = text(format, [None] * count, column=False).encode()
    if format is NDJSON and not count:
        data = b"\n"

    found = retried(data, format, STRICT, [1, 2, 3])

    assert ({}, []) == (found.records, found.errors)
    if format is NDJSON and not count:
        assert "FILE_EMPTY" == found.failure
    else:
        assert "RECORD_COUNT" == found.failure
        assert f"{count} record(s), but 3" in found.message
        assert "withIndex" in found.message


@formats
def test_an_empty_index_everywhere_is_none(format: FileFormat) -> None:
    """A column that nobody has filled in leaves the records to their order."""
    found = retried(text(format, ["", " "]).encode(), format, STRICT, [8, 9])

    assert {0: 8, 1: 9} == found.origins


@formats
def test_a_damaged_file_loads_nothing(format: FileFormat) -> None:
    """Where the file cannot be read to its end, no record of it is surely the one that it seems to be."""
    data = {
        CSV: b"sluice:index,id,id\n4,1,1\n",
        TSV: b"sluice:index\tid\tid\n4\t1\t1\n",
        JSON: b'[{"sluice:index": 4, "id": 1}, {"id"',
        NDJSON: b'{"sluice:index": 4, "id": 1}\n' + b"x" * (9 * 2**20),
        XML: b'<os><o xmlns:s="urn:sluice" s:index="4"><id>1</id></o><o>',
    }[format]

    found = retried(data, format, NUMBERED, [4])

    assert found.failure in ("DUPLICATE_HEADER", "TRUNCATED", "RECORD_TOO_LARGE")
    assert ({}, []) == (found.records, found.errors)
    assert "Nothing of this retry was loaded" in found.message


@pytest.mark.parametrize(("format", "mark"), [(CSV, ","), (TSV, "\t")])
def test_ragged_rows_keep_the_index_of_their_first_column(format: FileFormat, mark: str) -> None:
    """Too few, too many, a stray quote: the record is rejected, and stays outstanding as itself."""
    rows = [
        ["sluice:index", "id", "name"],
        ["4", "1"],
        ['"6"', "1", "a", "b"],
        ["8", '"a"b', "c"],
        ["x", "1"],
        ["9", "2", ""],
    ]
    data = "".join(mark.join(row) + "\n" for row in rows).encode()

    found = retried(data, format, STRICT, [4, 6, 8, 9])

    assert {4: 9} == found.origins
    codes = ["COLUMN_COUNT", "COLUMN_COUNT", "MALFORMED_RECORD"]
    assert list(zip(range(3), codes, ["4", "6", "8"], strict=True)) == [
        (index, code, origin) for index, code, _, origin in found.errors[:3]
    ]
    assert [("UNKNOWN_INDEX", None), ("COLUMN_COUNT", None)] == [
        (code, origin) for index, code, _, origin in found.errors if index == 3
    ]


def test_a_ragged_row_whose_index_is_not_in_front_names_none() -> None:
    """Which of its cells the index is cannot be told."""
    found = retried(b"id,name,sluice:index\n1,a,4\n6,b\n", CSV, STRICT, [4, 6])

    assert {0: 4} == found.origins
    assert [(1, "UNKNOWN_INDEX", None, None), (1, "COLUMN_COUNT", "6,b", None)] == found.errors


def test_bad_lines_of_ndjson_keep_the_index_of_their_first_key() -> None:
    """Broken JSON, a key twice; what is no object cannot say anything."""
    lines = [
        '{"sluice:index": 4, "id": 1',
        '{"sluice:index": "6", "id": 1, "id": 2}',
        "[1]",
        '{"sluice:index": 8, "id": 1}',
        '{"sluice:index": {"a": 1}, "id": 1}',
        '{"sluice:index": null, "id": 1}',
        '{"sluice:index": true, "id": 1}',
    ]

    found = retried("\n".join(lines).encode(), NDJSON, STRICT, [4, 6, 8])

    assert {3: 8} == found.origins
    assert [
        (0, "MALFORMED_RECORD", "4"),
        (1, "DUPLICATE_KEY", "6"),
        (2, "UNKNOWN_INDEX", None),
        (2, "NOT_AN_OBJECT", None),
        (4, "UNKNOWN_INDEX", None),
        (5, "UNKNOWN_INDEX", None),
        (6, "UNKNOWN_INDEX", None),
    ] == [(index, code, origin) for index, code, _, origin in found.errors]
    assert ['{"a":1}', None, "true"] == [raw for index, _, raw, _ in found.errors if index > 3]


def test_an_index_of_the_records_own_is_told_from_ours_in_xml() -> None:
    """Whatever prefix a tool has given to our namespace; the partner's `@index` stays the partner's."""
    definition = schema("@index?", "id", unknown_fields="REJECT")
    data = (
        b'<os xmlns:ns0="urn:sluice" xmlns:p="urn:theirs"><o index="mine" ns0:index="4"><id>1</id></o>'
        b'<o ns0:index="6"><id>2</id></o><p:o p:index="theirs" ns0:index="8"><p:id ns0:index="9">3</p:id></p:o></os>'
    )

    found = retried(data, XML, definition, [4, 6, 8])

    assert {0: 4, 1: 6, 2: 8} == found.origins
    assert ["mine", None, "theirs"] == [json.loads(record)["@index"] for _, record in found.records.values()]


def test_a_header_less_table_goes_by_its_order() -> None:
    """There is no header that could say where the index is."""
    definition = schema("1", "2", csv={"header": False})

    assert {0: 4, 1: 6} == retried(b"1,a\n2,b\n", CSV, definition, [4, 6]).origins


@formats
@settings(max_examples=5, deadline=None)
@given(seed=st.randoms(use_true_random=False))
def test_many_records_by_the_quick_ways_and_the_careful_ones(format: FileFormat, seed: object) -> None:
    """Files long enough for shapes to be learned, with an index here and there only: each is what it says."""
    chance = seed
    origins = list(range(0, 900, 3))
    chance.shuffle(origins)  # type: ignore[attr-defined]
    said: list[Said] = [origin if chance.random() < 0.9 else None for origin in origins]  # type: ignore[attr-defined]

    found = retried(text(format, said).encode(), format, STRICT, origins, (80,))

    assert {k: origin for k, origin in enumerate(said) if origin is not None} == found.origins
    assert [k for k, origin in enumerate(said) if origin is None] == [index for index, *_ in found.errors]


def test_three_million_origins_take_a_few_hundred_kilobytes() -> None:
    """They stay in their file: a bit each is held, and a block of them."""
    file = origins_file(range(0, 6_000_000, 2))
    tracemalloc.start()
    origins = Origins(file)
    found = marks(origins)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 3_000_000
    assert (3_000_000, 5_999_998) == (len(origins), found.last)
    assert (True, False, False) == (5_999_998 in found, 5_999_997 in found, 2**62 in found)
    assert (4_000_000, 4_000_002) == origins.some(2_000_000, 2)


def test_marks_hold_what_was_added() -> None:
    """Zero and the last included, nothing else, and no number outside."""
    found = Marks(17)
    for number in (0, 8, 17):
        found.add(number)

    assert [0, 8, 17] == [number for number in range(-20, 40) if number in found]


_QUICK = (
    b"<os>"
    + b"\n".join(
        b'<o xmlns:sluice="urn:sluice" sluice:index="%d" a="x"><id>1</id></o>' % k for k in range(200)
    )
    + b"</os>"
)
_HEAD = b'<os xmlns:sluice="urn:sluice">'


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_QUICK, id="declared_in_each"),
        pytest.param(
            _QUICK.replace(b' xmlns:sluice="urn:sluice"', b"").replace(b"<os>", _HEAD),
            id="declared_in_the_root",
        ),
        pytest.param(
            _QUICK.replace(b' xmlns:sluice="urn:sluice"', b"").replace(
                b"<os>", _HEAD.replace(b"urn:", b"urn:not-")
            ),
            id="another_namespace",
        ),
        pytest.param(
            _QUICK.replace(b'"urn:sluice" sluice:index="7"', b'"urn:other" sluice:index="7"'),
            id="another_in_one",
        ),
        pytest.param(
            _QUICK.replace(b' xmlns:sluice="urn:sluice" sluice:index="7"', b' sluice:index="7"'),
            id="undeclared_in_one",
        ),
        pytest.param(_QUICK.replace(b'sluice:index="7"', b'sluice:index="&#55;"'), id="a_reference"),
        pytest.param(_QUICK.replace(b"<id>", b'<id sluice:index="5">'), id="inside_too"),
        pytest.param(_QUICK.replace(b' a="x"', b' a="x" index="mine"'), id="and_their_own"),
    ],
)
@pytest.mark.parametrize(
    "definition", [schema("id", "@index?", "@a"), schema("id", "@a", unknown_fields="REJECT")]
)
def test_the_quick_way_through_xml_finds_each_index_that_the_careful_one_finds(
    data: bytes, definition: Definition
) -> None:
    """Row for row, fault for fault, and the same damage."""
    reading = with_index(definition, XML)

    quick = read_once(xml.read, data, reading)
    careful = read_once(partial(xml.read, quick=False), data, reading)

    assert careful.records == quick.records
    assert str(careful.error) == str(quick.error)
    assert careful.error or 200 == len(careful.records)


@formats
def test_what_was_cut_out_of_the_parents_file_is_what_stands_in_its_place(format: FileFormat) -> None:
    """A partner may have sent the rejected file of one job as a new one: its indexes are those of the old job."""
    data = text(format, [3, 12, 7, 7]).encode()

    found = retried(data, format, STRICT, [2, 3, 7, 90_000, BY_PLACE])

    assert {0: 2, 1: 3, 2: 7, 3: 90_000} == found.origins
    assert [] == found.errors


@formats
def test_too_few_records_of_the_parents_file_are_told(format: FileFormat) -> None:
    """A newer version of the schema may cut it otherwise; it is not said that the partner has sent too few."""
    found = retried(text(format, [None] * 2).encode(), format, STRICT, [2, 3, 7, BY_PLACE])

    assert ("RECORD_COUNT", {}) == (found.failure, found.records)
    assert "2 record(s), but 3 were outstanding, and each counts by its place" in found.message
