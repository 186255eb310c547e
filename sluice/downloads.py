"""`sluice errors --download`: the rejected records in their own format, and the reasons, as files to work on."""

import contextlib
import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console

from sluice import operations, report
from sluice.client import ApiClient
from sluice.errors import SluiceError
from sluice.jobs import print_json

Object = dict[str, Any]


@dataclass(frozen=True)
class Saved:
    """Where the files of a job lie now; None for one that there is not."""

    rejected: Path | None
    errors: Path | None


async def download(client: ApiClient, job_id: str, folder: Path, *, as_json: bool) -> int:
    """Saves both files into `folder` and says how to go on; the exit code. Raises SluiceError."""
    async with client:
        job = await operations.downloads(client, job_id)
        saved = await save(client, job, folder)
    if as_json:
        print_json([{"rejectedFile": _text(saved.rejected), "errorReport": _text(saved.errors)}])
    else:
        _say(report.console(), job, saved)
    return 0


async def save(client: ApiClient, job: Object, folder: Path) -> Saved:
    """Saves what `operations.downloads` gave: both files or none, and over nothing that is there. Raises SluiceError."""
    if job["status"] not in operations.FINAL:
        raise SluiceError(
            f"the job is still {job['status']}: its errors can be saved once it is finished"
            f" (sluice job {job['id']} --watch waits for that)"
        )
    with contextlib.ExitStack() as undo:
        made = [_made(job[name], folder, undo) for name in ("rejectedFile", "errorReport")]
        for link, file in zip((job["rejectedFile"], job["errorReport"]), made, strict=True):
            if file is not None:
                await operations.patiently(partial(client.download, link["url"], file))
                _close(file)
        undo.pop_all()
    return Saved(*(None if file is None else Path(file.name) for file in made))


def _made(link: Object | None, folder: Path, undo: contextlib.ExitStack) -> BinaryIO | None:
    """The file, open and empty. It is new: what is there may hold an afternoon's corrections."""
    if link is None:
        return None
    path = folder / _name(link["filename"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except FileExistsError:
        wrong = path if folder.is_dir() else folder
        raise SluiceError(
            f"{report.printable(str(wrong))} is there already: move it away, or name another folder"
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    undo.callback(_take_away, file)
    return file


def _take_away(file: BinaryIO) -> None:
    """Without a word: what is still buffered may find the disk full again."""
    with contextlib.suppress(OSError):
        file.close()
    with contextlib.suppress(OSError):
        Path(file.name).unlink()


def _name(given: str) -> str:
    """The API's name for the file, without whatever would lead out of the folder: partners choose it."""
    name = given.replace("\\", "/").rpartition("/")[2].replace("\0", "_")
    return f"_{name}" if name in ("", ".", "..") else name


def _close(file: BinaryIO) -> None:
    try:
        file.close()
    except OSError as error:
        raise _unwritable(Path(file.name), error) from None


def _unwritable(path: Path, error: OSError) -> SluiceError:
    return SluiceError(f"cannot write {report.printable(str(path))}: {error.strerror}")


def _say(console: Console, job: Object, saved: Saved) -> None:
    if saved.errors is None:
        report.plain(console, "This job has rejected nothing: there is nothing to save.")
        return
    if saved.rejected is not None:
        report.plain(console, f"{_shown(saved.rejected)}: the rejected records, as they were sent")
    report.plain(console, f"{_shown(saved.errors)}: what is wrong with each of them")
    if saved.rejected is None:
        report.plain(console, "Retries have loaded all of them by now: nothing is left to fix.")
    elif job["dryRun"]:
        report.plain(
            console, "This was a dry run. Correct your file and submit it again; or load what is good:"
        )
        report.plain(console, f"  sluice commit {job['id']} --watch")
    else:
        report.plain(console, "Correct the records, leave none out, and keep their order. Then:")
        report.plain(console, f"  sluice retry {job['id']} {shlex.quote(_shown(saved.rejected))} --watch")


def _shown(path: Path) -> str:
    return report.printable(str(path))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
