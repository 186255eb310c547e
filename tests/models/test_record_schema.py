"""Record schemas: versions that never change and never collide."""

import asyncio

import pytest

from models import RecordSchema
from tests.factories import DEFINITION, make_partner

pytestmark = pytest.mark.usefixtures("database")


async def test_save_version_counts_up_for_each_partner_and_name() -> None:
    """The first version of a name is 1, whatever another partner or name has."""
    acme, other = await make_partner(), await make_partner()

    saved = [
        await RecordSchema.save_version(acme.id, "orders", DEFINITION),
        await RecordSchema.save_version(acme.id, "orders", DEFINITION),
        await RecordSchema.save_version(acme.id, "stock", DEFINITION),
        await RecordSchema.save_version(other.id, "orders", DEFINITION),
    ]

    assert [schema.version for schema in saved] == [1, 2, 1, 1]


async def test_save_version_gives_every_simultaneous_saver_a_version_of_its_own() -> None:
    """Eight savers at once get the versions 1 to 8."""
    partner = await make_partner()

    saved = await asyncio.gather(
        *(RecordSchema.save_version(partner.id, "orders", DEFINITION) for _ in range(8))
    )

    assert list(range(1, 9)) == sorted(schema.version for schema in saved)


async def test_the_newest_versions_stand_in_the_order_of_their_names() -> None:
    """Of this partner only, behind a name that need not exist, and as many as are asked for."""
    acme, other = await make_partner(), await make_partner()
    for name in ("stock", "orders", "orders", "prices", "orders"):
        await RecordSchema.save_version(acme.id, name, DEFINITION)
    for name in ("orders", "a", "zzz"):
        await RecordSchema.save_version(other.id, name, DEFINITION)

    async def newest(behind: str, limit: int) -> list[tuple[str, int]]:
        found = await RecordSchema.newest_of_names(acme.id, behind, limit)
        return [(schema.name, schema.version) for schema in found]

    assert [("orders", 3), ("prices", 1), ("stock", 1)] == await newest("", 3)
    assert [("orders", 3)] == await newest("", 1)
    assert [("prices", 1), ("stock", 1)] == await newest("p", 10)
    assert [] == await newest("stock", 10)
    assert (3, 1, 0) == (
        await RecordSchema.count_names(acme.id),
        await RecordSchema.count_names(acme.id, "orders"),
        await RecordSchema.count_names(acme.id, "zzz"),
    )
