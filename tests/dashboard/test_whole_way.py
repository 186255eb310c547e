"""The whole way of a person: from a file and no schema to every record loaded."""

import csv
import io
from pathlib import Path

from tests.dashboard import orders
from tests.dashboard.person import Person, named

CORRECTED = "Choose the corrected file"
READ, ACCEPTED, REJECTED = orders.RECORDS, orders.RECORDS - len(orders.REJECTED), len(orders.REJECTED)


async def test_from_a_file_with_mistakes_to_every_record_loaded(person: Person, tmp_path: Path) -> None:
    """Schema, file, errors, downloads, correction, nothing outstanding."""
    path = orders.write(tmp_path / "orders.csv")
    await _makes_a_schema(person, path)
    await person.click("link", "Send a file with it")
    await person.reads("orders \\(version 1\\)", "combobox", "Schema")
    await person.give(path)
    await person.click("button", "Send the file")

    await person.reads("Every record has been decided", seconds=30)
    figures = f"Records read\\s+{READ:,}\\s+Accepted\\s+{ACCEPTED:,}\\s+Rejected\\s+{REJECTED:,}\\s+Outstanding\\s+{REJECTED:,}"
    await person.reads(figures)
    await _understands(person)
    rejected = await _downloads(person)
    await _mends(person, tmp_path, orders.corrected(rejected))
    await _looks_at_what_is_loaded(person)


async def _makes_a_schema(person: Person, sample: Path) -> None:
    """The sample fills in most of it, and tells at once what each rule would reject."""
    await person.click("link", "Make your first schema")
    await person.sees("heading", "New schema")
    await person.give(sample)
    await person.reads("sample records would be accepted")
    await person.fill("Name of the schema", "orders")

    await person.inside("region", "Field 2 email").choose("Type", "E-mail address")
    await person.inside("region", "Field 3 amount").choose("Type", "Number")
    await _sets_rule(person, "Field 1 id", "At least", "0")
    await _sets_rule(person, "Field 4 currency", "Only these values", "EUR\nUSD")
    await person.reads("Invalid e-?mail in \\d+ records.*nobody", "region", "Field 2 email")
    await person.reads("Not an allowed value in \\d+ records.*DM", "region", "Field 4 currency")
    await person.reads("Up to date", "region", "Tried with your file")

    await person.click("button", "Save the schema")
    await person.reads("Saved as version 1")


async def _sets_rule(person: Person, field: str, rule: str, value: str) -> None:
    part = person.inside("region", field)
    await part.page.call(*part.place, ["getByText", named("^Rules")], ["first"], ["click"])
    await part.fill(rule, value)


async def _understands(person: Person) -> None:
    """The chart tells every kind of error; a bar of it filters the table, and lets go again."""
    everything = sum(orders.ERRORS.values())
    await person.reads(f"{everything:,} errors in {REJECTED:,} rejected records", "region", "What was wrong")
    for (field, _), count in orders.ERRORS.items():
        await person.sees("button", named(f"^{field} .* {count:,} "))

    await person.click("button", named("^amount Invalid number"))

    await person.sees("heading", "amount: Invalid number")
    await person.hears("The table shows 50 errors: amount: Invalid number")
    await person.reads("^(?!.*nobody).*7,50.*407,50", "region", "Table of errors")
    first = orders.ERRORS["amount", "INVALID_NUMBER"]
    assert 1 + first == await person.page.call(
        ["getByRole", "region", {"name": "Table of errors"}], ["getByRole", "row"], ["count"]
    )

    await person.click("button", "Show all errors")

    await person.sees("heading", "All errors")
    await person.reads("user3@|nobody", "region", "Table of errors")
    await person.turns("errors")
    await person.reads("Page 2", "navigation", "Pages of errors")


async def _downloads(person: Person) -> bytes:
    """What is downloaded is byte for byte what was rejected, and a row of the report for each error."""
    await person.click("button", "Download the rejected records (.csv)")
    name, rejected = await person.page.downloaded()
    assert name.endswith(".csv")
    assert orders.rejected_file() == rejected

    await person.click("button", "Error report for a spreadsheet (.csv)")
    name, report = await person.page.downloaded()
    assert name.endswith(".csv")
    rows = list(csv.DictReader(io.StringIO(report.decode())))
    assert sum(orders.ERRORS.values()) == len(rows)
    assert {
        "recordIndex": "3",
        "line": "5",
        "field": "id",
        "code": "TOO_SMALL",
        "rawValue": "'-3",
    }.items() <= rows[0].items()
    return rejected


async def _mends(person: Person, folder: Path, text: str) -> None:
    """First only a part of it, then all."""
    path = folder / "orders corrected.csv"
    lines = text.splitlines(keepends=True)
    path.write_text("".join(lines[:101]), newline="")
    await person.drop(path, CORRECTED)
    await person.click("button", "Send the corrected file")
    await person.reads(f"Outstanding\\s+{REJECTED - 100:,}")
    await person.reads("orders corrected.csv\\s+Done\\s+100\\s+0\\s", "table", "Retries")

    path.write_text("".join([lines[0], *lines[101:]]), newline="")
    await person.drop(path, CORRECTED)
    await person.click("button", "Send the corrected file")
    await person.reads("Outstanding\\s+0")
    await person.reads(
        f"Everything is loaded: {ACCEPTED:,} records by this file, {REJECTED:,} by its retries"
    )


async def _looks_at_what_is_loaded(person: Person) -> None:
    """The records of the file alone, then with those of its retries; a page further."""
    records = "region", named("^Loaded records$")
    await person.reads("user10@example.com|user9@example.com\\s.*user11@example.com", *records)
    await person.click("switch", "With those of its retries")
    await person.reads("user9@example.com.*user10@example.com.*user11@example.com", *records)
    await person.turns("records")
    await person.reads("user50@example.com", *records)
    await person.reads("^(?!.*user49@)", *records)
