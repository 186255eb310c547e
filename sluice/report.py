"""How jobs and their errors look in a terminal: summaries and tables. As wide as their lines need when piped."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_RAW_CHARACTERS = 40
_PIPED_COLUMNS = 140
_STATUS_STYLE = {"COMPLETED": "bold green", "FAILED": "bold red", "CANCELLED": "bold yellow"}
_ERROR_COLUMNS: tuple[tuple[str, int | None, int | None], ...] = (
    ("line", 8, None), ("field", None, 2), ("code", 17, None), ("value", None, 3), ("what is wrong", None, 6),
)  # fmt: skip
"""Name, width, or share of what is left. They depend on nothing but the terminal's: each page of errors is a table of its own."""


def console(*, stderr: bool = False) -> Console:
    """The terminal, or as many columns as a line needs where there is none."""
    terminal = Console(stderr=stderr)
    return terminal if terminal.is_terminal else Console(stderr=stderr, width=_PIPED_COLUMNS)


def plain(console: Console, line: str) -> None:
    """A line as it is: no markup, no wrapping."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def summary(console: Console, job: dict[str, Any], first_errors: list[dict[str, Any]]) -> None:
    """What became of a job: counts, errors by field and code, the first errors with their places."""
    counts = job["progress"]
    said = f"  {int(counts['recordsAccepted']):,} accepted, {int(counts['recordsRejected']):,} rejected"
    console.print(
        Text.assemble(f"{printable(job['filename'])}  ", _status(job["status"]), said), soft_wrap=True
    )
    if failure := job["failure"]:
        line = f", line {failure['line']}" if failure["line"] else ""
        plain(console, f"  {failure['code']}{line}: {printable(failure['message'])}")
    if job["errorSummary"]:
        plain(console, "  errors by field and code")
        console.print(_summary_table(job["errorSummary"]), highlight=False)
    if first_errors:
        plain(console, "  the first errors")
        errors(console, first_errors)


def _status(status: str) -> Text:
    return Text(status, style=_STATUS_STYLE.get(status, "bold"))


def _summary_table(rows: list[dict[str, Any]]) -> Table:
    table = _table()
    table.add_column("field", overflow="fold")
    table.add_column("code", overflow="fold")
    table.add_column("count", justify="right")
    for row in rows:
        table.add_row(_field(row), row["code"], f"{int(row['count']):,}")
    return table


def errors(console: Console, rows: list[dict[str, Any]], *, is_first: bool = True) -> None:
    """A page of errors; every page has the same columns, and the first one their names."""
    table = _table(expand=True, show_header=is_first)
    for name, width, ratio in _ERROR_COLUMNS:
        table.add_column(name, overflow="fold", width=width, ratio=ratio)
    for row in rows:
        line = str(row["line"] or f"#{row['recordIndex']}")
        value, message = Text(_value(row["rawValue"])), Text(printable(row["message"]))
        table.add_row(line, _field(row), row["code"], value, message)
    console.print(table, highlight=False)


def jobs(console: Console, rows: list[dict[str, Any]]) -> None:
    """One line a job. Ids stay whole, for the next command: a terminal that is too narrow wraps the lines."""
    console.width = max(console.width, _PIPED_COLUMNS)
    table = _table()
    for name in ("job", "status", "accepted", "rejected", "submitted (UTC)", "file"):
        justify: Any = "right" if name.endswith("ted") else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=name != "file")
    for row in rows:
        counts, moment = row["progress"], row["createdAt"][:19].replace("T", " ")
        accepted, rejected = int(counts["recordsAccepted"]), int(counts["recordsRejected"])
        table.add_row(
            row["id"], _status(row["status"]), f"{accepted:,}", f"{rejected:,}", moment,
            Text(printable(row["filename"])),
        )  # fmt: skip
    console.print(table, highlight=False)


def _table(**options: Any) -> Table:
    return Table(box=None, padding=(0, 0, 0, 2), header_style="dim", **options)


def _field(row: dict[str, Any]) -> Text:
    return Text(printable(row["field"] or "(record)"))


def _value(value: str | None) -> str:
    if value is None:
        return "-"
    return repr(value if len(value) <= _RAW_CHARACTERS else value[:_RAW_CHARACTERS] + "…")


def printable(text: str) -> str:
    """Without what would command the terminal: names and messages may quote a file."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
