"""Docker without Docker: what the compose file and the Dockerfile say agrees with the settings and the command."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from graph import dashboard_page, graphiql_page
from settings import Settings
from sluice.cli import parser

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["api", "migrate", "worker"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
VARIABLES = {f"SLUICE_{name.upper()}" for name in Settings.model_fields}


def test_compose_has_the_whole_house() -> None:
    """Five services, three of them ours, from one image."""
    assert ["api", "migrate", "postgres", "redis", "worker"] == sorted(SERVICES)
    assert {"sluice"} == {SERVICES[name]["image"] for name in OURS}
    assert "postgres:18" == SERVICES["postgres"]["image"]
    assert int(SERVICES["redis"]["image"].partition(":")[2].split("-")[0]) >= 7


@pytest.mark.parametrize("name", OURS)
def test_command_is_one_of_the_cli(name: str) -> None:
    """Each service runs the command of its name."""
    assert [name] == SERVICES[name]["command"]
    assert name == parser().parse_args(SERVICES[name]["command"]).run.__name__


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings(name: str) -> None:
    """A misspelt variable would be ignored without a word."""
    assert set(SERVICES[name]["environment"]) <= VARIABLES


def test_variables_of_the_image_are_settings() -> None:
    """The same in the Dockerfile."""
    assert set(re.findall(r"SLUICE_\w+", DOCKERFILE)) <= VARIABLES


@pytest.mark.parametrize("name", ["api", "worker"])
def test_uploads_are_on_the_shared_volume(name: str) -> None:
    """What the API stores, the workers find, and it outlives both; the image has made the folder writable."""
    storage = SERVICES[name]["environment"]["SLUICE_STORAGE_DIR"]

    assert [f"files:{storage}"] == SERVICES[name]["volumes"]
    assert "files" in COMPOSE["volumes"]
    assert re.search(rf"install .*--owner=sluice.* {storage}\b", LAST_STAGE)


def test_urls_name_the_services() -> None:
    """Host, user, database and password are those that the servers are started with."""
    environment, postgres = SERVICES["api"]["environment"], SERVICES["postgres"]["environment"]

    assert environment["SLUICE_DATABASE_URL"] == (
        f"postgresql://{postgres['POSTGRES_USER']}:{postgres['POSTGRES_PASSWORD']}@postgres:5432/{postgres['POSTGRES_DB']}"
    )
    assert (
        environment["SLUICE_REDIS_URL"]
        == f"redis://:{SERVICES['redis']['environment']['REDISCLI_AUTH']}@redis:6379/0"
    )
    assert SERVICES["redis"]["environment"]["REDISCLI_AUTH"] in SERVICES["redis"]["command"]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_start_waits_for_the_migration(name: str) -> None:
    """And the migration waits for the database."""
    conditions = {of: how["condition"] for of, how in SERVICES[name]["depends_on"].items()}

    assert {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    } == conditions
    assert {"postgres": {"condition": "service_healthy"}} == SERVICES["migrate"]["depends_on"]


def test_database_is_on_a_volume() -> None:
    """The image of 18 wants it one level higher than those before."""
    assert ["database:/var/lib/postgresql"] == SERVICES["postgres"]["volumes"]
    assert "database" in COMPOSE["volumes"]


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_server_is_checked_and_not_published(name: str) -> None:
    """Others wait for its health; nobody outside reaches it."""
    assert "CMD" == SERVICES[name]["healthcheck"]["test"][0]
    assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_orphans_are_reaped(name: str) -> None:
    """A reader whose worker was killed is nobody's child but init's."""
    assert SERVICES[name]["init"] is True


@pytest.mark.parametrize("name", ["api", "worker", "postgres", "redis"])
def test_service_is_started_again(name: str) -> None:
    """What lives long comes back after a crash or a reboot; migrate ends."""
    assert "unless-stopped" == SERVICES[name]["restart"]


def test_health_check_of_the_image_asks_the_api() -> None:
    """On the port that it listens on; workers and migrate have nothing to ask."""
    [port] = re.findall(r"SLUICE_PORT=(\d+)", LAST_STAGE)

    assert f"http://127.0.0.1:{port}/health" in LAST_STAGE
    assert [f"127.0.0.1:${{PORT:-8000}}:{port}"] == SERVICES["api"]["ports"]
    assert {"disable": True} == SERVICES["worker"]["healthcheck"] == SERVICES["migrate"]["healthcheck"]


def test_last_stage_holds_everything_and_nothing_to_build_with() -> None:
    """Every package of ours is copied; the process is nobody special."""
    copied = set(re.findall(r"^COPY (\w+)/ \1/$", LAST_STAGE, re.MULTILINE))

    assert {"graph", "tasks", "models", "migrations", "sluice"} == copied
    assert "COPY settings.py ./" in LAST_STAGE
    assert re.search(r"^USER (?!root)\w+$", LAST_STAGE, re.MULTILINE)
    assert not re.search(r"\b(pip|apt-get|gcc|npm)\b", LAST_STAGE)
    assert "--require-hashes" in DOCKERFILE


@pytest.mark.parametrize("built", [graphiql_page.BUILT, dashboard_page.BUILT], ids=["GraphiQL", "dashboard"])
def test_a_page_is_built_in_a_stage_of_its_own(built: Path) -> None:
    """From its lock file, before its sources come, so that these do not install it anew; it ends where the API looks for it."""
    [stage] = re.findall(r"^FROM node:.* AS pages$(.*?)^FROM ", DOCKERFILE, re.MULTILINE | re.DOTALL)
    source = built.parent.relative_to(ROOT)
    packages = " ".join(f"{source}/{name}" for name in ("package.json", "package-lock.json", ".npmrc"))

    steps = [
        f"COPY {packages} {source}/", f"RUN npm --prefix {source} ci",
        f"COPY {source}/ {source}/", f"RUN npm --prefix {source} run build",
    ]  # fmt: skip
    assert steps == [line for line in stage.splitlines() if line in steps]
    assert f"COPY --from=pages /pages/{source}/dist {built.relative_to(ROOT)}" in LAST_STAGE
    assert stage.index("COPY schema.graphql ./") < stage.index("RUN npm --prefix dashboard run build")


def test_build_context_lets_in_what_is_copied() -> None:
    """The .dockerignore names the same things as the COPY lines, and nothing that was built here gets in."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {name.rstrip("/") for name in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)}

    assert let_in == {name for name in copied if Path(name).parts[0] not in let_in - {name}}
    pages = {str(page.BUILT.relative_to(ROOT)) for page in (graphiql_page, dashboard_page)}
    assert {"**/node_modules", *pages} <= set(lines)
