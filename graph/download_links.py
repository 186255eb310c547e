"""Links to downloads: whoever has one may follow it, without a key, until it expires.

    /downloads/<token>      token = what is linked to, and an HMAC-SHA256 over it, in url-safe base64

It is signed with a key that is made from the hash of the partner's API key: there is no secret to be kept for it, it holds
for that partner's jobs alone, and it dies with the API key.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self
from uuid import UUID

PATH = "/downloads/{token}"

_PURPOSE = b"sluice download link 1"
_FIELDS = struct.Struct(">B16sBQQ")
_VERSION = 1
_SIGNATURE_BYTES = hashlib.sha256().digest_size


class Kind(IntEnum):
    """What a link leads to. The numbers stand in links."""

    REJECTED = 1
    REJECTED_WITH_INDEX = 2
    ERRORS_CSV = 3
    ERRORS_NDJSON = 4

    @property
    def is_rejected_file(self) -> bool:
        """Whether its content depends on what retries have loaded."""
        return self in (Kind.REJECTED, Kind.REJECTED_WITH_INDEX)


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says."""

    job_id: UUID
    kind: Kind
    expires_at: int
    """In seconds since 1970."""
    state: int = 0
    """Of a rejected file: the root job's `retries_version`, by which the outstanding records are the same."""

    def token(self, key_hash: bytes) -> str:
        """Signed for the partner whose API key has this hash."""
        return _base64(self._packed + self._signature(key_hash))

    def is_signed(self, token: str, key_hash: bytes) -> bool:
        """Whether the token is this link's, for that partner; it takes the same time whatever is wrong."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token(key_hash).encode())

    @classmethod
    def parse(cls, token: str) -> Self | None:
        """What a token says, which is not to be believed before `is_signed`; None where it says nothing."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            packed = raw[:-_SIGNATURE_BYTES]
            version, job_id, kind, expires_at, state = _FIELDS.unpack(packed)
            return cls(UUID(bytes=job_id), Kind(kind), expires_at, state) if version == _VERSION else None
        except (binascii.Error, struct.error, ValueError):
            return None

    @property
    def _packed(self) -> bytes:
        return _FIELDS.pack(_VERSION, self.job_id.bytes, self.kind, self.expires_at, self.state)

    def _signature(self, key_hash: bytes) -> bytes:
        key = hmac.digest(key_hash, _PURPOSE, "sha256")
        return hmac.digest(key, self._packed, "sha256")


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
