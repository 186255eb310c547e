"""Logging of the API and the workers: one line an event, JSON unless a person reads it in a terminal.

What a call passes as `extra` (job, partner, …) becomes fields of the line. Keys and values never belong into a log;
should a key or a password in a URL get there inside a message, it is blotted out.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_SECRETS = re.compile(r"(slc_[0-9a-z]+_)[0-9a-z]+|(://[^/\s:@]*:)[^/\s@]+(?=@)")
_LEVELS = {
    "asyncpg": "ERROR",  # its pool warns with a traceback for each connection that it cannot make while the server starts
    "httpx": "WARNING",
    "python_multipart": "ERROR",
    "taskiq": "ERROR",
    "tortoise": "WARNING",
    "uvicorn": "WARNING",
}


def configure(level: int = logging.INFO) -> None:
    """Sends every log record to stderr, in the form that suits who reads it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter() if sys.stderr.isatty() else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name, its_level in _LEVELS.items():
        logging.getLogger(name).setLevel(its_level)


class JsonFormatter(logging.Formatter):
    """An event as one JSON object: time, level, logger, event, then the extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        event: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _blot(orjson.dumps(event, default=str).decode())


class LineFormatter(logging.Formatter):
    """An event as a line for the eye; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The time is local: it is for somebody who sits there."""
        extra = "".join(f"  {name}={value}" for name, value in _extra(record).items())
        time = _time(record).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname:<7} {record.name}: {record.getMessage()}{extra}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return _blot(line)


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _blot(line: str) -> str:
    return _SECRETS.sub(lambda found: f"{found[1] or found[2]}…", line)
