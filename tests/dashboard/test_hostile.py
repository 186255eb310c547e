"""What others have written is shown as it stands: as text, whole, and nothing of it does anything."""

import json
from pathlib import Path

from sluice.client import ApiClient
from tests.dashboard.conftest import key_of, new_partner
from tests.dashboard.person import Person, named
from tests.stack import Stack, create_schema, finished, submit

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
TURNED = "\N{RIGHT-TO-LEFT OVERRIDE}vsc.exe"
FILENAME = f"<img src=x onerror=alert(3)>{TURNED}.ndjson"
NAME = f"{MARKUP}{TURNED}"
FORMULA = '=HYPERLINK("http://example.com/","click")'
CONTROLS = "a\x1b[31m\x07b\u200bc\u2028d"
FIELDS: list[dict[str, object]] = [
    {"name": "__proto__", "type": "STRING", "required": False},
    {"name": "constructor", "type": "STRING"},
    {"name": MARKUP, "type": "STRING", "required": False},
    {"name": "number", "type": "INTEGER"},
]
RECORDS: list[dict[str, object]] = [
    {"__proto__": MARKUP, "constructor": TURNED, MARKUP: FORMULA, "number": 1},
    {"__proto__": "x", "constructor": CONTROLS, MARKUP: "javascript:alert(4)", "number": 2},
    {"constructor": "y", "number": MARKUP},
    {"constructor": "y", "number": TURNED},
    {"constructor": "y", "number": CONTROLS},
    {"constructor": "y", "number": FORMULA},
]
SHOWN_CONTROLS = "a␛\\[31m␇b⟨U\\+200B⟩c⟨U\\+2028⟩d"
SHOWN_MARKUP = "<img src=x onerror=alert\\(1\\)><script>alert\\(2\\)</script>"
SHOWN_FILENAME = "<img src=x onerror=alert\\(3\\)>vsc.exe.ndjson"
"""As the server keeps it: what cannot be seen is no part of a name."""
SHOWN_TURNED = "⟨U\\+202E⟩vsc.exe"
MADE = """[...document.querySelectorAll("img, iframe, object, embed, svg, script:not([src]), style, [onerror], a")]
    .filter((one) => one.localName !== "a" || !/^#(\\/|main$)/.test(one.getAttribute("href")))
    .map((one) => one.outerHTML)"""
"""Elements that are none of the page's."""


def _file(folder: Path) -> Path:
    path = folder / FILENAME
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path


async def _nothing_was_made(person: Person) -> None:
    assert [] == await person.script(MADE)
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in await person.script("document.title + document.body.innerText")


async def test_hostile_names_and_values_are_text(visitor: Person, stack: Stack, tmp_path: Path) -> None:
    """Of a partner, a schema, a file, a header, a record and an error: on every view that shows them."""
    async with await new_partner(stack, NAME) as partner:
        schema = await create_schema(partner, name=NAME, fields=FIELDS)
        await visitor.sign_in(key_of(partner))
        await visitor.reads(f"Signed in as\\s+{SHOWN_MARKUP}", "banner")
        await visitor.reads("script", "combobox", "Schema")
        await visitor.give(_file(tmp_path))
        await visitor.reads(f"<img src=x onerror=alert\\(3\\)>{SHOWN_TURNED}.ndjson")
        await _nothing_was_made(visitor)
        await visitor.click("button", "Send the file")

        await visitor.reads(f"{SHOWN_FILENAME}.*Outstanding\\s+4", seconds=30)
        await visitor.reads(
            f"{SHOWN_MARKUP}.*{SHOWN_TURNED}.*{SHOWN_CONTROLS}.*=HYPERLINK\\(", "region", "Table of errors"
        )
        await visitor.reads(
            f"{SHOWN_MARKUP}\\s+{SHOWN_TURNED}\\s+=HYPERLINK\\(.*\\s1\\s.*x\\s+{SHOWN_CONTROLS}\\s+javascript:alert\\(4\\)",
            "region",
            "Table of loaded records",
        )
        await _nothing_was_made(visitor)

        await visitor.click("button", "Delete the loaded records")
        await visitor.reads(f"{SHOWN_FILENAME}.*{SHOWN_TURNED}", "dialog")
        await _nothing_was_made(visitor)
        await visitor.press("Escape")

        await visitor.click("link", named("^Files$"))
        await visitor.reads(f"{SHOWN_FILENAME}.*{SHOWN_TURNED}", "table")
        await _nothing_was_made(visitor)
        for address in ("#/schemas", f"#/schemas/{schema}", f"#/schemas/new/{schema}"):
            await visitor.go(address)
            await visitor.reads(f"{SHOWN_MARKUP}")
            await _nothing_was_made(visitor)


async def test_a_hostile_sample_fills_in_a_form(person: Person, tmp_path: Path) -> None:
    """Its names are values of fields; nothing in it is run, or becomes a part of the page."""
    await person.click("link", "Make your first schema")
    await person.give(_file(tmp_path))

    await person.reads("sample records would be accepted")
    for number, source in enumerate(RECORDS[0], 1):
        field = person.inside("region", named(f"^Field {number} "))
        assert source == await field.value("textbox", "Comes from")
    await _nothing_was_made(person)


async def test_a_job_that_failed_tells_of_a_hostile_file(
    person: Person, partner: ApiClient, tmp_path: Path
) -> None:
    """Its message quotes the file."""
    path = tmp_path / "orders.csv"
    path.write_text(f"{MARKUP},{MARKUP}\n1,2\n")
    schema = await create_schema(partner, name="orders", fields=[{"name": "id", "type": "INTEGER"}])
    job = await submit(partner, schema, path)
    await finished(partner, job)

    await person.go(f"#/jobs/{job}")

    await person.reads("The file could not be read to its end.*<img src=x onerror")
    await _nothing_was_made(person)
