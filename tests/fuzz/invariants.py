"""What must hold of every file, however damaged. Each check raises AssertionError."""

import csv
import io
import json
import random
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from tasks.pipeline.definition import Definition, define
from tasks.pipeline.errors import DefinitionError, FailureCode, FileError
from tasks.pipeline.formats import READERS
from tasks.pipeline.record import Chunk, ChunkSize, FileFormat, Position
from tasks.pipeline.validator import Validator
from tests.fuzz.cases import Case, case_of, nonsense_of
from tests.hostile_files.outcome import Outcome, assert_same, read, schema

WHOLE = ChunkSize(records=1_000)
_LINE_ENDS = (b"\n", b"\r")
_BOMS = (b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_MOST_COLUMNS = 100
_STRICT = {FileFormat.JSON, FileFormat.XML}


def check_seed(seed: int) -> None:
    """Everything of one seed: a file and a schema."""
    check_file(case_of(seed))
    check_schema(nonsense_of(seed))


def check_file(case: Case) -> Outcome:
    """The file gives records, errors and perhaps a FileError, the same however it is cut into batches and resumed."""
    definition = define(case.definition)
    chance = random.Random(case.seed)
    whole = read(case.data, case.format, definition, chunk_size=WHOLE)
    assert whole.failure is None or whole.failure.code in FailureCode
    if whole.count < 3_000:
        _check_batches(case, definition, whole, chance)
    _check_places(case, definition)
    if case.format in (FileFormat.CSV, FileFormat.TSV):
        check_as_csv(case.data)
    elif case.format is FileFormat.NDJSON:
        check_as_ndjson(case.data)
    elif case.format is FileFormat.JSON:
        check_as_json(case.data)
    else:
        check_as_xml(case.data)
    return whole


def check_schema(given: dict[str, Any]) -> None:
    """A schema is refused with reasons, or is one that reads back its own dump and validates values."""
    try:
        definition = define(given)
    except DefinitionError as error:
        _check_problems(error)
        return
    dump = definition.model_dump(mode="json")
    assert definition == define(json.loads(json.dumps(dump)))
    values = ["", "1", "x", "2024-01-01", None, "\0", "é" * 3]
    verdict = Validator(definition)([[value] * len(definition.fields) for value in values])
    assert len(verdict.columns) == len(definition.fields)
    assert set(verdict.problems) <= set(range(len(values)))


def _check_problems(error: DefinitionError) -> None:
    assert error.problems
    assert len({problem.path for problem in error.problems}) == len(error.problems)
    assert all(problem.message for problem in error.problems)


def _check_batches(case: Case, definition: Definition, whole: Outcome, chance: random.Random) -> None:
    ones = read(case.data, case.format, definition, chunk_size=ChunkSize(records=1))
    assert_same(whole, ones)
    some = ChunkSize(chance.randint(2, 50), chance.choice((1, 20, 500, 2**20)))
    assert_same(whole, read(case.data, case.format, definition, chunk_size=some))
    for end in chance.sample(ones.ends, min(3, len(ones.ends))):
        assert_same(whole, read(case.data, case.format, definition, end, some), end.index)


def _check_places(case: Case, definition: Definition) -> None:
    """Offsets rise, lines do not fall, and a record begins where its offset says."""
    before = (-1, 0)
    for offset, line in _places(case, definition):
        assert before[0] < offset < len(case.data)
        assert before[1] <= line
        assert _begins_record(case, offset, definition)
        before = offset, line


def _places(case: Case, definition: Definition) -> Iterator[tuple[int, int]]:
    chunks: Iterator[Chunk] = READERS[case.format](
        io.BytesIO(case.data), len(case.data), definition, Position(), WHOLE
    )
    try:
        for chunk in chunks:
            yield from zip(chunk.offsets, chunk.lines, strict=True)
    except FileError:
        return


def _begins_record(case: Case, offset: int, definition: Definition) -> bool:
    before, after = case.data[:offset], case.data[offset:]
    if case.format not in _STRICT:
        return before in _BOMS or before.rstrip(b"\0").endswith(_LINE_ENDS)
    first = after.lstrip(b"\0")[:1]
    return first == b"<" if case.format is FileFormat.XML else first not in b" \t\r\n,]}:"


def check_as_csv(data: bytes) -> None:
    """Python's csv module reads the same rows, where its dialect leaves no doubt."""
    rows = _rows(data)
    if not rows or len(rows[0]) > _MOST_COLUMNS:
        return
    width = len(rows[0])
    # A line of blanks is no record beside others; the standard library cannot tell it from one in quotes.
    if width > 1 and any(len(row) == 1 and not row[0].strip(" \t") for row in rows):
        return
    fields = [
        {"name": str(n), "type": "STRING", "trim": False, "null_values": [], "required": False}
        for n in range(1, width + 1)
    ]
    definition = schema(*fields, csv={"delimiter": ",", "header": False}, encoding="utf-8")
    outcome = read(data, FileFormat.CSV, definition)
    if outcome.failure is not None:
        assert outcome.failure.code in (FailureCode.UNSUPPORTED_FORMAT, FailureCode.WRONG_STRUCTURE)
        return
    assert [row if len(row) == width else ["COLUMN_COUNT"] for row in rows] == outcome.plain


def _rows(data: bytes) -> list[list[str]]:
    """What the csv module reads; nothing where it finds something wrong, or we would by design."""
    try:
        text = data.decode("utf-8-sig")
        if any(mark in text for mark in "\0\x1a") or text.lower().lstrip('"').startswith("sep="):
            return []
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error):
        return []


def check_as_json(data: bytes) -> None:
    """Python's json module accepts what we read to the end, finds as many elements, and refuses what we refuse."""
    try:
        text = data.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str)
    except RecursionError:
        return
    except ValueError:
        value = None
        valid = False
    else:
        valid = True
    outcome = read(data, FileFormat.JSON, schema("zzz?", encoding="utf-8"))
    if not valid:
        assert outcome.failure is not None
    elif isinstance(value, list):
        assert outcome.failure is None
        assert len(value) == outcome.count
    else:
        assert outcome.failure is not None
        assert outcome.failure.code in (
            FailureCode.WRONG_STRUCTURE,
            FailureCode.TOO_DEEP,
            FailureCode.MALFORMED,
        )


def check_as_ndjson(data: bytes) -> None:
    """The same for each line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    lines = [line.strip(" \t\r") for line in text.split("\n")]
    expected = [_kind(line) for line in lines if line]
    if not expected or None in expected:
        return
    outcome = read(data, FileFormat.NDJSON, schema("zzz?", encoding="utf-8"))
    if outcome.failure is None:
        assert expected == [
            (outcome.errors[k][0].code if k in outcome.errors else "") for k in range(outcome.count)
        ]
    else:
        assert outcome.failure.code is FailureCode.UNSUPPORTED_FORMAT


def _kind(line: str) -> str | None:
    """The code of a line, "" for a good one, None where it cannot be told."""
    try:
        value = json.loads(
            line, parse_constant=_refuse, parse_int=str, parse_float=str, object_pairs_hook=tuple
        )
    except RecursionError:
        return None
    except ValueError:
        return "MALFORMED_RECORD"
    if not isinstance(value, tuple):
        return "NOT_AN_OBJECT"
    return "DUPLICATE_KEY" if len(dict(value)) < len(value) else ""


def _refuse(name: str) -> None:
    raise ValueError(name)


def check_as_xml(data: bytes) -> None:
    """expat accepts what we read to the end, and finds as many records; ASCII only, for it knows fewer letters."""
    if not data.isascii() or b"encoding" in data:
        return
    outcome = read(data, FileFormat.XML, schema("zzz?", record_path="o"))
    if outcome.failure is None:
        root = ElementTree.fromstring(data.lstrip())
        records = [element for element in root.iter() if element.tag.rpartition("}")[2] == "o"]
        assert len(records) == outcome.count
