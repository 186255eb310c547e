"""The least that an upload can cost: `request.stream()` into a file, as durable as ours, and nothing else."""

import asyncio
import os
from pathlib import Path
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from graph.uploads import BLOCK_BYTES
from tasks.storage.local import SYNC_EVERY_BYTES

_FOLDER = Path(os.environ.get("BARE_FOLDER", "."))


async def upload(request: Request) -> Response:
    """Writes the body to a file."""
    path = _FOLDER / uuid4().hex
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    held, unsynced = bytearray(), 0
    async for chunk in request.stream():
        held += chunk
        if len(held) >= BLOCK_BYTES:
            unsynced += len(held)
            await asyncio.to_thread(_write, descriptor, held, sync=unsynced >= SYNC_EVERY_BYTES)
            unsynced %= SYNC_EVERY_BYTES
            held = bytearray()
    await asyncio.to_thread(_write, descriptor, held, sync=True)
    os.close(descriptor)
    path.unlink()
    return PlainTextResponse("ok")


def _write(descriptor: int, block: bytearray, *, sync: bool) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]
    if sync:
        os.fdatasync(descriptor)


app = Starlette(routes=[Route("/", upload, methods=["POST"])])
