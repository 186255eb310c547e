"""Fresh seeds for every run, the same in all processes of a run: the test's id holds its seed, which repeats it.

SLUICE_FAULT_SEED=123 repeats a case with that seed; SLUICE_FAULT_SEEDS=5 gives each case five.
"""

import os
import random
import secrets

_RUN = "SLUICE_FAULT_RUN"


def begin() -> None:
    """To be called before the first process of a run starts another."""
    os.environ.setdefault(_RUN, str(secrets.randbits(64)))


def seeds(test: str) -> list[int]:
    """The seeds of a test in this run."""
    if given := os.environ.get("SLUICE_FAULT_SEED"):
        return [int(given)]
    chance = random.Random(f"{os.environ[_RUN]} {test}")
    return [chance.getrandbits(32) for _ in range(int(os.environ.get("SLUICE_FAULT_SEEDS", "1")))]
