"""`make fuzz MINUTES=n`: random damage to files and schemas; the seed of what fails is printed, and its file kept."""

import argparse
import asyncio
import os
import secrets
import sys

from tests.fuzz.run import run


def main() -> int:
    """0 when nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for so long (5)")
    parser.add_argument("--seed", type=int, help="run this seed alone")
    given = parser.parse_args()
    os.nice(10)
    seed = secrets.randbits(32) if given.seed is None else given.seed
    sys.stdout.write(f"from seed {seed} on\n")
    sys.stdout.flush()
    tally = asyncio.run(run(seed, 60 * given.minutes, None if given.seed is None else 1))
    sys.stdout.write(f"{tally.report}\n")
    return tally.failed is not None


if __name__ == "__main__":
    sys.exit(main())
