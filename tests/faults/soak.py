"""`make soak MINUTES=n`: random schedules of faults, one after the other; the seed of one that fails is printed."""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from sluice import embedded
from tests.faults import schedule


def main() -> int:
    """0 when every schedule left its job whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="begin no schedule after so long (5)")
    parser.add_argument("--seed", type=int, help="run the schedule of this seed alone")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="sluice-soak-") as folder,
        embedded.running(Path(folder)) as services,
    ):
        os.environ |= services.environment
        struck: Counter[str] = Counter()
        rounds, deadline = 0, time.monotonic() + 60 * given.minutes
        while not rounds or (given.seed is None and time.monotonic() < deadline):
            seed = secrets.randbits(32) if given.seed is None else given.seed
            print(f"seed {seed}: ", end="", flush=True)
            try:
                with tempfile.TemporaryDirectory(dir=folder) as own:
                    faults = asyncio.run(schedule.run(services, Path(own), seed))
            except Exception:  # noqa: BLE001  # whatever it is, its seed must be told
                print("FAILED; again with: python -m tests.faults.soak --seed", seed, flush=True)
                traceback.print_exc()
                return 1
            print(", ".join(faults), flush=True)
            struck.update(faults)
            rounds += 1
        print(f"{rounds} jobs whole after {struck.total()} faults: {dict(struck.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
