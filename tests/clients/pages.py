"""Writes the examples into the pages of docs/clients: `make docs`.

In a page, the code block behind a line such as `<!-- examples/apollo.ts -->` is that file, whole.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "clients"
_BLOCK = re.compile(r"<!-- (?P<file>\S+) -->\n```(?P<language>\w+)\n.*?^```$", re.DOTALL | re.MULTILINE)


def current(page: str) -> str:
    """The page's text with all its code blocks as they are in their files now."""
    return _BLOCK.sub(_block, page)


def files(page: str) -> set[str]:
    """The files that a page's text shows."""
    return {found["file"] for found in _BLOCK.finditer(page)}


def _block(found: re.Match[str]) -> str:
    code = (HERE / found["file"]).read_text(encoding="utf-8")
    return f"<!-- {found['file']} -->\n```{found['language']}\n{code}```"


if __name__ == "__main__":
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(current(path.read_text(encoding="utf-8")), encoding="utf-8")
