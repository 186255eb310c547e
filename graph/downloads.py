"""GET /downloads/<token>: files that are made while they are sent (`Job.rejectedFile`, `Job.errorReport`)."""

import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

import models
from graph.byte_ranges import satisfied, wanted_range
from graph.context import Backends
from graph.download_content import Content
from graph.download_links import Link
from graph.errors import AWAY, TRY_AGAIN, ErrorCode, Refusal, internal_error
from graph.origins import check_origin
from tasks.pipeline.rejected import CannotIndex
from tasks.rejected import NotAvailable

logger = logging.getLogger(__name__)

_ASK_AGAIN = "Ask for a new one: Job.rejectedFile or Job.errorReport."
_HEADERS = {
    "accept-ranges": "bytes",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_BREAKS: tuple[type[Exception], ...] = (*AWAY, NotAvailable)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f"\\/:*?<>|%\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


async def download(request: Request) -> Response:
    """Needs no key: the link is the proof."""
    backends: Backends = request.state.backends
    try:
        check_origin(request, backends.settings.allowed_origins)
        content = await _linked(request.path_params["token"], backends)
        return await _response(request, content, backends)
    except Refusal as refusal:
        response = refusal.response()
    except NotAvailable as error:
        response = _gone(str(error)).response()
    except CannotIndex as error:
        response = Refusal(400, ErrorCode.BAD_USER_INPUT, str(error)).response()
    except AWAY:
        response = Refusal(503, ErrorCode.UNAVAILABLE, TRY_AGAIN, {"retry-after": "2"}).response()
    except Exception as error:  # noqa: BLE001  # the last stop: nothing of it may reach the client
        response = Refusal(500, ErrorCode.INTERNAL, internal_error(error)).response()
    response.headers.update({"cache-control": "no-store", "referrer-policy": "no-referrer"})
    return response


async def _linked(token: str, backends: Backends) -> Content:
    """What the link leads to. Raises Refusal: 404 for one that we did not give, 410 for one that does not hold any more."""
    link = Link.parse(token)
    job = await models.Job.get_or_none(id=link.job_id).select_related("partner") if link else None
    if link is None or job is None or not link.is_signed(token, bytes(job.partner.key_hash)):
        raise Refusal(404, ErrorCode.NOT_FOUND, f"There is no such download. {_ASK_AGAIN}")
    await backends.rate_limit.count(job.partner_id)
    if link.expires_at <= time.time():
        raise _gone(f"This link has expired. {_ASK_AGAIN}")
    if link.kind.is_rejected_file and link.state != await _retries_version(job):
        raise _gone(f"Retries have loaded some of these records since this link was made. {_ASK_AGAIN}")
    return Content(job, link.kind, link.state)


def _gone(message: str) -> Refusal:
    return Refusal(410, ErrorCode.NOT_FOUND, message)


async def _retries_version(job: models.Job) -> int:
    root = job if job.root_id is None else await models.Job.get(id=job.root_id)
    return int(root.retries_version)


async def _response(request: Request, content: Content, backends: Backends) -> Response:
    headers = _HEADERS | {
        "content-disposition": _disposition(content.filename),
        "content-type": content.media_type,
        "etag": content.etag,
    }
    if request.method == "HEAD":
        size = await backends.sizes.of(content, backends.store)
        return Response(None, headers=headers | {"content-length": str(size)})
    wanted = wanted_range(request.headers, content.etag)
    if wanted is None:
        size_known = backends.sizes.known(content)
        if size_known is not None:
            headers["content-length"] = str(size_known)
        return await _Stream.begun(content.blocks(backends.store), 200, headers)
    size = await backends.sizes.of(content, backends.store)
    part = satisfied(wanted, size)
    headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    headers["content-length"] = str(len(part))
    return await _Stream.begun(_part(content.blocks(backends.store), part), 206, headers)


class _Stream(StreamingResponse):
    """Sends what is made only as fast as the client takes it."""

    @classmethod
    async def begun(cls, blocks: AsyncIterator[bytes], status: int, headers: dict[str, str]) -> "_Stream":
        """With its first block made already: what is wrong with the file is known before the headers are sent."""
        stream = cast("AsyncGenerator[bytes, None]", blocks)
        first = await anext(stream, b"")
        response = cls(stream, status, headers)
        response._first = first
        return response

    _first = b""

    async def stream_response(self, send: Send) -> None:
        """As Starlette does, but that the file is closed when the client leaves, and that a failure ends the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(cast("AsyncGenerator[bytes, None]", self.body_iterator)) as blocks:
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
            self._first = b""
            try:
                async for block in blocks:
                    await send({"type": "http.response.body", "body": block, "more_body": True})
            except _BREAKS as error:
                # The status is told already. Without its end the client knows that this is not all.
                logger.warning("download broken off", extra={"error": repr(error)})
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _part(blocks: AsyncIterator[bytes], part: range) -> AsyncIterator[bytes]:
    """These bytes of it."""
    begin = 0
    async with aclosing(cast("AsyncGenerator[bytes, None]", blocks)) as stream:
        async for block in stream:
            end = begin + len(block)
            if end > part.start:
                yield block[max(0, part.start - begin) : part.stop - begin]
            if end >= part.stop:
                return
            begin = end


def _disposition(filename: str) -> str:
    """RFC 6266: in plain ASCII for old clients, and as it is for the others; never a path, a quote or a control character."""
    safe = _UNSAFE.sub("_", filename).strip(". ") or "download"
    plain = _NOT_ASCII.sub("_", safe)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
