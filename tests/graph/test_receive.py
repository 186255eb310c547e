"""Upload.receive when the world fails it: nothing is left behind, and the refusal says why."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from graph import body, uploads
from graph.body import Body
from graph.errors import Refusal
from graph.multipart import MultipartBody
from graph.submission import Submission
from graph.uploads import Upload
from models import Job
from tasks.pipeline.record import FileFormat
from tasks.storage import LocalStore
from tasks.storage.local import PartFile
from tests.factories import make_partner
from tests.graph.api import MULTIPART, closed, part
from tests.graph.rows import make_schema

_END: Message = {"type": "http.request", "body": b"", "more_body": False}
_WHOLE = closed([part("0", b"x" * 5000, filename="a.csv")])


async def _upload(files: Path, receive: Receive) -> Upload:
    scope = {"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}
    parts = MultipartBody(Body(scope, receive), MULTIPART["content-type"])
    await parts.next_part()
    return Upload("a.csv", parts, LocalStore(files), 1_000_000)


def _sending(chunk: bytes, *, then: Message | None = None) -> Receive:
    """The chunk, then the message; without one the client falls silent."""
    left: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True}]
    if then:
        left.append(then)

    async def receive() -> Message:
        while not left:
            await asyncio.sleep(60)
        return left.pop(0)

    return receive


async def test_a_received_file_is_deleted_unless_it_is_kept(files: Path) -> None:
    """A resolver that does not want it in the end need not care."""
    upload = await _upload(files, _sending(_WHOLE, then=_END))

    stored = await upload.receive()
    assert [stored.key] == [file.name for file in files.iterdir()]
    await upload.close()

    assert [] == list(files.iterdir())


async def test_a_kept_file_stays(files: Path) -> None:
    """It belongs to a job now."""
    upload = await _upload(files, _sending(_WHOLE, then=_END))
    stored = await upload.receive()

    upload.kept = True
    await upload.close()

    assert [stored.key] == [file.name for file in files.iterdir()]


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 500)])
@pytest.mark.parametrize("step", ["_write", "_commit"])
async def test_a_disk_that_fails_is_a_refusal(
    files: Path, monkeypatch: pytest.MonkeyPatch, number: int, status: int, step: str
) -> None:
    """507 when it is full; the partial file is gone."""

    def fail(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(PartFile, step, fail)
    upload = await _upload(files, _sending(_WHOLE, then=_END))

    with pytest.raises(Refusal) as refused:
        await upload.receive()

    assert status == refused.value.status
    assert refused.value is upload.refusal
    assert [] == list(files.iterdir())


async def test_a_client_that_leaves_leaves_nothing(files: Path) -> None:
    """Whatever had arrived is gone."""
    upload = await _upload(files, _sending(_WHOLE[:3000], then={"type": "http.disconnect"}))

    with pytest.raises(ClientDisconnect):
        await upload.receive()

    assert [] == list(files.iterdir())


@pytest.mark.parametrize("ticks", range(0, 40, 3))
async def test_a_cancelled_upload_leaves_nothing(
    files: Path, monkeypatch: pytest.MonkeyPatch, ticks: int
) -> None:
    """Whenever it comes: while a thread opens, writes or finishes the file, too."""
    monkeypatch.setattr(uploads, "BLOCK_BYTES", 1)
    upload = await _upload(files, _sending(_WHOLE, then=_END))
    receiving = asyncio.create_task(upload.receive())
    for _ in range(ticks):
        await asyncio.sleep(0.0001)

    receiving.cancel()
    await asyncio.wait({receiving})
    await upload.close()

    assert [] == list(files.iterdir())


async def test_a_client_that_sends_nothing_is_cut_off(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """408, after IDLE_SECONDS without a byte."""
    monkeypatch.setattr(body, "IDLE_SECONDS", 0.05)

    async def silent() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    upload = None
    with pytest.raises(Refusal) as refused:
        upload = await _upload(files, silent)

    assert (408, None) == (refused.value.status, upload)


async def test_two_submissions_with_one_key_at_the_same_time_make_one_job(
    files: Path, database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second finds out when it writes its row; its file goes, and it answers with the first one's job."""
    schema = await make_schema(partner=await make_partner())
    jobs = []
    for _ in range(2):
        monkeypatch.setattr(Submission, "earlier", _none_at_first(Submission.earlier))
        upload = await _upload(files, _sending(_WHOLE, then=_END))
        jobs.append(await Submission(schema, FileFormat.CSV, upload, "once").receive())
        await upload.close()
        monkeypatch.undo()

    assert jobs[0] == jobs[1] == await Job.get()
    assert [jobs[0].storage_key] == [file.name for file in files.iterdir()]  # type: ignore[union-attr]


def _none_at_first(
    find: Callable[[Submission], Awaitable[Job | None]],
) -> Callable[..., Awaitable[Job | None]]:
    answers = [False]

    async def earlier(submission: Submission) -> Job | None:
        if answers:
            answers.clear()
            return None
        return await find(submission)

    return earlier
