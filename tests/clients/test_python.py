"""Python clients, in virtual environments of their own, run against a real Sluice."""

import sys
from pathlib import Path

import pytest

from tests.clients import installed, workplace
from tests.clients.scenario import Sluice, printed
from tests.clients.whole_way import assert_whole_way

pytestmark = pytest.mark.timeout(600)  # the first test may install


@pytest.fixture(scope="module")
def ariadne_codegen() -> Path:
    """A folder with the program, the package that ariadne-codegen makes for it, and a virtual environment."""
    environment = installed.python("ariadne-codegen")
    folder = workplace.fresh(environment / "program", "ariadne_c*", "*.graphql")
    installed.run(environment / "bin" / "ariadne-codegen", "--config", "ariadne_codegen.toml", cwd=folder)
    return folder


async def test_ariadne_codegen_goes_the_whole_way(ariadne_codegen: Path, sluice: Sluice) -> None:
    """Its client cancels a job, uploads a file, follows it to its end and reads every record and error of it."""
    lines = await sluice.run(_python(ariadne_codegen), str(ariadne_codegen / "ariadne_client.py"))

    assert_whole_way(printed(lines), sluice.file)


def test_the_generated_client_is_typed(ariadne_codegen: Path) -> None:
    """mypy, strict, finds nothing in the program that uses the generated package."""
    _check(ariadne_codegen / "ariadne_client.py")


@pytest.fixture(scope="module")
def gql() -> Path:
    """A folder with the program, in a virtual environment."""
    return workplace.fresh(installed.python("gql") / "program", "gql_client.py")


async def test_gql_goes_the_whole_way(gql: Path, sluice: Sluice) -> None:
    """It cancels a job, uploads a file, follows it to its end and reads every record and error of it."""
    lines = await sluice.run(_python(gql), str(gql / "gql_client.py"))

    assert_whole_way(printed(lines), sluice.file)


def test_the_program_with_gql_is_typed(gql: Path) -> None:
    """mypy, strict, finds nothing in it."""
    _check(gql / "gql_client.py")


def _check(program: Path) -> None:
    folder = program.parent
    installed.run(
        sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=",
        "--cache-dir", folder.parent / "mypy", "--python-executable", _python(folder), program.name, cwd=folder,
    )  # fmt: skip


def _python(program: Path) -> str:
    return str(program.parent / "bin" / "python")
