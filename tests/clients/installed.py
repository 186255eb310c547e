"""What the clients' programs need, installed once for each content of its lock file, out of the repository's sight."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE_MODULES = HERE / "node_modules"
_NODE_MAJOR = 20


def node_modules() -> None:
    """Installs the npm packages of package-lock.json. Skips the test where there is no Node.js."""
    if missing := _why_no_node():
        pytest.skip(missing)
    with _once(HERE / "package-lock.json", NODE_MODULES / ".installed") as is_needed:
        if is_needed:
            run("npm", "ci", cwd=HERE)


def python(client: str) -> Path:
    """A virtual environment of a Python client's own: some need another graphql-core than Sluice does."""
    requirements = HERE / "requirements" / f"{client}.txt"
    folder = ROOT / ".venv" / "clients" / client
    with _once(requirements, folder / "installed") as is_needed:
        if is_needed:
            venv.create(folder, clear=True)
            run(
                sys.executable, "-m", "pip", "--python", folder / "bin" / "python",
                "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", requirements, cwd=ROOT,
            )  # fmt: skip
    return folder


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints on stdout and stderr; fails the test with it when the command fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))} failed:\n{done.stdout}"
    return done.stdout


def _why_no_node() -> str | None:
    if not (shutil.which("node") and shutil.which("npm")):
        return (
            f"the TypeScript clients need Node.js {_NODE_MAJOR} or newer and npm: apt-get install nodejs npm"
        )
    version = run("node", "--version", cwd=HERE).strip()
    if int(version.removeprefix("v").partition(".")[0]) < _NODE_MAJOR:
        return f"the TypeScript clients need Node.js {_NODE_MAJOR} or newer, and this is {version}"
    return None


@contextmanager
def _once(lock_file: Path, stamp: Path) -> Iterator[bool]:
    """Whether what `lock_file` names is still to be installed; one process at a time, others wait.

    Afterwards `stamp`, which goes away with what was installed, says what for.
    """
    wanted = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    with lock_file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        is_needed = not stamp.exists() or stamp.read_text() != wanted
        yield is_needed
        if is_needed:
            stamp.write_text(wanted)
