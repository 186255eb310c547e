"""What people type, and what they are told when it does not work."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sluice.cli import parser
from sluice.client import ApiClient
from sluice.endpoints import Services, free_port
from tests.sluice.processes import ROOT, environment, eventually, sluice

COMMANDS = [
    "serve", "api", "worker", "migrate", "demo", "partner create", "schema create", "submit", "jobs", "job", "errors",
    "retry", "commit", "discard", "cancel",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of each says what it does."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([*command.split(), "--help"])

    assert 0 == ended.value.code
    assert f"sluice {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["fly"], ["partner"], ["submit", "file.csv"]], ids=" ".join)
def test_mistyped_command_exits_2(arguments: list[str]) -> None:
    """As every command does."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)

    assert 2 == ended.value.code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["partner", "create", "Acme"], "no database: start `sluice serve` first"),
        (["migrate"], "no database: start `sluice serve` first"),
        (["api"], "no Redis: start `sluice serve` first"),
        (["worker"], "no Redis: start `sluice serve` first"),
        (["submit", "file.csv", "--schema", "x"], "no API key: give --key or set SLUICE_API_KEY"),
        (["jobs"], "no API key: give --key or set SLUICE_API_KEY"),
        (["retry", "x"], "no API key: give --key or set SLUICE_API_KEY"),
        (["retry", "x", "/no/such.csv", "--key", "k"], "cannot read /no/such.csv: No such file or directory"),
        (["errors", "x"], "no API key: give --key or set SLUICE_API_KEY"),
        (["submit", "/no/such.csv", "--schema", "x", "--key", "k"], "cannot read /no/such.csv: No such file or directory"),
        (["schema", "create", "/no/such.json", "--key", "k"], "cannot read /no/such.json: No such file or directory"),
        (["schema", "create", "Makefile", "--key", "k"], "Makefile:1: this is not JSON: Expecting value"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)  # fmt: skip
def test_what_is_missing_is_one_plain_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    """What happened and what to do, on stderr, with exit code 1."""
    refused = sluice(tmp_path, *arguments)

    assert 1 == refused.returncode
    assert refused.stderr.startswith(f"sluice: {said}")
    assert 1 == refused.stderr.count("\n")
    assert "" == refused.stdout


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "api",
        "worker",
        "migrate",
        "demo",
        "partner create Acme",
        "schema create x --key k",
        "submit x --schema x",
    ],
)
def test_wrong_setting_is_one_plain_line(tmp_path: Path, command: str) -> None:
    """The variable's name and what is wrong with it, whatever was typed."""
    refused = sluice(tmp_path, *command.split(), SLUICE_PORT="abc")

    assert 1 == refused.returncode
    assert refused.stderr.startswith("sluice: SLUICE_PORT: ")
    assert 1 == refused.stderr.count("\n")
    assert "" == refused.stdout


def test_wrong_database_url_is_told_without_its_password(tmp_path: Path) -> None:
    """A parameter that we do not know, and another setting beside it."""
    refused = sluice(
        tmp_path, "migrate", SLUICE_DATABASE_URL="postgresql://u:s3cret@h/d?nope=1", SLUICE_WORKERS="0"
    )

    assert 1 == refused.returncode
    assert "SLUICE_DATABASE_URL: " in refused.stderr
    assert "nope" in refused.stderr
    assert "SLUICE_WORKERS: " in refused.stderr
    assert "s3cret" not in refused.stderr
    assert 1 == refused.stderr.count("\n")


@pytest.mark.parametrize("arguments", [["migrate"], ["partner", "create", "Acme"]], ids=" ".join)
def test_commands_cope_with_sslmode(tmp_path: Path, services: Services, arguments: list[str]) -> None:
    """`disable` connects; `require` says that this server has no TLS."""
    works = sluice(tmp_path, *arguments, SLUICE_DATABASE_URL=f"{services.database_url}?sslmode=disable")
    refused = sluice(tmp_path, *arguments, SLUICE_DATABASE_URL=f"{services.database_url}?sslmode=require")

    assert (0, 1) == (works.returncode, refused.returncode), works.stderr
    assert "PostgreSQL does not answer" in refused.stderr
    assert 1 == refused.stderr.count("\n")


@pytest.mark.parametrize("wrong", ["password", "no tables"])
def test_worker_outlives_a_database_that_is_not_ready(tmp_path: Path, services: Services, wrong: str) -> None:
    """One plain line a time, no traceback; it ends with 0 when it is asked to."""
    parts = urlsplit(services.database_url)
    url = services.database_url.rpartition("/")[0] + "/template1"
    if wrong == "password":
        url = services.database_url.replace(f":{parts.password}@", ":wr0ng@")
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "sluice", "worker"],
            cwd=ROOT, stderr=output, env=environment(tmp_path, **Services(url, services.redis_url).environment),
        ) as worker,
    ):  # fmt: skip
        try:
            eventually(lambda: log.read_text().count("no job claimed") >= 2, seconds=20.0)
            worker.terminate()
            code = worker.wait(10)
        finally:
            worker.kill()

    said = log.read_text()
    assert 0 == code
    assert "Traceback" not in said
    assert "wr0ng" not in said


def test_api_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the address that was tried."""
    (tmp_path / "orders.csv").write_text("a\n1\n")
    url = f"http://127.0.0.1:{free_port()}"

    refused = sluice(
        tmp_path, "submit", str(tmp_path / "orders.csv"), "--schema", "x", "--key", "k", "--url", url
    )

    assert 1 == refused.returncode
    assert f"sluice: no answer from {url}/graphql" in refused.stderr


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--key", "slc_…", "the API key holds characters that no key has"),
        ("--key", "slc_1\r\nX: secret", "the API key holds characters that no key has"),
        ("--url", "http://[::1", "http://[::1 is no address of a Sluice"),
        ("--url", "ftp://localhost", "ftp://localhost is no address of a Sluice"),
        ("--url", "http://", "http:// is no address of a Sluice"),
    ],
)
def test_what_can_be_no_key_and_no_address_is_told(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    """In one line, which does not hold the key, and before anything is sent."""
    (tmp_path / "orders.csv").write_text("a\n1\n")
    given = {"--key": "k", "--url": "http://127.0.0.1:1", option: value}

    refused = sluice(
        tmp_path,
        "submit",
        str(tmp_path / "orders.csv"),
        "--schema",
        "x",
        *[part for pair in given.items() for part in pair],
    )

    assert 1 == refused.returncode
    assert refused.stderr.startswith(f"sluice: {said}")
    assert "Traceback" not in refused.stderr
    assert "secret" not in refused.stderr


def test_a_key_may_end_with_a_line_break(tmp_path: Path) -> None:
    """As it does in files and secrets."""
    assert {"X-API-Key": "slc_1_2"} == ApiClient("http://127.0.0.1:1", "slc_1_2\r\n")._headers


@pytest.fixture
def web_page() -> Iterator[str]:
    """The address of a server that is no Sluice."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_server_that_is_no_sluice_is_told(tmp_path: Path, web_page: str) -> None:
    """A wrong --url."""
    (tmp_path / "schema.json").write_text("{}")

    refused = sluice(
        tmp_path, "schema", "create", str(tmp_path / "schema.json"), "--key", "k", "--url", web_page
    )

    assert 1 == refused.returncode
    assert "is that a Sluice?" in refused.stderr


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 201, "a\nb"], ids=["empty", "blank", "too long", "two lines"]
)
def test_senseless_partner_name_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is asked of the database."""
    refused = sluice(tmp_path, "partner", "create", name, SLUICE_DATABASE_URL="postgresql://127.0.0.1:1/db")

    assert 1 == refused.returncode
    assert "a partner's name has 1 to 200 printable characters" in refused.stderr
