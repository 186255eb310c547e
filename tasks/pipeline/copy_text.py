"""PostgreSQL's COPY text format: what it can hold, and how a cell of it is written."""

import re
from typing import Final

NULL: Final = "\\N"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: it knows neither NUL nor lone surrogates."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def storable(text: str) -> str:
    r"""The text with what cannot be stored shown as an escape: \u0000, \uD800, or \xFF for a byte that did not decode."""
    return text if is_storable(text) else _UNSTORABLE.sub(lambda found: _shown(ord(found[0])), text)


def cell(text: str | None) -> str:
    """A storable text, or NULL, as one cell of a row."""
    if text is None:
        return NULL
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _shown(code_point: int) -> str:
    escaped_byte = 0xDC80 <= code_point <= 0xDCFF
    return f"\\x{code_point - 0xDC00:02X}" if escaped_byte else f"\\u{code_point:04X}"
