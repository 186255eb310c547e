"""`sluice api`: one API process, until SIGTERM or SIGINT."""

import gc
import logging
import signal
from types import FrameType
from typing import NoReturn

import uvicorn

from settings import settings
from sluice.http_protocol import HttpProtocol
from sluice.ws_protocol import WebSocketProtocol

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 5
"""Whatever still runs then is cut off. Requests are ended before (http_protocol.GRACE_SECONDS), with a word."""
_WS_MESSAGE_BYTES = 64 * 1024


def run() -> None:
    """Serves the API. Running uploads and subscriptions get some seconds to end; then it exits 0."""
    # uvicorn raises the signal that ended it once more, for whoever was there before: that is us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit_cleanly)
    # A full collection looks at all that was imported, too, and takes a third of a second in which nobody is served.
    gc.set_threshold(20_000, 20, 50)
    logger.info("API starts", extra={"host": settings.host, "port": settings.port})
    server = uvicorn.Server(_config())
    server.run()
    logger.info("API ended")
    if not server.started:
        raise SystemExit(3)  # uvicorn has logged why


def _config() -> uvicorn.Config:
    return uvicorn.Config(
        "graph.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=_WS_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        lifespan="on",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
        access_log=False,
        log_config=None,
    )


def _exit_cleanly(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
