"""Schemas in files: what JSON and YAML mean, and that everything that is wrong is told with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.errors import SluiceError
from sluice.schema_file import SchemaFile
from tests.sluice.typed import Typed

YAML = """\
# what Acme sends
name: orders
fields:
  - {name: id, type: INTEGER, min: 1}
  - name: country
    type: STRING
    enum: [NO, SE, "true"]
    nullValues: ["", n/a, ~]
  - name: day
    type: DATE
    min: 2020-01-01
    required: false
  - name: time
    type: STRING
    default: 12:30
csv:
  delimiter: ";"
  comment:
"""
DEFINITION = {
    "name": "orders",
    "fields": [
        {"name": "id", "type": "INTEGER", "min": 1},
        {"name": "country", "type": "STRING", "enum": ["NO", "SE", "true"], "nullValues": ["", "n/a", None]},
        {"name": "day", "type": "DATE", "min": "2020-01-01", "required": False},
        {"name": "time", "type": "STRING", "default": "12:30"},
    ],
    "csv": {"delimiter": ";", "comment": None},
}


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """A file."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("extension", ["yaml", "yml", "YAML"])
def test_yaml_says_what_json_would(tmp_path: Path, extension: str) -> None:
    """`NO` is Norway, a day is a text, and times are no numbers."""
    assert DEFINITION == SchemaFile.read(written(tmp_path, f"s.{extension}", YAML)).definition


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_encoding_of_json_is_read(tmp_path: Path, encoding: str) -> None:
    """As Windows' editors write it."""
    path = written(tmp_path, "s.json", json.dumps(DEFINITION).encode(encoding))

    assert DEFINITION == SchemaFile.read(path).definition


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None), ("~", None), ("", None), ("true", True), ("false", False), ("0", 0), ("-7", -7),
        ("1.50", 1.5), ("1e3", 1000.0), ("007", "007"), ("0x1f", "0x1f"), ("1_000", "1_000"), ("+1", "+1"),
        (".5", ".5"), (".nan", ".nan"), ("yes", "yes"), ("off", "off"), ("True", "True"), ("Null", "Null"),
        ("2026-11-25", "2026-11-25"), ("1:30", "1:30"), ("'null'", "null"), ('"1"', "1"), ("=", "="),
        ("|-\n  1", "1"),
    ],
)  # fmt: skip
def test_a_word_of_yaml_is_text_unless_json_has_it(tmp_path: Path, text: str, value: Any) -> None:
    """YAML 1.1 would make booleans, dates and base-60 numbers of some of these."""
    found = SchemaFile.read(written(tmp_path, "s.yaml", f"value: {text}\n")).definition["value"]

    assert (type(value), value) == (type(found), found)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.json", '{\n "name": "a",\n "fields": [}\n', ":3: this is not JSON: Expecting value"),
        ("s.json", "", ":1: this is not JSON: Expecting value"),
        ("s.txt", "name: orders\n", ":1: this is not JSON"),
        ("s.json", b'{\n"name": "\xff"}', ":2: this is not text in utf-8"),
        ("s.json", '{"name": "\\ud800"}', " cannot be sent: "),
        ("s.json", '{"min": NaN}', " cannot be sent: "),
        ("s.json", '{"min": 1e999}', " cannot be sent: "),
        ("s.json", '{"min": %s}' % ("9" * 5_000), ": Exceeds the limit"),
        ("s.json", "[" * 100_000, " is nested too deeply"),
        ("s.json", "[]", " holds no object: it should look like CreateRecordSchemaInput"),
        ("s.yaml", "", " holds no object"),
        ("s.yaml", "- a\n", " holds no object"),
        ("s.yaml", "name: a\nfields: [\n", ":3: "),
        ("s.yaml", "name: a\nfields:\n\t- b\n", ":3: found character '\\t' that cannot start any token"),
        ("s.yaml", "name: a\nname: b\n", ":2: the key name occurs twice"),
        ("s.yaml", "a: 1\n? [b]\n: 2\n", ":2: a key must be a text"),
        ("s.yaml", "a: 1\nb: !!python/object/apply:os.system [id]\n", ":2: tags are not supported"),
        ("s.yaml", "a: &x [1]\nb: *x\n", ":2: aliases are not supported"),
        ("s.yaml", "a: 1\n---\nb: 2\n", ":2: but found another document"),
        ("s.yaml", "a: 1\nb: \x01\n", ":2: special characters are not allowed"),
        ("s.yaml", b"a: 1\nb: \xff\n", ":2: this is not text in utf-8"),
        ("s.yaml", "[" * 5_000, " is nested too deeply"),
        ("s.yaml", "a: %s" % ("9" * 5_000), ": Exceeds the limit"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    """File, line, and what is wrong there."""
    path = written(tmp_path, name, content)

    with pytest.raises(SluiceError) as refused:
        SchemaFile.read(path)

    assert str(refused.value).startswith(f"{path}{said}")


@pytest.mark.parametrize("name", ["orders.yaml", "orders.json"])
async def test_a_schema_is_saved_from_a_file(typed: Typed, tmp_path: Path, name: str) -> None:
    """Its id on stdout; with --json its version, too, which counts on."""
    definition = {"name": "deliveries", "fields": [{"name": "id", "type": "INTEGER", "min": 1}]}
    text = "name: deliveries\nfields:\n  - {name: id, type: INTEGER, min: 1}\n"
    path = written(tmp_path, name, text if name.endswith("yaml") else json.dumps(definition))

    first = await typed.run("schema", "create", str(path))
    second = await typed.run("schema", "create", str(path), "--json")

    assert (0, "") == (first.returncode, first.stderr)
    assert 1 == first.stdout.count("\n")
    saved = json.loads(second.stdout)
    assert ("deliveries", 2) == (saved["name"], saved["version"])
    assert saved["id"] != first.stdout.strip()


_YAML_FAULTS = """\
name: orders
fields:
  - name: id
    type: INTEGER
    min: 5
    max: 1
  - name: code
    type: STRING
    pattern: "("
"""
_JSON_FAULTS = """\
{
\t"name": "orders",
\t"fields": [
\t\t{"name": "id", "type": "INTEGER"},
\t\t{"name": "code", "type": "STRING",
\t\t\t"pattern": "("}
\t]
}
"""


async def test_every_fault_that_the_server_finds_has_its_line(typed: Typed, tmp_path: Path) -> None:
    """A userError leads to a line of the file, in YAML and in JSON with tabs."""
    path = written(tmp_path, "s.yaml", _YAML_FAULTS)
    refused = await typed.run("schema", "create", str(path))
    other = written(tmp_path, "s.json", _JSON_FAULTS)
    refused_json = await typed.run("schema", "create", str(other), "--json")

    lines = refused.stderr.splitlines()
    assert (1, "") == (refused.returncode, refused.stdout)
    assert [f"sluice: {path}:{line}: INVALID" for line in (6, 9)] == [
        line.rpartition(": ")[0].partition(": INVALID")[0] + ": INVALID" for line in lines
    ]
    assert "(input.fields.1.pattern)" in lines[-1]
    assert (1, "") == (refused_json.returncode, refused_json.stdout)
    assert refused_json.stderr.startswith(f"sluice: {other}:6: INVALID")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: orders\nfields:\n  - name: id\n    type: INTGER\n", 4),
        ("name: orders\nfields:\n  - name: id\n    type: INTEGER\n  - nmae: day\n    type: DATE\n", 5),
        ("name: orders\nfields:\n  - name: id\n    type: STRING\n    enum: [1, 2]\n", 5),
        ("# no name\nfields: []\n", 2),
        ("name: orders\nfields: []\ncsv:\n  separator: ;\n", 3),
    ],
    ids=["type", "key", "number in enum", "no name", "csv"],
)
async def test_what_does_not_fit_the_input_type_has_its_line(
    typed: Typed, tmp_path: Path, text: str, line: int
) -> None:
    """GraphQL itself refuses it, before Sluice sees it, and says where in words."""
    path = written(tmp_path, "s.yaml", text)

    refused = await typed.run("schema", "create", str(path))

    assert (1, "") == (refused.returncode, refused.stdout)
    assert refused.stderr.startswith(f"sluice: {path}:{line}: BAD_USER_INPUT: "), refused.stderr


async def test_a_wrong_key_is_not_the_files_fault(typed: Typed, tmp_path: Path) -> None:
    """No line of it is blamed."""
    path = written(tmp_path, "s.yaml", YAML)

    refused = await typed.run("schema", "create", str(path), "--key", "slc_0_0")

    assert 1 == refused.returncode
    assert refused.stderr.startswith("sluice: UNAUTHENTICATED")
