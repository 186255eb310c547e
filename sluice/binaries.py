"""Programs that wheels carry. The packages around them are never imported: that would start servers of their own."""

import importlib.util
import os
from pathlib import Path

from sluice.errors import StartFailed


def packaged(package: str, program: str, *, instead: str) -> Path:
    """The executable at `program` inside an installed `package`. `instead` names the setting that replaces it.

    Raises StartFailed when it is not installed.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / program
        if os.access(path, os.X_OK):
            return path
    raise StartFailed(
        f"{Path(program).name} is not part of this installation: set {instead} to a server of yours, "
        "or install Sluice with its extra `embedded`"
    )


def environment() -> dict[str, str]:
    """Ours, without what would bend a server of ours to the user's settings, and without secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "SLUICE_"))}
    return kept | {"LC_ALL": "C"}


def last_line(log: Path) -> str:
    """The end of what a server wrote, for a message."""
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    said = [line.strip() for line in lines if line.strip()]
    return f"{said[-1]} (more in {log})" if said else f"nothing was written to {log}"
