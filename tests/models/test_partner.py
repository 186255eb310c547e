"""API keys: shown once, kept as a hash, compared as a whole."""

import pytest

from models import Partner

pytestmark = pytest.mark.usefixtures("database")


async def test_by_key_finds_the_partner_of_a_key() -> None:
    """The key that was shown once is the partner's, and the row does not hold it."""
    partner, key = await Partner.create_with_key("Acme")

    found = await Partner.by_key(key)

    assert found is not None
    assert partner.id == found.id
    assert key.encode() not in bytes(found.key_hash)
    assert key.startswith(f"slc_{found.key_prefix}_")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda key: key[:-1], id="cut"),
        pytest.param(lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"), id="wrong secret"),
        pytest.param(lambda key: key.replace("slc_", "xyz_"), id="wrong scheme"),
        pytest.param(lambda key: "slc_00000000_" + key.rsplit("_", 1)[1], id="unknown prefix"),
        pytest.param(lambda key: "", id="empty"),
        pytest.param(lambda key: key + "\udc80", id="lone surrogate"),
        pytest.param(lambda key: "slc_\0_x", id="NUL"),
        pytest.param(lambda key: "slc_" + "a" * 10_000 + "_x", id="long"),
    ],
)
async def test_by_key_refuses_anything_else(damage) -> None:  # type: ignore[no-untyped-def]
    """A key that differs in anything is nobody's."""
    _, key = await Partner.create_with_key("Acme")

    assert await Partner.by_key(damage(key)) is None
