"""PostgreSQL as root: what is said when it cannot run as somebody else."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from sluice import unprivileged
from sluice.errors import StartFailed


@pytest.mark.parametrize(
    ("name", "number"), [("chown", 0), ("dac_override", 1), ("setgid", 6), ("setuid", 7)]
)
def test_root_without_its_rights_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    """A container may take them away; nothing has been given to another user then."""
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/setpriv")
    monkeypatch.setattr(unprivileged, "_held_capabilities", lambda: ~(1 << number))

    with pytest.raises(StartFailed, match=f"{name}.*run as a normal user, or set SLUICE_DATABASE_URL"):
        unprivileged.prefix(tmp_path, signal.SIGINT)

    assert owner == tmp_path.stat().st_uid
