"""How far a file is: a live bar with pace and time left on a terminal, a line for each state where there is none."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any, Protocol

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, Task, TaskID, TaskProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

from sluice.report import plain

_LOST = "connection lost, trying again …"


class Bar(Protocol):
    """What shows how far a file is."""

    def sent(self, done: int, size: int) -> None:
        """`done` of `size` bytes are on their way."""

    def show(self, state: dict[str, Any]) -> None:
        """A JobProgress."""

    def show_discard(self, state: dict[str, Any]) -> None:
        """A JobDiscard."""

    def lost(self) -> None:
        """Nobody tells at the moment."""


@contextlib.contextmanager
def bar(console: Console, title: str) -> Iterator[Bar]:
    """A live bar on a terminal, a line for each state otherwise."""
    if not console.is_terminal:
        yield _Lines(console, title)
        return
    columns = (
        _Shrinking("{task.description}", markup=False, table_column=Column(max_width=24)),
        BarColumn(bar_width=12, table_column=Column(no_wrap=True)),
        TaskProgressColumn(),
        TextColumn("{task.fields[pace]}"),
        _Shrinking("{task.fields[words]}", style="dim", markup=False, table_column=Column()),
    )
    # What goes into a pipe must arrive there: rich would print it beside its bar instead.
    with Progress(*columns, console=console, redirect_stdout=sys.stdout.isatty()) as progress:
        yield _Live(progress, progress.add_task(title, total=100.0, pace="", words=""))


class _Shrinking(TextColumn):
    """Gives way to the bar, its rate and the time left where the terminal is narrow, and ends with an ellipsis then."""

    def render(self, task: Task) -> Text:
        """As ever, on one line."""
        text = super().render(task)
        text.no_wrap, text.overflow = True, "ellipsis"
        return text


class _Live:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self._began = time.monotonic()

    def sent(self, done: int, size: int) -> None:
        pace = done / max(time.monotonic() - self._began, 0.001)
        told = _pace(f"{decimal(int(pace))}/s", max(size - done, 0) / pace)
        self._update(100 * done / max(size, 1), told, f"sent {decimal(done)} of {decimal(size)}")

    def show(self, state: dict[str, Any]) -> None:
        self._update(state["percent"], _job_pace(state), _counts(state))

    def show_discard(self, state: dict[str, Any]) -> None:
        self._update(state["percent"], "", _discarded(state))

    def lost(self) -> None:
        self._progress.update(self._task, pace="", words=_LOST)

    def _update(self, percent: float, pace: str, words: str) -> None:
        self._progress.update(self._task, completed=percent, pace=pace, words=words)


class _Lines:
    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._is_lost = False

    def sent(self, done: int, size: int) -> None:
        if done == size:
            self._say(f"sent {decimal(size)}")

    def show(self, state: dict[str, Any]) -> None:
        self._is_lost = False
        words = ", ".join(filter(None, (_counts(state), _job_pace(state))))
        self._say(f"{state['percent']:5.1f} %  {words}")

    def show_discard(self, state: dict[str, Any]) -> None:
        self._is_lost = False
        self._say(f"{state['percent']:5.1f} %  {_discarded(state)}")

    def lost(self) -> None:
        if not self._is_lost:
            self._say(_LOST)
        self._is_lost = True

    def _say(self, words: str) -> None:
        plain(self._console, f"{self._title}  {words}")


def _counts(state: dict[str, Any]) -> str:
    words = f"{state['status'].lower()}, {int(state['recordsRead']):,} records"
    if rejected := int(state["recordsRejected"]):
        words += f", {rejected:,} rejected"
    return words


def _discarded(state: dict[str, Any]) -> str:
    return f"{int(state['recordsDiscarded']):,} of {int(state['recordsTotal']):,} records deleted"


def _job_pace(state: dict[str, Any]) -> str:
    rate = state["recordsPerSecond"]
    return _pace(f"{rate:,.0f} records/s", state["etaSeconds"]) if rate else ""


def _pace(rate: str, seconds_left: float | None) -> str:
    if not seconds_left or round(seconds_left) == 0:
        return rate
    minutes, seconds = divmod(round(seconds_left), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{rate}, {left} left"
