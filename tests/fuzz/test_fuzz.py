"""Some seconds of fuzzing, from a fresh seed; and proof that the fuzzer finds what it looks for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tasks.pipeline import batches, chunking
from tasks.pipeline.formats import csv_header
from tasks.pipeline.framing import Lines
from tests.fuzz import run as runner
from tests.fuzz.cases import case_of, nonsense_of
from tests.fuzz.invariants import check_seed
from tests.seeds import seeds

SEEDS = 600
MOST_SECONDS = 100.0
ENOUGH_SEEDS = 600
"""Each of the bugs below shows within so many."""


@pytest.mark.parametrize("seed", seeds("fuzz"), ids=lambda seed: f"seed-{seed}")
async def test_random_damage_is_survived(seed: int) -> None:
    """Files and schemas of so many seeds, however fast the machine is: no crash, no hang, no record lost, and the same
    through a reader child."""
    tally = await runner.run(seed, MOST_SECONDS, SEEDS)

    assert tally.failed is None, tally.report
    assert SEEDS == tally.seeds
    assert tally.children > 2


async def test_a_seed_is_run_alone() -> None:
    """`--seed` runs the one case again, the same each time."""
    tally = await runner.run(7, 60, 1)

    assert (None, 1) == (tally.failed, tally.seeds)
    assert case_of(7) == case_of(7)
    assert repr(nonsense_of(7)) == repr(nonsense_of(7))


def test_a_failing_file_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report names the seed and the file to look at."""
    tally = runner.Tally()
    runner._fail(tally, 7, "why")
    assert tally.kept is not None

    assert case_of(7).data == tally.kept.read_bytes()
    assert str(tally.kept) in tally.report
    assert "--seed 7" in tally.report
    tally.kept.unlink()


def _lose_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    flush = chunking.Chunks.flush

    def lossy(self: chunking.Chunks) -> Any:
        del self._held.rows[3:], self._held.offsets[3:], self._held.lines[3:]
        self._held.faults = {k: found for k, found in self._held.faults.items() if k < 3}
        return flush(self)

    monkeypatch.setattr(chunking.Chunks, "flush", lossy)


def _store_nul(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "storable", lambda text: text)


def _forget_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    drop = Lines.drop

    def wrong(self: Lines, count: int) -> None:
        drop(self, count)
        self.offsets[0] += self.first_line > 3

    monkeypatch.setattr(Lines, "drop", wrong)


def _change_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = csv_header.parse

    def wrong(lines: Iterator[str], delimiter: str, quote: str, escape: str | None) -> Any:
        return parse((line.replace("é", "e") for line in lines), delimiter, quote, escape)

    monkeypatch.setattr(csv_header, "parse", wrong)


def _crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> str:
        raise KeyError

    monkeypatch.setattr("tasks.pipeline.elements._unknown_key", crash)


@pytest.mark.parametrize("bug", [_lose_a_record, _store_nul, _forget_offsets, _change_a_character, _crash])
def test_fuzzing_finds_a_bug(
    bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost records, bytes that COPY refuses, wrong places, a wrong dialect and exceptions do not pass."""
    bug(monkeypatch)

    with pytest.raises((AssertionError, KeyError, ValueError)):
        _check_seeds()


def _check_seeds() -> None:
    for seed in range(ENOUGH_SEEDS):
        check_seed(seed)
