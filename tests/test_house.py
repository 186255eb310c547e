"""The house: packages are ours, files stay short, and the README names everything that there is."""

import ast
import importlib
from pathlib import Path
from typing import get_args

import pytest
from taskiq.serializers.json_serializer import JSONSerializer

from settings import Settings
from sluice.cli import parser
from tasks.broker import broker
from tasks.pipeline.definition import define
from tasks.pipeline.fields import AnyType
from tasks.pipeline.formats import _EXTENSIONS
from tasks.pipeline.record import FileFormat

ROOT = Path(__file__).parent.parent
PACKAGES = ("graph", "tasks", "models", "migrations", "sluice", "tests")
PICKLERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
FIELD_TYPES = [get_args(field.model_fields["type"].annotation)[0] for field in get_args(AnyType)]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PACKAGES)
def test_package_is_this_repositorys(name: str) -> None:
    """The generic names resolve to our folders, not to a stray package of somebody else's."""
    module = importlib.import_module(name)

    assert [str(ROOT / name)] == list(module.__path__)


def test_no_file_is_called_tasks_py() -> None:
    """taskiq's discovery globs for it."""
    assert [] == [path for name in PACKAGES for path in (ROOT / name).rglob("tasks.py")]


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_readme_lists_every_setting(setting: str) -> None:
    """An operator finds each variable."""
    assert f"`SLUICE_{setting.upper()}`" in README


@pytest.mark.parametrize("name", [*FIELD_TYPES, *FileFormat])
def test_readme_lists_every_field_type_and_format(name: str) -> None:
    """A partner finds each type and format."""
    assert f"`{name}`" in README


@pytest.mark.parametrize("extension", sorted(_EXTENSIONS))
def test_readme_lists_every_extension(extension: str) -> None:
    """A partner finds each extension."""
    assert f"`.{extension}`" in README


def test_readme_lists_every_command() -> None:
    """What can be typed is written down."""
    [commands] = [action for action in parser()._actions if action.choices]

    assert [] == [command for command in commands.choices or () if command not in README]


def test_the_schema_of_the_readmes_tour_is_a_schema() -> None:
    """Whoever copies the tour's first step gets no userErrors."""
    import json

    text = README.partition("-d @- <<'JSON'\n")[2].partition("\nJSON")[0]
    given = json.loads(text)["variables"]["input"]

    definition = define({"fields": given["fields"]})

    assert ["number", "email", "amount", "currency", "day"] == [field.name for field in definition.fields]


def test_nothing_of_ours_is_pickled() -> None:
    """Whoever may write to Redis, or to a pipe, must not be able to run code: no module imports what would allow it."""
    files = [path for name in PACKAGES if name != "tests" for path in (ROOT / name).rglob("*.py")]
    imported = {
        (name.partition(".")[0], path.name)
        for path in [*files, ROOT / "settings.py"]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
    }

    assert len(files) > 50
    assert set() == {(name, file) for name, file in imported if name in PICKLERS}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_messages_to_workers_are_json() -> None:
    """taskiq's serializer of the installed version, which it may change."""
    assert isinstance(broker.serializer, JSONSerializer)
    assert b'{"a": 1}' == broker.serializer.dumpb({"a": 1})
