"""What each client must have seen: a job that was cancelled, and every state, record and error of one that was not."""

from pathlib import Path
from typing import Any

from tests import samples
from tests.clients.scenario import RECORDS, Printed
from tests.stack import assert_forward

_GOOD = [index for index in range(RECORDS) if not samples.is_bad(index)]
_BAD = [index for index in range(RECORDS) if samples.is_bad(index)]


def assert_whole_way(shown: Printed, file: Path) -> None:
    """One job was cancelled; another was followed to its end, and each of its records and errors is as in the file."""
    assert {"cancelled", "progress", "record", "error"} == set(shown)
    assert ["CANCELLED"] == [job["status"] for job in shown["cancelled"]]
    _assert_progress(shown["progress"], file.stat().st_size)
    assert [(index, samples.expected(index)) for index in _GOOD] == [
        (int(record["index"]), record["data"]) for record in shown["record"]
    ]
    assert [
        (index, index + 2, *failure)
        for index in _BAD
        for failure in [("email", "INVALID_EMAIL", "nobody"), ("currency", "NOT_IN_ENUM", "DM")]
    ] == [_seen(error) for error in shown["error"]]


def _assert_progress(events: list[dict[str, Any]], size: int) -> None:
    assert_forward(events)
    first, last = events[0], events[-1]
    assert ("PENDING", 0, 0.0) == (first["status"], int(first["recordsRead"]), float(first["percent"]))
    assert ("COMPLETED", 100.0) == (last["status"], float(last["percent"]))
    assert (RECORDS, len(_GOOD), len(_BAD)) == tuple(
        int(last[name]) for name in ("recordsRead", "recordsAccepted", "recordsRejected")
    )
    assert {size} == {int(event["bytesTotal"]) for event in events} | {int(last["bytesRead"])}


def _seen(error: dict[str, Any]) -> tuple[int, int, str, str, str]:
    assert error["message"].endswith(".")
    return int(error["recordIndex"]), int(error["line"]), error["field"], error["code"], error["rawValue"]
