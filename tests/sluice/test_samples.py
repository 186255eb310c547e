"""The demo's files: the same at every run, and spoilt as often as they say."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sluice.samples import SAMPLES, Sample, correct, orders

RECORDS = 500
ENOUGH = 2_000
"""So many that every fault occurs."""


def _records(path: Path) -> int:
    """How many records the standard library finds."""
    text = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".csv":
            return len(list(csv.DictReader(text.splitlines(keepends=True))))
        case ".json":
            return len(json.loads(text)["data"]["orders"])
        case ".ndjson":
            return len([json.loads(line) for line in text.splitlines()])
        case _:
            return len(ElementTree.fromstring(text).findall("order"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.filename)
def test_sample_is_well_formed_and_always_the_same(sample: Sample, tmp_path: Path) -> None:
    """Read independently, it has the records that it should, and the spoilt ones that it says."""
    first, spoilt = sample.make(tmp_path, RECORDS)
    written = first.read_bytes()
    second, _ = sample.make(tmp_path, RECORDS)

    assert RECORDS == _records(first)
    assert written == second.read_bytes()
    assert spoilt == sum(is_spoilt for _, is_spoilt in orders(RECORDS))
    assert 0 < spoilt < RECORDS * 0.05


def test_every_fault_is_put_right(tmp_path: Path) -> None:
    """In the spoilt rows alone, and what was good in them stays: what differs is what the fault was."""
    path, spoilt = SAMPLES[0].make(tmp_path, ENOUGH)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rejected, fixed = tmp_path / "rejected.csv", tmp_path / "fixed.csv"
    with rejected.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        bad = [row for row, (_, is_spoilt) in zip(rows, orders(ENOUGH), strict=True) if is_spoilt]
        writer.writerows(bad)

    assert spoilt == correct(rejected, fixed)

    with fixed.open(encoding="utf-8", newline="") as file:
        good = list(csv.DictReader(file))
    changed = [
        {name for name in row if row[name] != better[name]} for row, better in zip(bad, good, strict=True)
    ]
    assert all(1 <= len(names) <= 2 for names in changed)
    assert set().union(*changed) == {
        "order_id", "customer_name", "customer_email", "amount", "currency", "quantity", "ordered_on", "paid",
    }  # fmt: skip
