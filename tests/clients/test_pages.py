"""The pages of docs/clients show the examples as they were tested."""

from pathlib import Path

import pytest

from tests.clients.pages import DOCS, HERE, current, files

PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_its_examples_as_they_are(page: Path) -> None:
    """Whoever changes an example changes its page."""
    text = page.read_text(encoding="utf-8")

    assert current(text) == text, f"{page.name} shows an example as it was: `make docs` writes it anew"


def test_every_example_has_a_page() -> None:
    """There is no example that nobody finds, and no page for each of the clients is missing."""
    shown = {file for page in PAGES for file in files(page.read_text(encoding="utf-8"))}
    ours = {
        str(path.relative_to(HERE))
        for path in (HERE / "examples").rglob("*")
        if path.is_file() and not {"gql", "sluice_client", "__generated__"} & set(path.parts)
    }

    assert ours == shown
