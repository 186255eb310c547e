"""docs/limits.md and docs/http.md say what is so: every default stands there, and every command works."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from settings import Settings
from tests.graph.api import Owner
from tests.stack import ROOT, Stack

_LIMITS = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
_HTTP = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
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


def _commands() -> list[str]:
    """What a reader types, in order; a command may have several lines."""
    blocks = re.findall(r"^```console\n(.*?)^```", _HTTP, re.MULTILINE | re.DOTALL)
    return [command for block in blocks for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


async def test_every_command_works(stack: Stack, partner: Owner, tmp_path: Path) -> None:
    """In one shell, one after the other, with curl as it is; of the subscription we take three seconds."""
    script = "set -e\n" + "".join(
        f"printf '\\n>>> %s\\n' {number}\n" + command.replace("curl -N", "curl -N --max-time 3")
        for number, command in enumerate(_commands())
    )
    environment = {
        "SLUICE": stack.url,
        "KEY": partner.key,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "no_proxy": "*",
    }

    run = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    answers = re.split(r"\n>>> \d+\n", run.stdout)[1:]
    assert len(_commands()) == len(answers), run.stderr
    shown = [answer for answer in answers if answer.strip()]
    assert ['{"data":{"viewer":{"name":"Acme"}}}'] * 2 == shown[:2]
    assert shown[2].startswith('{"data":{"submitFile":{"job":{"id":"')
    assert shown[3].startswith(
        ':\n\nevent: next\ndata: {"data":{"jobProgress":{"status":"PENDING","percent":0.0}}}\n\n'
    )
    assert 4 == len(shown)
