"""A power cut cannot be had here. What can be had is the order of the system calls, as strace sees it from outside.

A job's row is durable once PostgreSQL says so. So whatever it names must be durable before the row is even sent: the
file's bytes, then its name, then the folders that lead to it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import httpx
import psutil
import pytest

from sluice.client import ApiClient
from sluice.endpoints import Services, free_port
from tasks.storage.local import SYNC_EVERY_BYTES
from tests import samples
from tests.faults.jobs import until
from tests.stack import ROOT, Stack, create_schema, running, submit

_CALLS = "write,pwrite64,writev,sendto,sendmsg,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat"
_LINE = re.compile(r"(?P<thread>\d+) +(?:<\.\.\. )?(?P<name>\w+)(?P<rest>.*)")
_UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True)
class Call:
    """A system call that has succeeded: when it began and ended (lines of the trace), and what it was."""

    began: int
    ended: int
    name: str
    words: str

    @property
    def is_socket(self) -> bool:
        """Whether it goes out to somebody."""
        return re.match(r"\(\d+<socket:", self.words) is not None

    @property
    def result(self) -> int:
        """What it returned."""
        return int(self.words.rpartition(" = ")[2].split()[0])


def _calls(trace: str) -> Iterator[Call]:
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(trace.splitlines()):
        found = _LINE.fullmatch(line)
        if found is None or "+++" in line or "---" in line:
            continue
        thread, name, rest = found["thread"], found["name"], found["rest"]
        if rest.endswith(_UNFINISHED):
            begun[thread] = number, rest.removesuffix(_UNFINISHED)
            continue
        start, first = begun.pop(thread, (number, "")) if "resumed>" in rest else (number, "")
        call = Call(start, number, name, first + rest.partition("resumed>")[2] if first else rest)
        if " = -1 " not in call.words:
            yield call


def _assert_in_order(calls: list[Call], *steps: Callable[[Call], bool]) -> None:
    """There are calls for each step, and all of them have ended before any of the next step begins."""
    found = [[call for call in calls if step(call)] for step in steps]
    assert all(found), [len(step) for step in found]
    for earlier, later in pairwise(found):
        assert max(call.ended for call in earlier) < min(call.began for call in later), (
            earlier[-1],
            later[0],
        )


async def _listens(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            return (await http.get(f"{url}/health")).status_code == 200
        except httpx.TransportError:
            return False


def _traced_api(stack: Stack, trace: Path, port: int, store: Path) -> subprocess.Popen[bytes]:
    """A second API of the stack, all of whose threads are watched."""
    return subprocess.Popen(
        ["strace", "-f", "-y", "-s", "2000", "-o", str(trace), "-e", f"trace={_CALLS}", "-e", "signal=none",
         sys.executable, "-m", "sluice", "api"],
        cwd=ROOT, env=stack.environment | {"SLUICE_PORT": str(port), "SLUICE_STORAGE_DIR": str(store)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _can_trace() -> bool:
    command = ["strace", "-o", os.devnull, "true"]
    return shutil.which("strace") is not None and not subprocess.run(command, capture_output=True).returncode


@pytest.mark.skipif(not _can_trace(), reason="no strace, or it may not trace here")
async def test_the_file_is_durable_before_its_job_is_even_sent(services: Services, tmp_path: Path) -> None:
    """Data, fsync, rename, fsync of the folder, and of those made for it; then the INSERT; then the answer."""
    store, trace, port = tmp_path / "new" / "store", tmp_path / "trace", free_port()
    content = tmp_path / "orders.csv"
    content.write_bytes(b"id\n" + b"1234567\n" * (SYNC_EVERY_BYTES // 7))
    async with running(services, tmp_path, workers=0) as stack:
        tracer = _traced_api(stack, trace, port, store)
        stack.processes.append(tracer)
        url = f"http://127.0.0.1:{port}"
        await until(lambda: _listens(url))
        async with await replace(stack, url=url).partner() as client:
            await _submit(client, content)
        [api] = psutil.Process(tracer.pid).children()
        api.terminate()
        tracer.wait(20)
        [row] = await stack.query("SELECT storage_key FROM job")

    key = row["storage_key"]
    calls = list(_calls(trace.read_text(errors="replace")))
    part, whole = f"{store}/{key}.part", f"{store}/{key}"

    def on(names: str, path: str) -> Callable[[Call], bool]:
        return lambda call: (
            call.name in names.split() and re.match(rf"\(\d+<{re.escape(path)}>", call.words) is not None
        )

    def inserted(call: Call) -> bool:
        return call.is_socket and key in call.words

    written = on("write pwrite64 writev", part)
    assert content.stat().st_size == sum(call.result for call in calls if written(call))
    _assert_in_order(
        calls,
        written,
        on("fsync", part),
        lambda call: call.name.startswith("rename") and part in call.words and f'"{whole}"' in call.words,
        on("fsync", str(store)),
        inserted,
        lambda call: call.is_socket and '\\"submitFile\\"' in call.words and '\\"PENDING\\"' in call.words,
    )
    for made in (store, store.parent):
        _assert_in_order(
            calls,
            lambda call, made=made: call.name.startswith("mkdir") and f'"{made}"' in call.words,  # type: ignore[misc]
            on("fsync", str(made.parent)),
            inserted,
        )
    _assert_in_order(calls, on("fdatasync", part), on("fsync", part))


async def _submit(client: ApiClient, path: Path) -> None:
    await submit(client, await create_schema(client, fields=samples.FIELDS), path)
