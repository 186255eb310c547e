"""What a browser gets on /graphql, and without a key: GraphiQL where it has been built, else a page without it.

`make page` builds it into graph/graphiql/dist. Everything there is read once, at the start: requests name what is in
memory already, so none of them reads a file, waits for a disk, or leads anywhere else.
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

from graph.plain_page import PLAIN_PAGE

BUILT = Path(__file__).parent / "graphiql" / "dist"
FILES_PATH = "/graphql/page/{name}"

_NOTHING_ELSE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PLAIN_POLICY = f"{_NOTHING_ELSE}; style-src 'unsafe-inline'"
# Of this server alone. The editor makes style elements as it goes, and has small fonts and images as data: in its styles.
_GRAPHIQL_POLICY = (
    f"{_NOTHING_ELSE}; script-src 'self'; worker-src 'self'; connect-src 'self'; font-src 'self' data:; "
    "img-src 'self' data:; style-src 'self' 'unsafe-inline'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_PAGE_HEADERS = _HEADERS | {"cache-control": "no-cache", "vary": "Accept"}
# A name holds the hash of the content, so what it stands for never changes.
_FILE_HEADERS = _HEADERS | {
    "content-security-policy": _NOTHING_ELSE,
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "Accept-Encoding",
}
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".ttf": "font/ttf", ".woff2": "font/woff2"}


@dataclass(frozen=True, slots=True)
class Page:
    """The page, and the files that it loads: by name, compressed."""

    html: str
    policy: str
    files: Mapping[str, bytes]

    @classmethod
    def load(cls, folder: Path = BUILT) -> Self:
        """What was built into `folder`; the plain page when nothing was."""
        try:
            html = (folder / "index.html").read_text(encoding="utf-8")
            files = {path.stem: path.read_bytes() for path in folder.glob("*.gz")}
        except OSError:
            return cls(PLAIN_PAGE, _PLAIN_POLICY, {})
        return cls(html, _GRAPHIQL_POLICY, files)

    def response(self) -> Response:
        """The page."""
        headers = _PAGE_HEADERS | {"content-security-policy": self.policy}
        return Response(self.html, media_type="text/html", headers=headers)

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


@lru_cache(64)
def _unpacked(content: bytes) -> bytes:
    """Once for all: anybody may ask without a key, and connections that do not read would hold megabytes each."""
    return gzip.decompress(content)
