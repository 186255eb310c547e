"""Ports and passwords of embedded servers, and the two URLs."""

import socket
from pathlib import Path

import pytest

from sluice import endpoints
from sluice.endpoints import Endpoint, Services
from sluice.errors import StartFailed


def test_endpoint_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    """URLs that somebody noted stay true."""
    first = Endpoint.remembered(tmp_path / "redis.endpoint", renew=True)

    assert first == Endpoint.remembered(tmp_path / "redis.endpoint", renew=False)


def test_endpoint_moves_when_its_port_is_taken(tmp_path: Path) -> None:
    """Somebody else's server on the port does not stop ours; the password, which is in the data, stays."""
    first = Endpoint.remembered(tmp_path / "redis.endpoint", renew=True)
    with socket.create_server(("127.0.0.1", first.port)):
        second = Endpoint.remembered(tmp_path / "redis.endpoint", renew=False)

    assert first.port != second.port
    assert first.password == second.password


@pytest.mark.parametrize("text", [None, "", "{}", "[1]"], ids=["missing", "empty", "no fields", "no object"])
def test_endpoint_whose_password_is_lost_says_what_to_do(tmp_path: Path, text: str | None) -> None:
    """A database that nobody can enter any more is not silently replaced."""
    if text is not None:
        (tmp_path / "postgres.endpoint").write_text(text)

    with pytest.raises(StartFailed, match="restore the file, or remove the folder"):
        Endpoint.remembered(tmp_path / "postgres.endpoint", renew=False)


def test_private_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Passwords are no business of other users of the machine."""
    endpoints.write_private(tmp_path / "env", "secret")

    assert 0o600 == (tmp_path / "env").stat().st_mode & 0o777
    assert ["env"] == [file.name for file in tmp_path.iterdir()]


def test_port_in_use_is_not_free() -> None:
    """What is_free says of a listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not endpoints.is_free("127.0.0.1", port)
    assert endpoints.is_free("127.0.0.1", port)


def test_services_come_back_from_their_environment() -> None:
    """What one process hands on is what the next reads."""
    services = Services("postgresql://a", "redis://b")

    assert services == Services.of(services.environment)
