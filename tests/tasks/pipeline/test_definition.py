"""The schema language: what is understood, and what is refused with a path to it."""

from typing import Any

import pytest

from tasks.pipeline.definition import Csv, Definition, UnknownFields, define
from tasks.pipeline.errors import DefinitionError
from tasks.pipeline.fields.pattern_size import kilobytes

STRING = {"name": "a", "type": "STRING"}


def problems(data: dict[str, Any]) -> dict[tuple[str | int, ...], str]:
    """Path -> message of every problem."""
    with pytest.raises(DefinitionError) as caught:
        define(data)
    found = {problem.path: problem.message for problem in caught.value.problems}
    assert len(caught.value.problems) == len(found)
    return found


def field_problem(**options: Any) -> dict[tuple[str | int, ...], str]:
    """Option -> message for one field with these options."""
    found = problems({"fields": [{"name": "a", **options}]})
    assert all(path[:2] == ("fields", 0) for path in found)
    return {path[2:]: message for path, message in found.items()}


def test_define_fills_in_what_is_left_out() -> None:
    """A field of name and type alone has the contract's defaults."""
    definition = define({"fields": [STRING]})

    field = definition.fields[0]
    assert ("a", "a", "STRING", True, None, ("",), True) == (
        field.name,
        field.source,
        field.type,
        field.required,
        field.default,
        field.null_values,
        field.trim,
    )
    assert (None, UnknownFields.IGNORE, None, Csv()) == (
        definition.record_path,
        definition.unknown_fields,
        definition.encoding,
        definition.csv,
    )


def test_define_takes_none_as_left_out() -> None:
    """GraphQL hands over null for what a client leaves out."""
    explicit = {
        "fields": [{**STRING, "source": None, "trim": None, "null_values": None, "min_length": None}],
        "record_path": None,
        "unknown_fields": None,
        "csv": {"delimiter": None, "quote": None},
    }

    assert define({"fields": [STRING]}) == define(explicit)


FULL = {
    "fields": [
        {
            "name": "a",
            "source": "A b",
            "type": "STRING",
            "min_length": 1,
            "max_length": 9,
            "enum": ["x", "yy"],
        },
        {"name": "i", "type": "INTEGER", "min": -3, "max": "12", "default": 7, "required": False},
        {"name": "n", "type": "NUMBER", "min": 0.1, "max": 2**70, "default": "0.10"},
        {"name": "b", "type": "BOOLEAN", "default": False, "null_values": ["", "NULL"], "trim": False},
        {"name": "d", "type": "DATE", "format": "%d/%m/%Y", "min": "2020-01-01", "default": "31/12/2020"},
        {"name": "t", "type": "DATETIME", "min": "2020-01-01", "max": "2030-01-01T00:00:00+02:00"},
        {"name": "e", "type": "EMAIL", "pattern": ".*@example[.]com"},
        {"name": "u", "type": "URL"},
    ],
    "record_path": "data.orders",
    "unknown_fields": "REJECT",
    "encoding": "Latin_1",
    "csv": {"delimiter": ";", "quote": "", "escape": "\\", "skip_lines": 2, "header": False, "comment": "#"},
}


def test_define_reads_back_its_own_dump() -> None:
    """What is stored as JSON parses to the same definition, in the same order."""
    definition = define(FULL)

    assert definition == define(definition.model_dump(mode="json"))
    assert [field["name"] for field in FULL["fields"]] == [field.name for field in definition.fields]  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        ("utf_16", "utf-16"),
        ("ISO-8859-1", "iso-8859-1"),
        ("Latin1", "iso-8859-1"),
        ("Windows-1252", "windows-1252"),
        ("cp1252", "windows-1252"),
    ],
)
def test_encoding_is_known_by_its_usual_names(given: str, expected: str) -> None:
    """Aliases, in any case, become one canonical name."""
    assert expected == define({"fields": [STRING], "encoding": given}).encoding


@pytest.mark.parametrize("encoding", ["", "utf-7", "idna", "ebcdic", "utf-32", "../x"])
def test_encoding_that_is_not_known_is_refused(encoding: str) -> None:
    """Anything else is refused, with its path."""
    assert {("encoding",)} == problems({"fields": [STRING], "encoding": encoding}).keys()


@pytest.mark.parametrize(
    ("data", "path"),
    [
        pytest.param({}, ("fields",), id="no fields key"),
        pytest.param({"fields": []}, ("fields",), id="no fields"),
        pytest.param({"fields": "a"}, ("fields",), id="fields not a list"),
        pytest.param(
            {"fields": [{"name": f"f{i}", "type": "STRING"} for i in range(1001)]},
            ("fields",),
            id="1,001 fields",
        ),
        pytest.param({"fields": [5]}, ("fields", 0), id="field not an object"),
        pytest.param({"fields": [STRING, STRING]}, ("fields", 1, "name"), id="same name twice"),
        pytest.param({"fields": [STRING], "hoho": 1}, ("hoho",), id="unknown option"),
        pytest.param({"fields": [STRING], "record_path": ""}, ("record_path",), id="empty record path"),
        pytest.param(
            {"fields": [STRING], "unknown_fields": "DROP"}, ("unknown_fields",), id="unknown_fields"
        ),
        pytest.param(
            {"fields": [STRING], "csv": {"delimiter": ";;"}}, ("csv", "delimiter"), id="long delimiter"
        ),
        pytest.param(
            {"fields": [STRING], "csv": {"delimiter": ""}}, ("csv", "delimiter"), id="empty delimiter"
        ),
        pytest.param({"fields": [STRING], "csv": {"delimiter": "\n"}}, ("csv", "delimiter"), id="line break"),
        pytest.param({"fields": [STRING], "csv": {"quote": "''"}}, ("csv", "quote"), id="long quote"),
        pytest.param({"fields": [STRING], "csv": {"escape": "\\\\"}}, ("csv", "escape"), id="long escape"),
        pytest.param({"fields": [STRING], "csv": {"comment": "//"}}, ("csv", "comment"), id="long comment"),
        pytest.param(
            {"fields": [STRING], "csv": {"delimiter": '"'}}, ("csv", "quote"), id="delimiter is quote"
        ),
        pytest.param(
            {"fields": [STRING], "csv": {"delimiter": "|", "comment": "|"}},
            ("csv", "comment"),
            id="comment is delimiter",
        ),
        pytest.param(
            {"fields": [STRING], "csv": {"skip_lines": -1}}, ("csv", "skip_lines"), id="negative skip"
        ),
        pytest.param(
            {"fields": [STRING], "csv": {"skip_lines": True}}, ("csv", "skip_lines"), id="skip not a number"
        ),
        pytest.param(
            {"fields": [STRING], "csv": {"header": "no"}}, ("csv", "header"), id="header not a boolean"
        ),
        pytest.param(
            {"fields": [STRING], "csv": {"delimiter": "\0"}}, ("csv", "delimiter"), id="NUL delimiter"
        ),
        pytest.param({"fields": [STRING], "record_path": "a\ud800"}, ("record_path",), id="lone surrogate"),
    ],
)
def test_definition_without_sense_is_refused(data: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Each fault of the whole is one problem, with the path to it."""
    assert [path] == list(problems(data))


@pytest.mark.parametrize(
    ("options", "option"),
    [
        pytest.param({"type": "STRING", "name": ""}, "name", id="empty name"),
        pytest.param({"type": "STRING", "name": "  "}, "name", id="blank name"),
        pytest.param({"type": "STRING", "name": "x" * 201}, "name", id="long name"),
        pytest.param({"type": "STRING", "name": 5}, "name", id="name not a text"),
        pytest.param({"type": "STRING", "name": None}, "name", id="no name"),
        pytest.param({"type": "STRING", "name": "a\0"}, "name", id="NUL in name"),
        pytest.param({"type": "STRING", "source": ""}, "source", id="empty source"),
        pytest.param({"type": "VARCHAR"}, "type", id="unknown type"),
        pytest.param({}, "type", id="no type"),
        pytest.param({"type": "STRING", "required": "yes"}, "required", id="required not a boolean"),
        pytest.param({"type": "STRING", "trim": 1}, "trim", id="trim not a boolean"),
        pytest.param({"type": "STRING", "enum": []}, "enum", id="empty enum"),
        pytest.param({"type": "INTEGER", "enum": ["1", "a"]}, "enum", id="enum of INTEGER"),
        pytest.param({"type": "NUMBER", "enum": ["1.5", "1,5"]}, "enum", id="enum of NUMBER"),
        pytest.param({"type": "BOOLEAN", "enum": ["yes", "ja"]}, "enum", id="enum of BOOLEAN"),
        pytest.param({"type": "DATE", "enum": ["2026-02-30"]}, "enum", id="enum of DATE"),
        pytest.param(
            {"type": "DATE", "enum": ["2026-03-31"], "format": "%d/%m/%Y"}, "enum", id="enum in a format"
        ),
        pytest.param({"type": "EMAIL", "enum": ["nobody"]}, "enum", id="enum of EMAIL"),
        pytest.param({"type": "STRING", "min_length": -1}, "min_length", id="negative length"),
        pytest.param({"type": "STRING", "max_length": "9"}, "max_length", id="length not a number"),
        pytest.param(
            {"type": "URL", "min_length": 5, "max_length": 4}, "max_length", id="min_length > max_length"
        ),
        pytest.param({"type": "STRING", "pattern": "("}, "pattern", id="open group"),
        pytest.param({"type": "STRING", "pattern": "a)|(?:b"}, "pattern", id="group healed by wrapping"),
        pytest.param({"type": "STRING", "pattern": r"(a)\1"}, "pattern", id="back reference"),
        pytest.param({"type": "STRING", "pattern": "a(?=b)"}, "pattern", id="look ahead"),
        pytest.param({"type": "STRING", "pattern": r"\w{1000}{1000}"}, "pattern", id="too big"),
        pytest.param({"type": "STRING", "pattern": "a" * 2001}, "pattern", id="too long"),
        pytest.param({"type": "STRING", "min": 1}, "min", id="min of STRING"),
        pytest.param({"type": "BOOLEAN", "max": 1}, "max", id="max of BOOLEAN"),
        pytest.param({"type": "INTEGER", "min_length": 1}, "min_length", id="min_length of INTEGER"),
        pytest.param({"type": "NUMBER", "format": "%d"}, "format", id="format of NUMBER"),
        pytest.param({"type": "INTEGER", "min": 2, "max": 1}, "max", id="min > max"),
        pytest.param({"type": "NUMBER", "min": "0.2", "max": 0.1}, "max", id="text min > number max"),
        pytest.param({"type": "DATE", "min": "2021-01-02", "max": "2021-01-01"}, "max", id="DATE min > max"),
        pytest.param({"type": "INTEGER", "min": "x"}, "min", id="min not a number"),
        pytest.param({"type": "INTEGER", "min": True}, "min", id="min a boolean"),
        pytest.param({"type": "NUMBER", "max": float("nan")}, "max", id="NaN"),
        pytest.param({"type": "NUMBER", "max": "1e309"}, "max", id="max out of range"),
        pytest.param({"type": "NUMBER", "max": [1]}, "max", id="max a list"),
        pytest.param({"type": "DATE", "min": 20210101}, "min", id="DATE min a number"),
        pytest.param({"type": "DATE", "min": "20210101"}, "min", id="DATE min without hyphens"),
        pytest.param({"type": "DATE", "min": "2021-W01-1"}, "min", id="DATE min a week"),
        pytest.param({"type": "DATETIME", "max": "yesterday"}, "max", id="DATETIME max"),
        pytest.param({"type": "DATE", "format": ""}, "format", id="empty format"),
        pytest.param({"type": "DATE", "format": "%d/%m"}, "format", id="no year"),
        pytest.param({"type": "DATE", "format": "%d/%m/%Y %d"}, "format", id="day twice"),
        pytest.param({"type": "DATE", "format": "%Q-%Y-%m-%d"}, "format", id="unknown directive"),
        pytest.param({"type": "DATE", "format": "%-d.%m.%Y"}, "format", id="glibc directive"),
        pytest.param({"type": "DATE", "format": "%Y-%m-%d%"}, "format", id="lone percent"),
        pytest.param({"type": "DATETIME", "format": "%c"}, "format", id="locale's format"),
        pytest.param({"type": "DATETIME", "format": "%Y-%m-%d %I:%M"}, "format", id="%I without %p"),
        pytest.param({"type": "DATETIME", "format": "%Y-%m-%d %H:%M %Z"}, "format", id="time zone's name"),
        pytest.param({"type": "DATE", "format": "%Y-%m-%d" + " " * 100}, "format", id="long format"),
        pytest.param({"type": "INTEGER", "default": "x"}, "default", id="default of another type"),
        pytest.param({"type": "INTEGER", "default": 5.5}, "default", id="default with decimals"),
        pytest.param({"type": "INTEGER", "default": 5, "max": 4}, "default", id="default beyond max"),
        pytest.param({"type": "STRING", "default": "b", "enum": ["a"]}, "default", id="default not in enum"),
        pytest.param(
            {"type": "STRING", "default": "b", "pattern": "a"}, "default", id="default against pattern"
        ),
        pytest.param({"type": "STRING", "default": "b", "min_length": 2}, "default", id="default too short"),
        pytest.param({"type": "STRING", "default": {"a": 1}}, "default", id="default an object"),
        pytest.param({"type": "STRING", "default": ["a"]}, "default", id="default a list"),
        pytest.param({"type": "NUMBER", "default": 10**5000}, "default", id="default enormous"),
        pytest.param({"type": "STRING", "default": "\0"}, "default", id="NUL in default"),
        pytest.param({"type": "STRING", "hoho": 1}, "hoho", id="unknown option"),
    ],
)
def test_field_without_sense_is_refused(options: dict[str, Any], option: str) -> None:
    """Each fault of a field is one problem, with the path to its option."""
    assert [(option,)] == list(field_problem(**options))


def test_every_problem_is_reported() -> None:
    """One answer names all faults, so that a schema is repaired in one go."""
    found = problems(
        {
            "fields": [
                {"name": "a", "type": "INTEGER", "min": 5, "max": 1},
                {"name": "a", "type": "DATE", "format": "%d", "min": "x"},
                {"type": "STRING", "pattern": "(", "enum": []},
            ],
            "csv": {"quote": "ab"},
            "encoding": "x",
        }
    )

    assert {
        ("fields", 0, "max"),
        ("fields", 1, "name"),
        ("fields", 1, "format"),
        ("fields", 1, "min"),
        ("fields", 2, "name"),
        ("fields", 2, "pattern"),
        ("fields", 2, "enum"),
        ("csv", "quote"),
        ("encoding",),
    } == found.keys()


def test_messages_keep_braces_and_say_the_reason() -> None:
    """A partner's own text with braces is not taken for a template, and the engine's reason is told."""
    found = field_problem(type="STRING", pattern="x{2,1}")

    assert found[("pattern",)].startswith("This pattern cannot be used: ")
    default = field_problem(type="STRING", pattern="x{2}", default="y")
    assert "x{2}" in default[("default",)]


def test_a_thousand_fields_are_allowed() -> None:
    """The limit itself is inside."""
    assert 1000 == len(define({"fields": [{"name": f"f{i}", "type": "STRING"} for i in range(1000)]}).fields)


def test_escape_that_is_the_quote_means_doubling() -> None:
    """Many tools say so; it is the same as leaving the escape out."""
    definition = define({"fields": [STRING], "csv": {"escape": '"'}})

    assert definition.csv.escape is None


def test_definition_cannot_be_changed() -> None:
    """A saved version never changes."""
    definition: Definition = define({"fields": [STRING]})

    with pytest.raises(ValueError, match="frozen"):
        definition.encoding = "utf-8"  # type: ignore[misc]


def test_a_pattern_may_end_with_a_comment() -> None:
    """With the flag `x`, what we put around it must not become a part of the comment."""
    field = define({"fields": [{**STRING, "pattern": "(?x) a+ # some"}]}).fields[0]

    _, refusals = field.steps()(["aa", "b", "aa\n"])

    assert [1, 2] == sorted(refusals)


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", "."])
def test_a_record_path_with_an_empty_step_is_refused(path: str) -> None:
    """It would lead nowhere, in every file."""
    with pytest.raises(DefinitionError) as refused:
        define({"fields": [STRING], "record_path": path})

    assert [("record_path",)] == [problem.path for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [
        (r"ORD-[0-9]{6}", 10, 30),
        (r"\w{30}", 1_900, 2_100),
        (r"(?:\w{3}-){10}", 1_900, 2_200),
        (r"((a{9}){9}){9}", 1_400, 1_700),
        (r"[\d-]{1,20}", 100, 200),
        (r"[]{9}]{2}", 2, 10),
        (r"\p{Greek}{2}", 120, 140),
        ("(" * 50 + "a" + "){9}" * 50, 10**8, 10**11),
    ],
)
def test_the_size_of_a_pattern_counts_what_is_repeated(pattern: str, least: int, most: int) -> None:
    """In kilobytes, roughly: groups multiply, and what Unicode calls a letter is long."""
    assert least <= kilobytes(pattern) <= most


@pytest.mark.parametrize("count", [1, 40])
def test_patterns_that_would_take_too_much_memory_are_refused(count: int) -> None:
    """The engine keeps what it has compiled: one pattern may not be too large, nor all of a schema together."""
    fields = [
        {**STRING, "name": f"f{n}", "pattern": rf"\w{{{150 if count == 1 else 37}}}"} for n in range(count)
    ]

    with pytest.raises(DefinitionError, match="too large"):
        define({"fields": fields})
