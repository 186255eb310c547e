"""CSV against Python's own csv module, on tables that hypothesis invents; and that memory stays flat."""

import codecs
import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pipeline.formats.csv import read
from tests.tasks.pipeline.reading import read_every_way, read_once, schema, slices

CELL = st.text(
    st.one_of(
        st.sampled_from("\",;|\t\r\n'\\ #\0"),
        st.characters(codec="utf-8"),
    ),
    max_size=6,
)
ENCODINGS = st.sampled_from(
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ]
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6))


@settings(deadline=None, max_examples=150)
@given(
    table=tables(),
    delimiter=st.sampled_from(",;|\t^"),
    quote_all=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=ENCODINGS,
)
def test_csv_reads_back_what_python_writes(
    table: list[list[str]], delimiter: str, quote_all: bool, line_end: str, encoding: tuple[str, bytes]
) -> None:
    """Any table written by csv.writer comes back equal, and each offset begins its record's own bytes."""
    names = [f"c{n}" for n in range(len(table[0]))]
    codec, bom = encoding
    parts = []
    for row in [names, *table]:
        out = io.StringIO(newline="")
        # The writer quotes the characters of its own line end alone: it must know both.
        csv.writer(
            out,
            delimiter=delimiter,
            quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
            lineterminator="\r\n",
        ).writerow(row)
        parts.append((out.getvalue().removesuffix("\r\n") + line_end).encode(codec))
    data = bom + b"".join(parts)

    reading = read_every_way(read, data, schema(*names, csv={"delimiter": delimiter}), sizes=(1,))

    assert reading.error is None
    assert table == reading.plain
    assert parts[1:] == slices(data, reading)


@settings(deadline=None, max_examples=500)
@given(text=st.text(st.sampled_from('ab,"\n\r\\#'), max_size=40), escape=st.sampled_from([None, "\\"]))
def test_csv_recovers_as_one_record_after_the_other(text: str, escape: str | None) -> None:
    """However quotes stand: each record is what a new csv.reader finds on its line, or it is spoiled there."""
    data = b"a,b\n" + text.encode()

    reading = read_every_way(read, data, schema("a", "b", csv={"escape": escape}), sizes=(1, 2))

    assert reading.error is None
    wanted = list(one_by_one(text.encode().splitlines(keepends=True), escape))
    assert wanted == [(record.line - 2, record.plain) for record in reading.records]


def one_by_one(lines: list[bytes], escape: str | None) -> Iterator[tuple[int, list[str]]]:
    """The rule in its simplest words: line of each record, and its row or code."""
    position = 0
    while position < len(lines):
        rest = csv.reader(map(bytes.decode, lines[position:]), escapechar=escape, strict=True)
        try:
            row = next(rest)
        except csv.Error as error:
            row, took = ["MALFORMED_RECORD"], 1
            read, is_closed = rest.line_num, "unexpected end" not in str(error)
            if is_closed and belong_together(
                lines[position : position + read], lines[position + read :], escape
            ):
                took = read
        else:
            took = rest.line_num
            row = row if len(row) in (0, 2) else ["COLUMN_COUNT"]
        if row:
            yield position, row
        position += took


def belong_together(spoiled: list[bytes], behind: list[bytes], escape: str | None) -> bool:
    """Whether the lines of a spoiled record are given up all at once."""
    following = next((line for line in behind[:20] if line.strip()), None)
    if len(spoiled) > 20 or is_record(spoiled[-1], escape) or (following is None and len(behind) >= 20):
        return False
    return following is None or is_record(following, escape)


def is_record(line: bytes, escape: str | None) -> bool:
    """Whether a line alone is a record of two columns, without a stray quote."""
    try:
        row = next(csv.reader([line.decode()], escapechar=escape, strict=True))
    except csv.Error:
        return False
    return len(row) == 2 and not any('"' in cell for cell in row)


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=60))
def test_csv_takes_any_bytes(data: bytes) -> None:
    """Any bytes give records or a FileError, and nothing else."""
    read_once(read, data, schema("a?"))
    read_once(read, b"a,b\n" + data, schema("a", "b"))
    read_once(read, b"\xff\xfe" + "a,b\n".encode("utf-16-le") + data, schema("a", "b"))


STATUS = Path("/proc/self/status")
SCRIPT = """
import sys
from pathlib import Path
from tasks.pipeline.definition import define
from tasks.pipeline.formats.csv import read
from tasks.pipeline.record import ChunkSize, Position
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
path = Path(sys.argv[1])
definition = define({"fields": [{"name": name, "type": "STRING"} for name in sys.argv[2].split(",")]})
before = peak()
with path.open("rb") as file:
    records = sum(len(chunk.rows) for chunk in read(file, path.stat().st_size, definition, Position(), ChunkSize()))
print(records, (peak() - before) // 1024)
"""
ROW = b"1234567,some name,some.name@example.com,2026-11-23,12.50,EUR\n"


@pytest.mark.skipif(not STATUS.exists(), reason="the peak of a process is read from /proc")
@pytest.mark.parametrize(
    ("header", "body", "count", "most_mib"),
    [
        pytest.param(b"a,b,c,d,e,f\n", ROW, 50 * 2**20 // len(ROW), 30, id="rows"),
        pytest.param(b"a\n", b"1\n", 4_000_000, 40, id="tiny-rows"),
        pytest.param(b'a,b,c,d,e,f\n1,"2\n', ROW, 12 * 2**20 // len(ROW), 80, id="open-quote"),
        pytest.param(b'a\n"2\n', b"1\n", 4_000_000, 60, id="open-quote-tiny-rows"),
    ],
)
def test_csv_memory_stays_flat(tmp_path: Path, header: bytes, body: bytes, count: int, most_mib: int) -> None:
    """A file of tens of megabytes is read within a fixed amount of memory, an open quote included."""
    path = tmp_path / "file.csv"
    path.write_bytes(header + body * count)

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, path, header.split(b"\n")[0].decode()],
        capture_output=True,
        check=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    records, mib = map(int, done.stdout.split())

    assert count + header.count(b'"') == records
    assert mib <= most_mib
