"""Python clients, in a virtual environment of their own, run against a real Sluice."""

import sys
from pathlib import Path

import pytest

from tests.clients import installed, workplace
from tests.clients.installed import PYTHON
from tests.clients.scenario import Sluice, assert_whole_way, printed

pytestmark = pytest.mark.timeout(600)  # the first test may install
BIN = PYTHON / "bin"


@pytest.fixture(scope="module")
def programs() -> Path:
    """All programs, with the package that ariadne-codegen makes of schema.graphql and operations.graphql."""
    installed.python()
    folder = workplace.fresh(PYTHON / "programs", "*.py", "*.toml", "*.graphql")
    installed.run(BIN / "ariadne-codegen", "--config", "ariadne_codegen.toml", cwd=folder)
    return folder


@pytest.mark.parametrize("client", ["ariadne_client", "gql_client"])
async def test_a_client_goes_the_whole_way(programs: Path, sluice: Sluice, client: str) -> None:
    """It cancels a job, uploads a file, follows it to its end and reads every record and error of it."""
    lines = await sluice.run(str(BIN / "python"), str(programs / f"{client}.py"))

    assert_whole_way(printed(lines), sluice.file)


def test_the_generated_client_is_typed(programs: Path) -> None:
    """mypy, strict, finds nothing in the program and in what it uses of the generated package."""
    installed.run(
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", BIN / "python",
        "ariadne_client.py", cwd=programs,
    )  # fmt: skip
