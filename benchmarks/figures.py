"""What was measured: medians, spread and ratios, as a table, as JSON and as a chart."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    """Seconds of our side and of the reference, from alternating rounds."""

    what: str
    reference: str
    ours: Sequence[float]
    theirs: Sequence[float]
    records: int = 0
    wanted: float | None = None
    """The ratio that the project asks for."""

    @property
    def ratio(self) -> float:
        """How our speed compares: 1.0 is as fast as the reference, 0.5 takes twice the time. Median of the rounds'."""
        return statistics.median(theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest ratio of a round."""
        ratios = [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True)]
        return min(ratios), max(ratios)

    def as_json(self) -> dict[str, Any]:
        """For results.json."""
        return {
            "what": self.what, "reference": self.reference, "ratio": round(self.ratio, 3), "wanted": self.wanted,
            "spread": [round(edge, 3) for edge in self.spread],
            "seconds": [round(second, 4) for second in self.ours],
            "reference_seconds": [round(second, 4) for second in self.theirs],
        }  # fmt: skip


@dataclass
class Figures:
    """All rows so far."""

    samples: list[Sample] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    """What is no ratio: what was measured, how much, how much is wanted."""

    def add(self, sample: Sample) -> None:
        """Takes a row and prints it."""
        self.samples.append(sample)
        low, high = sample.spread
        rate = f"{sample.records / statistics.median(sample.ours):,.0f} records/s" if sample.records else ""
        print(
            f"  {sample.what:<48} {sample.ratio:5.2f}  ({low:.2f} to {high:.2f})  {statistics.median(sample.ours):8.3f} s"
            f" against {statistics.median(sample.theirs):.3f} s  {rate}",
            flush=True,
        )

    def note(self, what: str, measured: str, wanted: str) -> None:
        """Takes a figure that has no reference beside it, and prints it."""
        self.notes.append((what, measured, wanted))
        print(f"  {what:<48} {measured}   (wanted: {wanted})", flush=True)

    def write(self, path: Path) -> None:
        """Everything, as JSON."""
        notes = [dict(zip(("what", "measured", "wanted"), note, strict=True)) for note in self.notes]
        everything = {"ratios": [sample.as_json() for sample in self.samples], "figures": notes}
        path.write_text(json.dumps(everything, indent=2) + "\n")
