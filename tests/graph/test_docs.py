"""docs/limits.md, docs/http.md and docs/downloads.md say what is so: every default stands there, and every command works."""

import asyncio
import json
import re
import subprocess
from pathlib import Path

import pytest

from settings import Settings
from tests.graph.api import Owner, id_of
from tests.graph.finished import finished_job
from tests.stack import ROOT, Stack

_LIMITS = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
_HTTP = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
_DOWNLOADS = (ROOT / "docs" / "downloads.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `SLUICE_(\w+)` \| (\S+) \|.*\| `([A-Z_]+)` \| .+ \|$", re.MULTILINE)
_DOCUMENTED = {name.lower(): default for name, default, _ in _ROW.findall(_LIMITS)}
_LIMIT = re.compile(r"^max_|^min_|_seconds$|_per_minute$|^allowed_")
_NOT_OF_THE_API = {"lease_seconds", "progress_interval_seconds", "orphan_seconds"}


@pytest.mark.parametrize(
    "name", sorted({name for name in Settings.model_fields if _LIMIT.search(name)} - _NOT_OF_THE_API)
)
def test_every_limit_stands_in_its_table_with_its_default_and_code(name: str) -> None:
    """An operator finds each."""
    default = Settings.model_fields[name].default

    assert _DOCUMENTED[name] == (f"{default:g}" if isinstance(default, float) else str(default or "none"))


def _commands(page: str = _HTTP) -> list[str]:
    """What a reader types, in order; a command may have several lines."""
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [command for block in blocks for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


async def _run(page: str, folder: Path, **environment: str) -> list[str]:
    """What each command of a page says: in one shell, one after the other, with curl as it is."""
    script = "set -e\n" + "".join(
        f"printf '\\n>>> %s\\n' {number}\n" + command.replace("curl -N", "curl -N --max-time 3")
        for number, command in enumerate(_commands(page))
    )
    run = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "*", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )

    answers = re.split(r"\n>>> \d+\n", run.stdout)[1:]
    assert len(_commands(page)) == len(answers), run.stderr
    return answers


async def test_every_command_works(stack: Stack, partner: Owner, tmp_path: Path) -> None:
    """Of the subscription we take three seconds."""
    answers = await _run(_HTTP, tmp_path, SLUICE=stack.url, KEY=partner.key)

    shown = [answer for answer in answers if answer.strip()]
    assert ['{"data":{"viewer":{"name":"Acme"}}}'] * 2 == shown[:2]
    assert shown[2].startswith('{"data":{"submitFile":{"job":{"id":"')
    assert shown[3].startswith(
        ':\n\nevent: next\ndata: {"data":{"jobProgress":{"status":"PENDING","percent":0.0}}}\n\n'
    )
    assert 4 == len(shown)


async def test_every_command_of_downloads_works(
    stack: Stack, partner: Owner, store: Path, tmp_path: Path
) -> None:
    """With the links that they take out of the answers."""
    job = await finished_job(partner, store, b"id,name\n1,a\nx,b\n")

    answers = await _run(_DOWNLOADS, tmp_path, SLUICE=stack.url, KEY=partner.key, JOB=id_of(job))

    [report, head, part, values] = [answer.strip() for answer in answers if answer.strip()]
    assert report.splitlines()[1].startswith("1,3,12,id,id,INVALID_INTEGER,")
    assert head.startswith("HTTP/1.1 200 OK")
    assert "id,name\nx," == part
    assert ("id", "x") == (json.loads(values)["path"], json.loads(values)["rawValue"])
    assert b"id,name\nx,b\n" == (tmp_path / "orders.rejected.csv").read_bytes()
    assert b"id,name\nx,b\n" == (tmp_path / "begun.csv").read_bytes()
