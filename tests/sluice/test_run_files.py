"""`DATA_DIR/run`: pid files, the env file, the lock and orphans."""

import subprocess
import sys
from pathlib import Path

import pytest

from sluice import run_files
from sluice.endpoints import Services
from sluice.errors import AlreadyServing, SluiceError
from tests.sluice.processes import eventually, is_alive

SERVICES = Services("postgresql://sluice:p@127.0.0.1:1/sluice", "redis://:p@127.0.0.1:2/0")


def test_env_has_exactly_the_two_lines(tmp_path: Path) -> None:
    """A shell, Docker's --env-file and we ourselves can read it."""
    with run_files.hold(tmp_path) as files:
        files.write_env(SERVICES)

    assert (
        "SLUICE_DATABASE_URL=postgresql://sluice:p@127.0.0.1:1/sluice\nSLUICE_REDIS_URL=redis://:p@127.0.0.1:2/0\n"
        == (tmp_path / "run/env").read_text()
    )
    assert SERVICES == run_files.read_env(tmp_path)


@pytest.mark.parametrize("text", [None, "", "SLUICE_DATABASE_URL=x\n", "no line\n"])
def test_env_that_says_nothing_is_none(tmp_path: Path, text: str | None) -> None:
    """Nobody is told to attach to half a Sluice."""
    (tmp_path / "run").mkdir()
    if text is not None:
        (tmp_path / "run/env").write_text(text)

    assert run_files.read_env(tmp_path) is None


def test_data_dir_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """Two on one folder would write into each other's database."""
    with run_files.hold(tmp_path) as files:
        files.write_pid("serve", 4711)
        with (
            pytest.raises(AlreadyServing, match=r"another Sluice \(process 4711\) is running on"),
            run_files.hold(tmp_path),
        ):
            pass
    with run_files.hold(tmp_path):
        pass  # free again


def test_data_dir_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    """A file in its place, for one."""
    (tmp_path / "file").touch()

    with (
        pytest.raises(SluiceError, match="set SLUICE_DATA_DIR to another folder"),
        run_files.hold(tmp_path / "file"),
    ):
        pass


async def test_orphan_of_a_killed_serve_is_ended(tmp_path: Path) -> None:
    """What the system did not end with it does not stay in the way."""
    orphan = _sleeper(str(tmp_path))
    with run_files.hold(tmp_path) as files:
        files.write_pid("worker-1", orphan.pid)
        files.write_env(SERVICES)

        await files.end_orphans()

    eventually(lambda: not is_alive(orphan.pid))
    orphan.wait()
    assert [] == list((tmp_path / "run").iterdir())


async def test_foreign_process_with_a_recycled_pid_is_left_alone(tmp_path: Path) -> None:
    """After a reboot somebody else may have the number."""
    foreign = _sleeper("/another/folder")
    try:
        with run_files.hold(tmp_path) as files:
            files.write_pid("postgres", foreign.pid)
            await files.end_orphans()

        assert is_alive(foreign.pid)
        assert [] == list((tmp_path / "run").iterdir())
    finally:
        foreign.kill()
        foreign.wait()


def _sleeper(word: str) -> subprocess.Popen[bytes]:
    """A process with `word` in its command line, ready to be ended."""
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); print('up', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, word], stdout=subprocess.PIPE)
    assert process.stdout
    assert b"up\n" == process.stdout.readline()
    process.stdout.close()
    return process
