"""The bad-input matrix for values: V1 to V11. Each text is the one value of an NDJSON record."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tasks.pipeline.definition import define
from tasks.pipeline.errors import DefinitionError
from tasks.pipeline.record import FileFormat
from tests.hostile_files.outcome import read, schema

MOST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """A field, and what becomes of texts: a value, or a code."""

    id: str
    name: str
    field: dict[str, Any]
    verdicts: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


def all_of(verdict: str, *texts: str) -> dict[str, str]:
    """The same verdict for each."""
    return dict.fromkeys(texts, verdict)


NUMBER = {"type": "NUMBER"}
INTEGER = {"type": "INTEGER"}
DATETIME = {"type": "DATETIME"}
VERBATIM = {"type": "STRING", "trim": False}
EVIL = "a" * 50_000
NAUGHTY = [
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u202eabc", "\u200b", "e\u0301", "\U0010ffff", "\ufeff", "\ufffe", "\u2028",
    "\x7f\x85\x1a", "\\N", "\\.", "\t", "a\r\nb", "\\", '"', "'; DROP TABLE record;--", "<script>", "${jndi:ldap://x}", "%s%n",
    "\u0600\u0601", "Z\u0351\u036b\u0343", "\uff21", "\u0130\u0131\u017f\u212a",
]  # fmt: skip

ROWS = [
    Row("V1", "no floats but numbers", NUMBER, all_of("INVALID_NUMBER", "nan", "NaN", "inf", "-Infinity", "0x10", "1,5", ".")),
    Row("V1", "too large, too small", NUMBER, all_of("OUT_OF_RANGE", "1e400", "-1e400", "1e-400", "1e309")),
    Row("V2", "what int() takes", INTEGER, all_of("INVALID_INTEGER", "1_000", "12.0", "True", "\uff11\uff12", "٣", "0x10", "1e5", "--5", "+", "²")
        | {" 12 ": 12, "+5": 5, "-0": 0, "\u00a07\u3000": 7}),
    Row("V2", "what Decimal() takes", NUMBER, all_of("INVALID_NUMBER", "1_000", "True", "\uff11\uff12", "٣", "sNaN", "1 000")
        | {" 12 ": 12, "12.0": 12.0, "5.": 5, ".5": 0.5}),
    Row("V3", "64 bits", INTEGER, all_of("OUT_OF_RANGE", str(2**63), str(-(2**63) - 1), "9" * 5_000)
        | {str(2**63 - 1): 2**63 - 1, str(-(2**63)): -(2**63), "0" * 5_000 + "7": 7}),
    Row("V3", "min and max", INTEGER | {"min": -5, "max": 5}, {"-5": -5, "-6": "TOO_SMALL", "5": 5, "6": "TOO_LARGE"}),
    Row("V4", "digits and exponents", NUMBER, all_of("OUT_OF_RANGE", "1e999999", "1" + "0" * 309, "9" * 1_001, "0." + "1" * 1_001)
        | {"9" * 50: int("9" * 50), "1" + "0" * 308: 10**308, "0e999999": 0}),
    Row("V5", "days that are none", {"type": "DATE"},
        all_of("INVALID_DATE", "2024-02-30", "2023-02-29", "0000-00-00", "10000-01-01", "2024-1-1", "20240101", "1700000000",
               "2024-01-01T00:00:00", "\uff12\uff10\uff12\uff14-01-01", "-001-01-01", "24-01-01", "2024-W01-1", "2024-001", "2024-00-01")
        | {"2024-02-29": "2024-02-29", "0001-01-01": "0001-01-01", "9999-12-31": "9999-12-31"}),
    Row("V6", "no guesses at digits", DATETIME,
        all_of("INVALID_DATETIME", "20240101", "1700000000", "1700000000.5", "2024-01-01", "2024-01-01T00:00", "2024-01-01T00:00:00,5Z",
               "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00.Z")
        | {"2024-01-01 00:00:00z": "2024-01-01T00:00:00Z", "2024-01-01T00:00:00." + "9" * 5_000: "2024-01-01T00:00:00.999999Z"}),
    Row("V7", "years that UTC lacks", DATETIME, all_of("OUT_OF_RANGE", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
        | {"0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z": "9999-12-31T23:59:59.999999Z"}),
    Row("V7", "in a format of the schema's", DATETIME | {"format": "%d/%m/%Y %H:%M %z"},
        all_of("OUT_OF_RANGE", "01/01/0001 00:00 +1400", "31/12/9999 23:59 -1200")),
    Row("V8", "clocks that are none", DATETIME,
        all_of("INVALID_DATETIME", "2016-12-31T23:59:60Z", "2024-01-01T24:00:00", "2024-01-01T00:60:00", "2024-01-01T00:00:00+99:00",
               "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+01:60")
        | {"2024-01-01T00:00:00+23:59": "2023-12-31T00:01:00Z"}),
    Row("V9", "linear time", VERBATIM | {"pattern": "^(a+)+$"}, {EVIL: EVIL, EVIL + "!": "PATTERN_MISMATCH"}),
    Row("V9", "linear time, nested", VERBATIM | {"pattern": "(a*)*b|(a|aa)+c"}, {EVIL: "PATTERN_MISMATCH", EVIL + "b": EVIL + "b"}),
    Row("V10", "the whole value", VERBATIM | {"pattern": "a|bc"},
        all_of("PATTERN_MISMATCH", "xa", "ax", "a\n", "abc", "bc\n", "\nbc") | {"a": "a", "bc": "bc"}),
    Row("V10", "multi-line in the pattern changes nothing", VERBATIM | {"pattern": "(?m)^a$"}, {"a": "a", "a\na": "PATTERN_MISMATCH"}),
    Row("V10", "digits are Unicode's", VERBATIM | {"pattern": r"\d+"}, {"٣": "٣", "12": "12", "1a": "PATTERN_MISMATCH"}),
    Row("V11", "naughty strings come back as they were", VERBATIM, {text: text for text in NAUGHTY}),
    Row("V11", "what cannot be stored", VERBATIM, all_of("INVALID_CHARACTER", "\0", "\ud800", "x\udfffy")),
    Row("V11", "length in characters", {"type": "STRING", "max_length": 2}, {"\U0001f600\U0001f600": "\U0001f600\U0001f600", "e\u0301e": "TOO_LONG"}),
    Row("V11", "trimmed of what Unicode calls white space", {"type": "STRING"}, {"\u00a0x\u3000": "x", "\u200b": "\u200b", "\u3000": "REQUIRED"}),
]  # fmt: skip

REFUSED = {
    "look-ahead": "(?=a)b",
    "look-behind": "(?<!a)b",
    "back-reference": r"(a)\1",
    "atomic group": "(?>a)",
    "unclosed class": "[",
    "parentheses that the wrapping would heal": "a)(b",
    "a million repetitions": "(a{1000}){1000}",
    "repetitions in repetitions": r"((\w{50}){50}){50}",
    "very deep": "(" * 900 + ")" * 900,
}
"""V9: patterns that are refused when the schema is saved."""


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_value_has_its_verdict(row: Row) -> None:
    """A value as it is loaded, or a code, in a column with others and alone."""
    definition = schema(row.field)
    texts, expected = list(row.verdicts), list(row.verdicts.values())
    before = time.process_time()

    together = _verdicts(texts, definition)

    assert expected == together
    assert expected == [verdict for text in texts for verdict in _verdicts([text], definition)]
    assert time.process_time() - before < MOST_SECONDS


@pytest.mark.parametrize("pattern", REFUSED.values(), ids=REFUSED)
def test_pattern_is_refused_in_time(pattern: str) -> None:
    """V9: what the linear engine cannot run, or only at a great cost, is told when the schema is saved, at its place."""
    before = time.process_time()

    with pytest.raises(DefinitionError) as refused:
        define({"fields": [{"name": "a", "type": "STRING", "pattern": pattern}]})

    assert [("fields", 0, "pattern")] == [problem.path for problem in refused.value.problems]
    assert not refused.value.problems[0].message.endswith("..")
    assert time.process_time() - before < MOST_SECONDS


def test_every_row_of_the_values_matrix_is_here() -> None:
    """None is forgotten."""
    assert {f"V{n}" for n in range(1, 12)} == {row.id for row in ROWS}


def _verdicts(texts: list[str], definition: Any) -> list[Any]:
    lines = [json.dumps({"a": text}) for text in texts]
    outcome = read("\n".join(lines).encode(), FileFormat.NDJSON, definition)
    assert outcome.failure is None
    return [
        outcome.errors[index][0].code if index in outcome.errors else outcome.records[index]["a"]
        for index in range(len(texts))
    ]
