"""An address that leads to somebody else's: nothing is there, as if there were nothing."""

from pathlib import Path

import pytest

from sluice.client import ApiClient
from tests import samples
from tests.dashboard.conftest import new_partner
from tests.dashboard.person import Person
from tests.stack import Stack, create_schema, finished, submit

SENSELESS = "Sm9iOjAxYTIx"


@pytest.fixture
async def theirs(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """Addresses of another partner's, each with one that nothing has."""
    async with await new_partner(stack, "Umbrella") as other:
        schema = await create_schema(other, name="secrets", fields=samples.FIELDS)
        job = await submit(other, schema, samples.write(tmp_path / "secrets.csv", 100))
        await finished(other, job)
    return {
        f"#/jobs/{job}": f"#/jobs/{SENSELESS}",
        f"#/schemas/{schema}": f"#/schemas/{SENSELESS}",
        f"#/schemas/new/{schema}": f"#/schemas/new/{SENSELESS}",
    }


async def test_anothers_link_leads_to_nothing(person: Person, theirs: dict[str, str]) -> None:
    """In the same words as one that nobody has; the title says no more."""
    for their, senseless in theirs.items():
        seen = []
        for address in (their, senseless):
            await person.go(address)
            await person.sees("heading", "There is nothing here")
            seen.append(await person.script("document.title + document.body.innerText"))
        assert seen[0] == seen[1]
        assert "secrets" not in seen[0]


async def test_an_address_of_nothing_leads_back(person: Person, partner: ApiClient) -> None:
    """With a way to go on."""
    await person.go("#/elsewhere")
    await person.sees("heading", "There is nothing here")

    await person.click("link", "Go to your files")

    await person.sees("heading", "Send a file")
