"""The files of the demo: the same orders in four formats, about one in fifty of them spoilt. Always the same."""

import csv
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

RECORDS = 25_000
_SPOILT = 0.02
_SEED = 20_261_123
_FIRST_DAY = date(2025, 1, 1)

_NAMES = (
    "Ada Lovelace", "Björk Guðmundsdóttir", "Sinéad O'Connor", "村上 春樹", "Ngũgĩ wa Thiong'o", "Łukasz Żak",
    'Dwayne "The Rock" Johnson', "Müller, Söhne & Co.", "Ольга Ладыженская", "Åsa <Lund>",
)  # fmt: skip
_NOTES = ("", "Leave at the door", 'Says "hello"', "a, b; c", "naïve café ☕", "first line\nsecond line")
_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "SEK")

Order = dict[str, Any]


def _field(name: str, type: str, **rules: Any) -> dict[str, Any]:
    return {"name": name, "type": type, **rules}


FIELDS = (
    _field("order_id", "STRING", pattern="ORD-[0-9]{6}"),
    _field("customer_name", "STRING", maxLength=80),
    _field("customer_email", "EMAIL"),
    _field("amount", "NUMBER", min=0, max=100000),
    _field("currency", "STRING", enum=list(_CURRENCIES)),
    _field("quantity", "INTEGER", min=1),
    _field("ordered_on", "DATE"),
    _field("paid", "BOOLEAN"),
    _field("note", "STRING", required=False),
)


@dataclass(frozen=True)
class Sample:
    """One format: how it is called, what its schema adds, and how orders are written in it."""

    filename: str
    schema: dict[str, Any]
    write: Callable[[Path, Iterator[Order]], None]

    def make(self, folder: Path, records: int = RECORDS) -> tuple[Path, int]:
        """Writes the file; its path, and how many of its records are spoilt."""
        path, made = folder / self.filename, list(orders(records))
        self.write(path, (order for order, _ in made))
        return path, sum(spoilt for _, spoilt in made)


def orders(count: int) -> Iterator[tuple[Order, bool]]:
    """Orders, and whether each is spoilt."""
    chance = random.Random(_SEED)  # noqa: S311 - the same at every run
    for number in range(count):
        order = _good(number, chance)
        spoilt = chance.random() < _SPOILT
        if spoilt:
            order |= chance.choice(_FAULTS)
        yield order, spoilt


def _good(number: int, chance: random.Random) -> Order:
    return {
        "order_id": f"ORD-{number:06}",
        "customer_name": chance.choice(_NAMES),
        "customer_email": f"customer{chance.randrange(5_000)}@example.com",
        "amount": round(chance.uniform(1, 2_000), 2),
        "currency": chance.choice(_CURRENCIES),
        "quantity": chance.randint(1, 12),
        "ordered_on": str(_FIRST_DAY + timedelta(days=chance.randrange(600))),
        "paid": chance.random() < 0.8,
        "note": chance.choice(_NOTES),
    }


_FAULTS: tuple[Order, ...] = (
    {"amount": "12,50"},
    {"amount": -5},
    {"amount": "n/a", "quantity": "a dozen"},
    {"currency": "EURO"},
    {"customer_email": "ada(at)example.com"},
    {"customer_name": ""},
    {"ordered_on": "31/12/2025"},
    {"ordered_on": "2025-02-30"},
    {"order_id": "12345", "paid": "maybe"},
)


_CORRECTIONS: dict[str, dict[str, str]] = {
    "amount": {"12,50": "12.50", "-5": "5", "n/a": "24.00"},
    "quantity": {"a dozen": "12"},
    "currency": {"EURO": "EUR"},
    "customer_email": {"ada(at)example.com": "ada@example.com"},
    "customer_name": {"": "Ada Lovelace"},
    "ordered_on": {"31/12/2025": "2025-12-31", "2025-02-30": "2025-02-28"},
    "order_id": {"12345": "ORD-012345"},
    "paid": {"maybe": "false"},
}


def correct(rejected: Path, corrected: Path) -> int:
    """Does what a person would with the rejected rows of the CSV file: puts each fault right; how many rows there are."""
    with rejected.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.update((name, known.get(row[name], row[name])) for name, known in _CORRECTIONS.items())
    _write_csv(corrected, iter(rows))
    return len(rows)


def _write_csv(path: Path, rows: Iterator[Order]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field["name"] for field in FIELDS])
        writer.writeheader()
        writer.writerows(rows)


def _nested(order: Order) -> Order:
    customer = {"name": order["customer_name"], "email": order["customer_email"]}
    rest = {name: value for name, value in order.items() if not name.startswith("customer_")}
    return {"customer": customer, **rest}


def _write_json(path: Path, rows: Iterator[Order]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('{"exported": "2026-11-23", "data": {"orders": [\n')
        for number, order in enumerate(rows):
            file.write(",\n" if number else "")
            file.write(json.dumps(_nested(order), ensure_ascii=False))
        file.write("\n]}}\n")


def _write_ndjson(path: Path, rows: Iterator[Order]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(_nested(order)) + "\n" for order in rows)


def _write_xml(path: Path, rows: Iterator[Order]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<orders>\n')
        file.writelines(_element(_nested(order)) for order in rows)
        file.write("</orders>\n")


def _element(order: Order) -> str:
    customer = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in order.pop("customer").items())
    order_id = quoteattr(order.pop("order_id"))
    rest = "".join(f"<{name}>{escape(_text(value))}</{name}>" for name, value in order.items())
    return f"  <order id={order_id}>\n    <customer>{customer}</customer>{rest}\n  </order>\n"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _schema(name: str, record_path: str | None = None, **sources: str) -> dict[str, Any]:
    fields = [
        field | ({"source": sources[field["name"]]} if field["name"] in sources else {}) for field in FIELDS
    ]
    return {"name": name, "recordPath": record_path, "fields": fields}


_DOTTED = {"customer_name": "customer.name", "customer_email": "customer.email"}
_SLASHED = {"customer_name": "customer/name", "customer_email": "customer/email", "order_id": "@id"}

SAMPLES = (
    Sample("orders.csv", _schema("orders, flat"), _write_csv),
    Sample("orders.json", _schema("orders, nested", "data.orders", **_DOTTED), _write_json),
    Sample("orders.ndjson", _schema("orders, one a line", **_DOTTED), _write_ndjson),
    Sample("orders.xml", _schema("orders, XML", "order", **_SLASHED), _write_xml),
)
