"""How jobs look in a terminal: a bar while they run, a summary when they are done. Plain lines when piped."""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

_RAW_CHARACTERS = 40
_PIPED_COLUMNS = 140
_STATUS_STYLE = {"COMPLETED": "bold green", "FAILED": "bold red", "CANCELLED": "bold yellow"}


def console(*, stderr: bool = False) -> Console:
    """The terminal, or as many columns as a line needs where there is none."""
    terminal = Console(stderr=stderr)
    return terminal if terminal.is_terminal else Console(stderr=stderr, width=_PIPED_COLUMNS)


class Bar(Protocol):
    """What shows how far a file is."""

    def sent(self, done: int, size: int) -> None:
        """`done` of `size` bytes are on their way."""

    def show(self, percent: float, words: str) -> None:
        """`percent` of 100, and what to say beside it."""


@contextlib.contextmanager
def bar(console: Console, title: str) -> Iterator[Bar]:
    """A live bar on a terminal, a line for each state otherwise."""
    if not console.is_terminal:
        yield _Lines(console, title)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=16), TaskProgressColumn(),
        TextColumn("{task.fields[words]}", style="dim"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        yield _Live(progress, progress.add_task(title, total=100.0, words=""))


class _Live:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def sent(self, done: int, size: int) -> None:
        self.show(100 * done / max(size, 1), f"sent {decimal(done)} of {decimal(size)}")

    def show(self, percent: float, words: str) -> None:
        self._progress.update(self._task, completed=percent, words=words)


class _Lines:
    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title

    def sent(self, done: int, size: int) -> None:
        if done == size:
            plain(self._console, f"{self._title}  sent {decimal(size)}")

    def show(self, percent: float, words: str) -> None:
        plain(self._console, f"{self._title}  {percent:5.1f} %  {words}")


def plain(console: Console, line: str) -> None:
    """A line as it is: no markup, no wrapping."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def in_words(state: dict[str, Any]) -> str:
    """A JobProgress as a short phrase."""
    words = f"{state['status'].lower()}, {int(state['recordsRead']):,} records"
    if rejected := int(state["recordsRejected"]):
        words += f", {rejected:,} rejected"
    if rate := state["recordsPerSecond"]:
        words += f", {rate:,.0f}/s"
    return words


def summary(console: Console, job: dict[str, Any]) -> None:
    """What became of a job: counts, errors by field and code, the first errors with their places."""
    counts = job["progress"]
    status = Text(job["status"], style=_STATUS_STYLE.get(job["status"], "bold"))
    said = f"  {int(counts['recordsAccepted']):,} accepted, {int(counts['recordsRejected']):,} rejected"
    console.print(Text.assemble(f"{job['filename']}  ", status, said), soft_wrap=True)
    if failure := job["failure"]:
        line = f", line {failure['line']}" if failure["line"] else ""
        plain(console, f"  {failure['code']}{line}: {failure['message']}")
    if job["errorSummary"]:
        _print(console, "errors by field and code", _summary_table(job["errorSummary"]))
        _print(console, "the first errors", _errors_table(job["errors"]["nodes"]))


def _print(console: Console, title: str, table: Table) -> None:
    plain(console, f"  {title}")
    console.print(table, highlight=False)


def _summary_table(rows: list[dict[str, Any]]) -> Table:
    table = _table("field", "code")
    table.add_column("count", justify="right")
    for row in rows:
        table.add_row(Text(row["field"] or "(record)"), row["code"], f"{int(row['count']):,}")
    return table


def _errors_table(rows: list[dict[str, Any]]) -> Table:
    table = _table("line", "field", "value", "what is wrong")
    for row in rows:
        line = str(row["line"] or f"#{row['recordIndex']}")
        table.add_row(
            line, Text(row["field"] or "(record)"), Text(_shown(row["rawValue"])), Text(row["message"])
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _shown(value: str | None) -> str:
    if value is None:
        return "-"
    return repr(value if len(value) <= _RAW_CHARACTERS else value[:_RAW_CHARACTERS] + "…")
