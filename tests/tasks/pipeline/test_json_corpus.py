"""JSON against JSONTestSuite, a public corpus: y_ must be accepted, n_ must be refused, i_ may be either."""

import json
import time
from pathlib import Path

import pytest

from tasks.pipeline.errors import FailureCode
from tasks.pipeline.formats.json import read
from tests.tasks.pipeline.documents import read_every_way
from tests.tasks.pipeline.reading import Reading, read_once, schema

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpora" / "JSONTestSuite" / "test_parsing"
FILES = sorted(CORPUS.glob("*.json"))
REFUSALS = {
    FailureCode.MALFORMED,
    FailureCode.TRUNCATED,
    FailureCode.ENCODING,
    FailureCode.TOO_DEEP,
    FailureCode.WRONG_STRUCTURE,
    FailureCode.FILE_EMPTY,
}
MAX_SECONDS = 2

pytestmark = pytest.mark.skipif(not FILES, reason="the JSONTestSuite corpus is not here")


def files(kind: str) -> pytest.MarkDecorator:
    """The corpus's files of one kind."""
    paths = [path for path in FILES if path.name.startswith(kind)]
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def read_in_time(data: bytes) -> Reading:
    """One pass; it must not take long."""
    begun = time.perf_counter()
    reading = read_once(read, data, schema("a?"))
    assert time.perf_counter() - begun < MAX_SECONDS
    return reading


@files("y_")
def test_json_accepts_what_is_json(path: Path) -> None:
    """An array gives a record or a NOT_AN_OBJECT for each element, anything else is WRONG_STRUCTURE."""
    data = path.read_bytes()
    document = json.loads(data)
    reading = read_every_way(read, data, schema("a?"), begin="")

    if not isinstance(document, list):
        assert reading.error is not None
        assert FailureCode.WRONG_STRUCTURE == reading.error.code
        return
    assert reading.error is None
    assert len(document) == len(reading.records)
    for element, record in zip(document, reading.records, strict=True):
        assert ("NOT_AN_OBJECT" in record.codes) == (not isinstance(element, dict))


@files("n_")
def test_json_refuses_what_is_no_json(path: Path) -> None:
    """It ends the reading, soon."""
    reading = read_in_time(path.read_bytes())

    assert reading.error is not None
    assert reading.error.code in REFUSALS


@files("i_")
def test_json_decides_on_what_may_be_json(path: Path) -> None:
    """Records or a refusal, but nothing else, and soon."""
    reading = read_in_time(path.read_bytes())

    assert reading.error is None or reading.error.code in REFUSALS


@files("n_")
def test_json_refuses_a_document_around_records_that_is_no_json(path: Path) -> None:
    """The same text beside the records, where ijson reads it, is refused as well."""
    data = b'{"orders":[],"x":' + path.read_bytes() + b"}"
    try:
        json.loads(data, parse_constant=lambda _: 1 / 0)
    except (ValueError, RecursionError, ZeroDivisionError):
        reading = read_once(read, data, schema("a?", record_path="orders"))
        assert reading.error is not None
        assert reading.error.code in REFUSALS
