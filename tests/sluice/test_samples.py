"""The demo's files: the same at every run, and spoilt as often as they say."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sluice.samples import CORRECTIONS, FAULTS, SAMPLES, Sample, correct, orders

RECORDS = 500


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


def test_every_spoilt_order_is_corrected(tmp_path: Path) -> None:
    """As often as a fault stands in the file, and nothing else is changed."""
    spoilt, _ = SAMPLES[0].make(tmp_path, RECORDS)

    corrected = correct(spoilt).read_text(encoding="utf-8")

    assert {name for fault in FAULTS for name in fault} == set(CORRECTIONS)
    wrong = [
        (name, value) for row in csv.DictReader(corrected.splitlines(keepends=True))
        for name, value in row.items() if value in CORRECTIONS.get(name, {})
    ]  # fmt: skip
    assert [] == wrong
    good = [str(order["order_id"]) for order, is_spoilt in orders(RECORDS) if not is_spoilt]
    assert [] == [order_id for order_id in good if order_id not in corrected]
