"""Who one is: by a key, in this tab alone."""

import json

from sluice.client import ApiClient
from tests.dashboard.conftest import key_of
from tests.dashboard.person import Person
from tests.stack import Stack

REFUSED = "responded with a status of 401"
WRONG = "slc_00000000_" + "0" * 64


async def test_a_wrong_key_is_told_in_words(visitor: Person) -> None:
    """With what to do; the field is ready for another one, and nothing is kept."""
    visitor.expected.append(REFUSED)

    await visitor.sign_in(WRONG)

    await visitor.sees("alert", "")
    await visitor.reads("This API key is not valid. Copy all of it")
    assert "key" == await visitor.script("document.activeElement.id")
    assert "{}" == await visitor.script("JSON.stringify(sessionStorage)")


async def test_nothing_typed_is_no_key(visitor: Person) -> None:
    """The server is not asked."""
    await visitor.click("button", "Sign in")

    await visitor.reads("Type or paste your API key first")
    assert [] == [url for url in visitor.page.requests if url.endswith("/graphql")]


async def test_it_shows_whose_the_key_is_until_one_signs_out(visitor: Person, partner: ApiClient) -> None:
    """Then the key is gone from the tab, too."""
    await visitor.sign_in(key_of(partner))
    await visitor.reads("Signed in as\\s+Acme", "banner")

    await visitor.click("button", "Sign out")

    await visitor.sees("heading", "Sign in")
    assert "{}" == await visitor.script("JSON.stringify(sessionStorage)")
    await visitor.page.call(["reload"])
    await visitor.sees("heading", "Sign in")


async def test_the_key_is_kept_in_this_tab_alone(person: Person, partner: ApiClient) -> None:
    """It survives a reload here; another tab asks for it, and nothing outlives the tab."""
    await person.page.call(["reload"])
    await person.reads("Signed in as\\s+Acme", "banner")

    other = Person(await person.page.beside(f"{person.url}/"), person.url)

    await other.sees("heading", "Sign in")
    other.assert_undisturbed()
    kept = await person.script("JSON.stringify([sessionStorage, localStorage])")
    in_tab, in_browser = json.loads(kept)
    assert key_of(partner) in in_tab.values()
    assert key_of(partner).rpartition("_")[2] not in json.dumps(in_browser)
    assert "" == await person.script("document.cookie")
    assert [] == await person.page.call(["context"], ["cookies"])


async def test_an_address_waits_until_one_has_signed_in(visitor: Person, partner: ApiClient) -> None:
    """A link from a colleague leads where it should after the key."""
    await visitor.go("#/schemas")
    await visitor.sign_in(key_of(partner))

    await visitor.sees("heading", "Schemas")


async def test_a_key_that_is_no_longer_valid_leads_back_to_the_form(
    person: Person, partner: ApiClient, stack: Stack
) -> None:
    """It says why, at the next thing that one does."""
    person.expected.append(REFUSED)
    await person.reads("Nothing was sent yet")
    prefix = key_of(partner).split("_")[1]
    await stack.query("UPDATE partner SET key_hash = '' WHERE key_prefix = $1", prefix)

    await person.choose("State", "Done")

    await person.sees("heading", "Sign in")
    await person.reads("Your API key is no longer valid")
    assert "{}" == await person.script("JSON.stringify(sessionStorage)")
