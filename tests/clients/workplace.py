"""Folders out of the repository's sight in which a client's code is generated and compiled, as a newcomer would."""

import shutil
from pathlib import Path

from tests.clients.installed import HERE, ROOT

EXAMPLES = HERE / "examples"


def fresh(folder: Path, *patterns: str) -> Path:
    """`folder`, emptied, with schema.graphql and the examples that match."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in [
        ROOT / "schema.graphql",
        *(found for pattern in patterns for found in EXAMPLES.glob(pattern)),
    ]:
        shutil.copy(path, folder)
    return folder
