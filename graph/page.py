"""A page for browsers, and the files that it loads: what npm has built into a folder, or a plain page where it has not.

Everything there is read once, at the start: requests name what is in memory already, so none of them reads a file,
waits for a disk, or leads anywhere else. No key is needed.
"""

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from graph.plain_page import STYLE_HASH

NOTHING_ELSE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Where every Content-Security-Policy of ours begins."""

_PLAIN = {"content-security-policy": f"{NOTHING_ELSE}; style-src 'sha256-{STYLE_HASH}'"}
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_PAGE_HEADERS = _HEADERS | {"cache-control": "no-cache", "vary": "Accept"}
# A name holds the hash of the content, so what it stands for never changes.
_FILE_HEADERS = _HEADERS | {
    "content-security-policy": NOTHING_ELSE,
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "Accept-Encoding",
}
_MEDIA_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Page:
    """The page, and the files that it loads: by name, compressed."""

    html: str
    headers: Mapping[str, str]
    """Of the page itself, its Content-Security-Policy among them."""
    files: Mapping[str, bytes]

    @classmethod
    def load(cls, folder: Path, files: Path, headers: Mapping[str, str], plain: str) -> Self:
        """What was built into `folder`, with its `.gz` in `files`; the page `plain` when nothing was.

        The build writes index.html last.
        """
        try:
            html = (folder / "index.html").read_text(encoding="utf-8")
            content = {path.stem: path.read_bytes() for path in files.glob("*.gz")}
        except OSError:
            return cls(plain, _PLAIN, {})
        return cls(html, headers, content)

    def response(self) -> Response:
        """The page."""
        return Response(self.html, media_type="text/html", headers={**_PAGE_HEADERS, **self.headers})

    async def home(self, request: Request) -> Response:
        """The page, where there is nothing for anybody else. Raises HTTPException: 404."""
        if not wants_html(request):
            raise HTTPException(404, headers={"vary": "Accept"})
        return self.response()

    async def file(self, request: Request) -> Response:
        """One of its files. Raises HTTPException: 404."""
        name = request.path_params["name"]
        media_type, content = _MEDIA_TYPES.get(Path(name).suffix), self.files.get(name)
        if content is None or media_type is None:
            raise HTTPException(404)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                content, media_type=media_type, headers=_FILE_HEADERS | {"content-encoding": "gzip"}
            )
        unpacked = await asyncio.to_thread(_unpacked, content)
        return Response(unpacked, media_type=media_type, headers=_FILE_HEADERS)


def wants_html(request: Request) -> bool:
    """Whether a browser asks, for somebody to read the answer."""
    return "text/html" in request.headers.get("accept", "")


@lru_cache(64)
def _unpacked(content: bytes) -> bytes:
    """Once for all: anybody may ask without a key, and connections that do not read would hold megabytes each."""
    return gzip.decompress(content)
