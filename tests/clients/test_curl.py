"""curl: everything with one tool that is already there, progress over server-sent events."""

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
