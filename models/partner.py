"""Partners and their API keys: `slc_<prefix>_<secret>`, of which only a hash is kept."""

import hashlib
import hmac
import secrets
from typing import Self

from tortoise import fields
from tortoise.models import Model
from uuid6 import uuid7

KEY_SCHEME = "slc"
_NO_HASH = bytes(32)


class Partner(Model):
    """A company that sends files. Everything else belongs to exactly one partner."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    name = fields.CharField(max_length=200)
    key_prefix = fields.CharField(max_length=16, unique=True)
    key_hash = fields.BinaryField()
    created_at = fields.DatetimeField(auto_now_add=True)
    served_at = fields.DatetimeField(null=True)
    """When a worker last claimed a job of this partner: whose turn it is next (`Job.claim_next`)."""

    class Meta:
        table = "partner"
        table_description = ""  # else every edit of the docstring would be a migration

    @classmethod
    async def create_with_key(cls, name: str) -> tuple[Self, str]:
        """Makes a partner and its API key. The key is returned here and can never be read again."""
        prefix, secret = secrets.token_hex(4), secrets.token_hex(32)
        key = f"{KEY_SCHEME}_{prefix}_{secret}"
        partner = await cls.create(name=name, key_prefix=prefix, key_hash=_hash(key))
        return partner, key

    @classmethod
    async def by_key(cls, key: str) -> Self | None:
        """The partner whose key this is, or None. Takes the same time for a wrong secret and an unknown prefix."""
        scheme, _, rest = key.partition("_")
        prefix, _, secret = rest.partition("_")
        partner = None
        if scheme == KEY_SCHEME and secret and len(prefix) <= 16 and prefix.isascii() and prefix.isalnum():
            partner = await cls.get_or_none(key_prefix=prefix)
        known = bytes(partner.key_hash) if partner else _NO_HASH
        return partner if hmac.compare_digest(known, _hash(key)) else None


def _hash(key: str) -> bytes:
    # A fast hash is right here: the secret has 256 random bits, so there is nothing to guess.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
