"""Rejected records of JSON documents and NDJSON lines. What `round_trip` says is true of each."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tasks.pipeline.record import ChunkSize
from tests.tasks.pipeline.rejecting import Outcome, outcome, rejected_file
from tests.tasks.pipeline.round_trip import (
    JSON,
    NDJSON,
    check,
    chunk_sizes,
    definition,
    encoded,
    encodings,
    many,
    words,
)

records = st.recursive(
    st.one_of(st.integers(-3, 3), words, st.booleans(), st.none(), st.floats(0, 9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "name", "sluice", "a.b", ""]), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def written(draw: st.DrawFn, ascii_only: bool) -> str:
    """A JSON value, spelled somehow."""
    value = draw(
        st.one_of(records, st.fixed_dictionaries({"id": st.sampled_from([1, "x", 2]), "name": words}))
    )
    space = draw(st.sampled_from(["", " ", "\t"]))
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(f",{space}", f"{space}:"))
    return draw(st.sampled_from([text, text.replace("{", "{ "), text]))


@many
@given(st.data(), encodings, chunk_sizes)
def test_ndjson(data: st.DataObject, encoding: str, size: ChunkSize) -> None:
    """Bad lines, too."""
    lines = data.draw(
        st.lists(
            st.one_of(
                written(ascii_only=False),
                st.sampled_from(["{", '{"id": 1', "{}", "[1]", '{"id":1,"id":2}', "{ }x"]),
            ),
            min_size=1,
            max_size=10,
        )
    )
    ends = data.draw(
        st.lists(st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]), min_size=len(lines), max_size=len(lines))
    )
    text = "".join(map(str.__add__, lines, ends))
    text = text.removesuffix("\n") if data.draw(st.booleans()) else text
    schema, file = definition(encoding), encoded(text, encoding)

    before = check(file, NDJSON, schema, size)

    if before.cuts:
        cut = rejected_file(file, NDJSON, schema, before.cuts)
        kept = cut.decode("utf-16" if "16" in encoding else encoding).split("\n")[:-1]
        assert [lines[k] for k in before.rejected] == [line.removesuffix("\r") for line in kept]
        indexed = rejected_file(file, NDJSON, schema, before.cuts, with_index=True)
        told = indexed.decode("utf-16" if "16" in encoding else encoding).split("\n")[:-1]
        _check_json_indexes(before, kept, told)


def _check_json_indexes(before: Outcome, kept: list[str], told: list[str]) -> None:
    for index, plain, line in zip(before.rejected, kept, told, strict=True):
        try:
            value = json.loads(plain)
        except ValueError:
            continue
        if isinstance(value, dict):
            assert next(iter(json.loads(line).items())) == ("sluice:index", index)
            assert {k: v for k, v in json.loads(line).items() if k != "sluice:index"} == value
        else:
            assert plain == line


@many
@given(
    st.data(),
    encodings,
    chunk_sizes,
    st.sampled_from([None, "data", 'data.or"ders']),
    st.sampled_from([1, 3, 64 * 1024]),
)
def test_json(data: st.DataObject, encoding: str, size: ChunkSize, path: str | None, block: int) -> None:
    """At any path, whatever stands between the elements, and before damage."""
    elements = data.draw(st.lists(written(ascii_only=False), min_size=1, max_size=10))
    comma = st.sampled_from([",", ", ", " ,\n\n", "\t,\r\n"])
    array = elements[0] + "".join(data.draw(comma) + element for element in elements[1:])
    steps = path.split(".") if path else []
    behind = data.draw(st.sampled_from(["]", " \n]", "\n", ",,", " x]"]))
    text = "".join(f'{{"before": [0], {json.dumps(step)}: ' for step in steps) + f"[ {array}{behind}"
    if "]" in behind:
        text += ', "after": 1}' * len(steps)
    schema, file = definition(encoding, record_path=path), encoded(text, encoding)

    before = check(file, JSON, schema, size, block_bytes=block)

    if before.cuts:
        cut = rejected_file(file, JSON, schema, before.cuts).decode(
            "utf-16" if "16" in encoding else encoding
        )
        kept = cut.split("\n")[1:-2]
        assert [elements[k] for k in before.rejected] == [
            element.removesuffix(",") if k < len(kept) - 1 else element for k, element in enumerate(kept)
        ]
        indexed = rejected_file(file, JSON, schema, before.cuts, with_index=True)
        told = indexed.decode("utf-16" if "16" in encoding else encoding).split("\n")[1:-2]
        _check_json_indexes(before, [k.removesuffix(",") for k in kept], [t.removesuffix(",") for t in told])


def test_json_bytes() -> None:
    """The elements as they were, in an array at the same path."""
    data = b'{"a": {"b": 1}, "data":{"orders":[{"id":1},\n {"id":"x"} , {"id": 1.0e2,\n "name":"b"}]}}'
    schema = definition(record_path="data.orders")
    cuts = outcome(data, JSON, schema).cuts

    assert b'{"data":{"orders":[\n{"id":"x"},\n{"id": 1.0e2,\n "name":"b"}\n]}}\n' == rejected_file(
        data, JSON, schema, cuts
    )


def test_an_index_that_is_there_stays_in_a_retry_and_is_refused_elsewhere() -> None:
    """A key that is there twice is DUPLICATE_KEY: no record is taken for another."""
    data = b'{"sluice:index":5,"id":"x"}\n'
    schema = definition()
    cuts = outcome(data, NDJSON, schema).cuts

    assert data == rejected_file(data, NDJSON, schema, cuts, with_index=True, is_retry=True)
    twice = rejected_file(data, NDJSON, schema, cuts, with_index=True)
    assert b'{"sluice:index": 0, "sluice:index":5,"id":"x"}\n' == twice
