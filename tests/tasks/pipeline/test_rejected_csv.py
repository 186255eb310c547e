"""Rejected rows of CSV and TSV files. What `round_trip` says is true of each."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.pipeline.definition import define
from tasks.pipeline.record import ChunkSize, FileFormat
from tasks.pipeline.rejected import CannotIndex
from tests.tasks.pipeline.rejecting import outcome, rejected_file
from tests.tasks.pipeline.round_trip import (
    CSV,
    TSV,
    check,
    check_indexed,
    chunk_sizes,
    definition,
    encoded,
    encodings,
    many,
    words,
)


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


def test_an_index_that_is_there_stays_in_a_retry_and_means_nothing_elsewhere() -> None:
    """In a retry it is what the partner was told. A first job's file brings a column of that name along by mistake."""
    data = b"sluice:index,id,name\n5,x,a\n7,1,b\n"
    schema = definition()
    cuts = outcome(data, CSV, schema).cuts

    assert b"sluice:index,id,name\n5,x,a\n" == rejected_file(
        data, CSV, schema, cuts, with_index=True, is_retry=True
    )
    with pytest.raises(CannotIndex, match="a column sluice:index of its own"):
        rejected_file(data, CSV, schema, cuts, with_index=True)
