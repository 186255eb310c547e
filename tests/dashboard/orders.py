"""A file of orders with mistakes of several kinds, and what a careful person makes of what was rejected."""

import csv
import io
from collections import Counter
from pathlib import Path

from tests import samples
from tests.samples import Row

RECORDS = 20_000


def row(index: int) -> Row:
    """A record of `samples`, and now and then another mistake."""
    made = samples.row(index)
    if index % 400 == 7:
        made["amount"] = f"{index},50"
    if index % 1000 == 3:
        made["id"] = f"-{index}"
    return made


def write(path: Path, records: int = RECORDS) -> Path:
    """A file of them."""
    return samples.write_rows(path, [row(index) for index in range(records)])


def mistakes(index: int) -> list[tuple[str, str]]:
    """Field and code of each error of a record."""
    found = [("id", "TOO_SMALL")] if index % 1000 == 3 else []
    if samples.is_bad(index):
        return [*found, ("email", "INVALID_EMAIL"), ("currency", "NOT_IN_ENUM")]
    return [*found, ("amount", "INVALID_NUMBER")] if index % 400 == 7 else found


REJECTED = [index for index in range(RECORDS) if mistakes(index)]
ERRORS = Counter(mistake for index in REJECTED for mistake in mistakes(index))


def rejected_file() -> bytes:
    """The rejected records as a CSV file, each with its index."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["sluice:index", *row(0)])
    writer.writeheader()
    writer.writerows({"sluice:index": index, **row(index)} for index in REJECTED)
    return text.getvalue().encode()


def corrected(content: bytes) -> str:
    """That file as it should have been; what was right stays as it was."""
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    for wrong in rows:
        index = int(wrong["sluice:index"])
        right = {
            "id": str(index),
            "email": f"user{index}@example.com",
            "amount": f"{index}.50",
            "currency": "EUR",
        }
        writer.writerow({**wrong, **right})
    return text.getvalue()
