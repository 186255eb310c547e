"""docs/cli.md: every command and option is there, and every example is one that the parser takes."""

import argparse
import re
import shlex
from collections.abc import Iterator

import pytest

from sluice.cli import parser
from tests.sluice.processes import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^\$ (?:.*\()?(?:[A-Z_]+=\S+ )*sluice ([^|>)\n]+?)(?: 2?[|>].*)?\)?$", re.MULTILINE)


def _commands(
    of: argparse.ArgumentParser, name: str = "sluice"
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that can be run, with its parser."""
    below = [action.choices for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield name, of
    for choices in below:
        for word, command in choices.items():
            yield from _commands(command, f"{name} {word}")


COMMANDS = dict(_commands(parser()))


def section(command: str) -> str:
    """What the page says of a command."""
    [found] = re.findall(rf"^### {command}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown(command: str) -> None:
    """With an example and its exit codes."""
    assert f"$ {command}" in section(command) or f"({command}" in section(command)
    assert "Exit code: " in section(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_shown(command: str) -> None:
    """Those of all clients once, the others where they belong."""
    options = {option for action in COMMANDS[command]._actions for option in action.option_strings}
    options -= {"-h", "--help"}

    assert [] == [option for option in options if f"{option}" not in PAGE]
    assert [] == [
        option for option in options - {"--json", "--key", "--url"} if option not in section(command)
    ]


def test_no_command_is_shown_that_is_not_there() -> None:
    """Nor twice."""
    assert sorted(COMMANDS) == sorted(re.findall(r"^### (.+)$", PAGE, re.MULTILINE))


EXAMPLES = [found[1] for found in EXAMPLE.finditer(PAGE)]


def test_every_example_is_found() -> None:
    """By the pattern that takes them out of the page."""
    assert len(re.findall(r"^\$ ", PAGE, re.MULTILINE)) == len(EXAMPLES) > len(COMMANDS)


@pytest.mark.parametrize("example", sorted(set(EXAMPLES)))
def test_every_example_can_be_typed(example: str) -> None:
    """The parser takes it: exit code 2 would be a SystemExit here."""
    assert callable(parser().parse_args(shlex.split(example)).run)
