"""Python clients, in virtual environments of their own, run against a real Sluice."""

import sys
from pathlib import Path

import pytest

from tests.clients import installed, workplace
from tests.clients.scenario import Sluice, assert_whole_way, printed

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
    """mypy, strict, finds nothing in the program and in what it uses of the generated package."""
    installed.run(
        sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=",
        "--cache-dir", ariadne_codegen.parent / "mypy", "--python-executable", _python(ariadne_codegen),
        "ariadne_client.py", cwd=ariadne_codegen,
    )  # fmt: skip


async def test_gql_goes_the_whole_way(sluice: Sluice) -> None:
    """It cancels a job, uploads a file, follows it to its end and reads every record and error of it."""
    folder = workplace.fresh(installed.python("gql") / "program", "gql_client.py")

    lines = await sluice.run(_python(folder), str(folder / "gql_client.py"))

    assert_whole_way(printed(lines), sluice.file)


def _python(program: Path) -> str:
    return str(program.parent / "bin" / "python")
