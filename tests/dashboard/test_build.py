"""What is built: small enough, of this server alone, and its pure functions do what they say."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stack import ROOT

MOST_SCRIPT_BYTES = 150_000


def test_the_compressed_script_is_small(built: Path) -> None:
    """All of what a first load takes."""
    scripts = {path.name: path.stat().st_size for path in (built / "assets").glob("*.js.gz")}

    assert scripts
    assert sum(scripts.values()) < MOST_SCRIPT_BYTES, scripts


def test_the_page_loads_nothing_from_elsewhere(built: Path) -> None:
    """Its addresses are all of its own assets, which are there."""
    html = (built / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)

    assert addresses
    assert [] == [address for address in addresses if not address.startswith("/assets/")]
    assert [] == [address for address in addresses if not (built / f"{address[1:]}.gz").exists()]
    assert not re.search(r"<style|\son\w+=|<script(?![^>]*\ssrc=)", html)


def test_its_pure_functions() -> None:
    """By vitest."""
    dashboard = ROOT / "dashboard"
    if not shutil.which("npm"):
        pytest.skip("no npm here, which runs the tests of the dashboard's functions")
    if not ((dashboard / "node_modules" / "vitest").is_dir() and (dashboard / "src" / "gql").is_dir()):
        pytest.skip(
            "the dashboard's dependencies are not installed here: `make page` installs them, or says why it cannot"
        )

    ran = subprocess.run(["npm", "test"], cwd=dashboard, capture_output=True, text=True, timeout=100)

    assert 0 == ran.returncode, ran.stdout[-4_000:] + ran.stderr[-2_000:]
    assert re.search(r"Tests\s+\S*\d{2,} passed", re.sub(r"\x1b\[[\d;]*m", "", ran.stdout))
