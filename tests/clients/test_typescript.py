"""TypeScript clients: generated, compiled in strict mode and run against a real Sluice; and the audit of its HTTP."""

import shutil
from pathlib import Path

import pytest

from tests.clients import installed, workplace
from tests.clients.installed import HERE, NODE_MODULES
from tests.clients.scenario import Sluice, printed
from tests.clients.whole_way import assert_whole_way

pytestmark = pytest.mark.timeout(600)  # the first test may install
BIN = NODE_MODULES / ".bin"


@pytest.fixture(scope="module")
def packages() -> None:
    """The npm packages."""
    installed.node_modules()


@pytest.fixture(scope="module")
def compiled(packages: None) -> Path:
    """All programs, with the types that graphql-codegen makes of schema.graphql."""
    folder = workplace.fresh(HERE / "build" / "typescript", "*.ts", "*.json", "*.yml", "*.graphql")
    shutil.copy(HERE / "audit.ts", folder)
    installed.run(BIN / "graphql-codegen", "--config", "codegen.yml", cwd=folder)
    installed.run(BIN / "tsc", cwd=folder)
    return folder


async def test_http_is_as_the_audit_wants_it(compiled: Path, sluice: Sluice) -> None:
    """graphql-http's audit of GraphQL over HTTP: 61 of 61."""
    lines = await sluice.run("node", str(compiled / "audit.js"))

    assert ["61 of 61 ok\n"] == lines, "".join(lines)


@pytest.mark.parametrize("client", ["apollo", "urql", "graphql-sse"])
async def test_a_client_goes_the_whole_way(compiled: Path, sluice: Sluice, client: str) -> None:
    """It cancels a job, uploads a file, follows it to its end and reads every record and error of it."""
    lines = await sluice.run("node", str(compiled / f"{client}.js"))

    assert_whole_way(printed(lines), sluice.file)


@pytest.fixture(scope="module")
def relay(packages: None) -> Path:
    """The Relay programs, with what the Relay compiler makes of them and of schema.graphql."""
    folder = workplace.fresh(HERE / "build" / "relay", "relay/*")
    shutil.copy(HERE / "relay.cjs", folder)
    artifacts = folder / "__generated__"
    artifacts.mkdir()
    installed.run(BIN / "relay-compiler", "relay.config.json", cwd=folder)
    assert "RecordListNextPageQuery.graphql.ts" in {artifact.name for artifact in artifacts.iterdir()}
    installed.run(BIN / "tsc", cwd=folder)
    return folder


async def test_relay_goes_the_whole_way(relay: Path, sluice: Sluice) -> None:
    """The same with what the Relay compiler made: queries, mutations, a subscription; and a fragment with @connection."""
    lines = await sluice.run("node", str(relay / "relay.cjs"))

    assert_whole_way(printed(lines), sluice.file)
