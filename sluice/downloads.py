"""`sluice errors --download`: the rejected records in their own format, and the reasons, as files to work on."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from sluice import operations, report
from sluice.client import ApiClient
from sluice.errors import SluiceError
from sluice.jobs import print_json

_FINAL = ("COMPLETED", "FAILED", "CANCELLED")


async def download(client: ApiClient, job_id: str, folder: Path, *, as_json: bool) -> int:
    """Saves both into `folder`; the exit code. Raises SluiceError. No file that is there already is touched."""
    async with client:
        job = await operations.downloads(client, job_id)
        if job["status"] not in _FINAL:
            raise SluiceError(
                f"the job is still {job['status']}: its errors can be saved once it is finished"
                f" (sluice job {job_id} --watch waits for that)"
            )
        rejected, errors = [
            await _save(client, job[name], folder) for name in ("rejectedFile", "errorReport")
        ]
    if as_json:
        print_json([{"rejectedFile": _name(rejected), "errorReport": _name(errors)}])
        return 0
    console = report.console()
    if errors is None:
        report.plain(console, "This job has rejected nothing: there is nothing to save.")
    elif rejected is None:
        report.plain(console, f"{errors}: the errors. Every rejected record is loaded by now.")
    else:
        report.plain(console, f"{rejected}: the rejected records, in the order of the file")
        report.plain(console, f"{errors}: what is wrong with each of them")
        report.plain(console, "Correct the records, leave none out, and keep their order. Then:")
        report.plain(console, f"sluice retry {job_id} {rejected} --watch")
    return 0


async def _save(client: ApiClient, link: dict[str, Any] | None, folder: Path) -> Path | None:
    if link is None:
        return None
    path = folder / Path(link["filename"]).name
    if path.exists():
        # It may hold an afternoon's corrections.
        raise SluiceError(f"{path} is there already: move it away, or name another folder")
    part = path.with_name(f"{path.name}.part")
    try:
        await asyncio.to_thread(_make_room, part)
        await client.download(link["url"], part)
        part.rename(path)
    except OSError as error:
        raise SluiceError(f"cannot write {path}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _make_room(part: Path) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path)
