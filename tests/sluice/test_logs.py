"""A line for each event, for machines and for eyes, and no secrets in it."""

import json
import logging

import pytest

from sluice.logs import JsonFormatter, LineFormatter


def _record(message: str, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "tasks.ingest", "levelname": "INFO", "msg": message, **extra})


def test_event_is_one_json_object() -> None:
    """With what the call passed as extra, and newlines kept inside."""
    line = JsonFormatter().format(_record("job\nclaimed", job="1", partner="2"))

    assert "\n" not in line
    assert {
        "level": "info",
        "logger": "tasks.ingest",
        "event": "job\nclaimed",
        "job": "1",
        "partner": "2",
    } == {name: value for name, value in json.loads(line).items() if name != "time"}


def test_exception_stays_on_the_line() -> None:
    """A traceback is a field of its event."""
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int("no number")
    line = JsonFormatter().format(_record("fault", exc_info=(ValueError, raised.value, raised.tb)))

    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("invalid literal for int() with base 10: 'no number'")


def test_line_for_the_eye_shows_the_extra_fields() -> None:
    """The same facts in a terminal."""
    line = LineFormatter().format(_record("job claimed", job="1"))

    assert line.endswith("INFO    tasks.ingest: job claimed  job=1")


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()], ids=["json", "line"])
@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("key slc_0a1b2c3d_" + "f" * 64 + " refused", "ffff"),
        ("cannot connect to postgresql://sluice:hunter2@127.0.0.1:1/db", "hunter2"),
        ("cannot connect to redis://:hunter2@127.0.0.1:1/0", "hunter2"),
    ],
    ids=["key", "database", "redis"],
)
def test_secret_in_a_message_is_blotted_out(formatter: logging.Formatter, message: str, secret: str) -> None:
    """Should one slip in, it does not get into the log."""
    assert secret not in formatter.format(_record(message))
