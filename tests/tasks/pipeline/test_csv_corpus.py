"""CSV against csv-spectrum, a public corpus of small CSV files with the JSON they mean."""

import json
from pathlib import Path

import pytest

from tasks.pipeline.formats.csv import read
from tests.tasks.pipeline.reading import read_every_way, schema

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpora" / "csv-spectrum"
FILES = sorted((CORPUS / "csvs").glob("*.csv"))
MISTAKEN = {"location_coordinates": "its JSON gives another telephone number than its CSV"}

pytestmark = pytest.mark.skipif(not FILES, reason="the csv-spectrum corpus is not here")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_csv_reads_csv_spectrum(path: Path) -> None:
    """Each file means its JSON."""
    if path.stem in MISTAKEN:
        pytest.skip(f"the corpus is wrong here: {MISTAKEN[path.stem]}")
    wanted = json.loads((CORPUS / "json" / f"{path.stem}.json").read_bytes())

    reading = read_every_way(read, path.read_bytes(), schema(*wanted[0]))

    assert reading.error is None
    assert [list(record.values()) for record in wanted] == reading.plain
