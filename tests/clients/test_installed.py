"""What is said where the clients cannot be installed."""

from pathlib import Path

import pytest

from tests.clients import installed


def test_without_node_the_tests_are_skipped_and_say_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever has no Node.js reads what to install, and sees no failure."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(pytest.skip.Exception, match=r"need Node\.js 20 or newer and npm: apt-get install"):
        installed.node_modules()
