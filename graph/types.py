"""Types that everything else is made of."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self, TypeVar

import strawberry
from strawberry import UNSET

import models
from graph import ids
from graph.context import Info
from graph.enums import UserErrorCode
from graph.scalars import BigInt

T = TypeVar("T")

USER_ERRORS = "What has to be put right; empty when all went well."


def given(value: T | None) -> T | None:
    """The value of an argument that may be left out; None when it was."""
    return None if value is UNSET else value


@strawberry.interface(description="Anything that has a global id and can be read by `node`.")
class Node:
    """Anything that has a global id."""

    id: strawberry.ID = strawberry.field(description="The global id: opaque, and the same for ever.")


@strawberry.type(description="A company that sends files: the owner of an API key.")
class Partner(Node):
    """A company that sends files."""

    name: str = strawberry.field(description="The partner's name.")
    created_at: datetime = strawberry.field(description="When the partner was set up.")

    @classmethod
    def of(cls, row: models.Partner) -> Self:
        """From the table's row."""
        return cls(id=ids.global_id("Partner", row.id), name=row.name, created_at=row.created_at)

    @strawberry.field(
        description="The largest file that the server takes, in bytes. A larger one is refused with PAYLOAD_TOO_LARGE."
    )
    def max_upload_bytes(self, info: Info) -> BigInt:
        """The server's limit, the same for every partner: a client can say so before it sends a file."""
        return BigInt(info.context.backends.settings.max_upload_bytes)


@strawberry.type(description="Something that the caller of a mutation can put right.")
class UserError:
    """Something that the caller of a mutation can put right."""

    code: UserErrorCode = strawberry.field(description="What is wrong, for programs.")
    message: str = strawberry.field(description="What is wrong and what to do, for people.")
    field: list[str] | None = strawberry.field(
        default=None, description='The path into the arguments: ["input", "fields", "0", "pattern"].'
    )

    @classmethod
    def at(cls, path: Iterable[str], code: UserErrorCode, message: str) -> Self:
        """An error in the input field that `path` leads to."""
        return cls(code=code, message=message, field=["input", *path])
