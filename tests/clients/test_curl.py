"""curl: everything with one tool that is already there, progress over server-sent events."""

import asyncio
import json
import shutil
from typing import Any

import pytest

from tests.clients.scenario import Printed, Sluice
from tests.clients.whole_way import assert_whole_way
from tests.clients.workplace import EXAMPLES


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_curl_goes_the_whole_way(sluice: Sluice) -> None:
    """It cancels a job, uploads a file, follows it to its end and reads every record and error of it."""
    lines = await sluice.run("bash", str(EXAMPLES / "curl.sh"))

    assert_whole_way(_printed(lines), sluice.file)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_curl_says_why_a_file_was_not_taken(sluice: Sluice) -> None:
    """The program ends with what the API answered, and does not go on without a job."""
    program = await asyncio.create_subprocess_exec(
        "bash", str(EXAMPLES / "curl.sh"), "no-such-schema", str(sluice.file),
        env=sluice.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, complaint = await program.communicate()

    assert (1, b"") == (program.returncode, output)
    assert "NOT_FOUND" == json.loads(complaint)["data"]["submitFile"]["userErrors"][0]["code"]


def _printed(lines: list[str]) -> Printed:
    """curl prints answers as they are: JSON, and events whose lines begin with `data:`."""
    shown: Printed = {"cancelled": [], "progress": [], "record": [], "error": []}
    for line in lines:
        text = line.removeprefix("data:").strip()
        if text.startswith("{"):
            data: dict[str, Any] = json.loads(text)["data"]
            job = data.get("job", {})
            shown["cancelled"] += [data["cancelJob"]["job"]] if "cancelJob" in data else []
            shown["progress"] += [data["jobProgress"]] if "jobProgress" in data else []
            shown["record"] += job.get("records", {"nodes": []})["nodes"]
            shown["error"] += job.get("errors", {"nodes": []})["nodes"]
    return shown
