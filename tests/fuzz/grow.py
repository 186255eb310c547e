"""Grows files that are whole, with many records and odd values: damage does most where much is left to read."""

import json
import random
from collections.abc import Callable
from typing import Any

from tasks.pipeline.record import FileFormat

Grow = Callable[[random.Random], bytes]

NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "k", "x"]
TEXTS = [
    "", " ", "x", "é", "😀", "1", "-7", "0.10", "1e5", "1e400", "9" * 30, "2024-02-29", "2024-02-30", "29/02/2024", "2024-01-01T00:00:00Z",
    "yes", "true", "x@example.com", "https://example.com/é", "a,b", 'a"b', '"', "a\nb", "a\r\nb", "\t", "'", "\\", "\\N", "&", "<o>", "]]>",
    "\u2028", "\x85", "\x1a", "\x7f", "e\u0301", "x" * 1_100, "null", "=1+1", "#", ";", "|", "sep=", "\x0b", "\x1c",
]  # fmt: skip
_LINE_ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\r", "\n\n"]


def _text(chance: random.Random) -> str:
    return chance.choice(TEXTS) if chance.random() < 0.6 else str(chance.randint(-5, 500))


def grow_csv(chance: random.Random, delimiter: str | None = None) -> bytes:
    """A table whose cells are quoted where they must be, and at times where they need not."""
    delimiter = delimiter or chance.choice(",,,;\t|")
    names = chance.sample(NAMES, chance.randint(1, 6))
    quote_all, end = chance.random() < 0.3, chance.choice(_LINE_ENDS)
    width = len(names)
    rows = [names] + [
        [_text(chance) for _ in range(width + (chance.random() < 0.05) - (chance.random() < 0.05))]
        for _ in range(chance.randint(0, 30))
    ]
    lines = [delimiter.join(_cell(cell, delimiter, quote_all=quote_all) for cell in row) for row in rows]
    return _encoded(end.join(lines) + chance.choice(("", end)), chance)


def _cell(text: str, delimiter: str, *, quote_all: bool) -> str:
    if quote_all or any(mark in text for mark in f'"\r\n{delimiter}'):
        return '"' + text.replace('"', '""') + '"'
    return text


def grow_tsv(chance: random.Random) -> bytes:
    """The same with tabs."""
    return grow_csv(chance, "\t")


def _json_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if kind < 0.55 or depth > 3:
        return _text(chance)
    if kind < 0.8:
        return chance.choice((None, True, False, 0, -1, 1.5, 10**18, 10**30, 1e300))
    if kind < 0.9:
        return [_json_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return {chance.choice("abcx"): _json_value(chance, depth + 1) for _ in range(chance.randint(0, 3))}


def _json_record(chance: random.Random) -> Any:
    if chance.random() < 0.05:
        return _json_value(chance)
    return {chance.choice(NAMES): _json_value(chance) for _ in range(chance.randint(0, 6))}


def grow_json(chance: random.Random) -> bytes:
    """An array of records, at the top or inside."""
    records = [_json_record(chance) for _ in range(chance.randint(0, 30))]
    document: Any = records
    if chance.random() < 0.3:
        document = {chance.choice("xyz"): _json_value(chance), "r": records, "v": _json_value(chance)}
    text = json.dumps(
        document, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, None, 1, "\t"))
    )
    return _encoded(text, chance)


def grow_ndjson(chance: random.Random) -> bytes:
    """A record on each line."""
    ascii = chance.random() < 0.5
    lines = [json.dumps(_json_record(chance), ensure_ascii=ascii) for _ in range(chance.randint(1, 30))]
    return _encoded(chance.choice(("\n", "\n", "\r\n", "\n\n")).join(lines), chance)


def grow_xml(chance: random.Random) -> bytes:
    """Records called "o" below the root, at times deeper, beside other things."""
    between = chance.choice(("", "\n", " \r\n ", "<!-- <o> -->", "<?p <o>?>"))
    parts = [_xml_record(chance) + between for _ in range(chance.randint(0, 30))]
    if chance.random() < 0.2:
        parts = [f"<x>{part}</x>" for part in parts]
    attributes = chance.choice(("", "", " xmlns='u'", " xmlns:p='w' k=\"<>\"".replace("<", "&lt;")))
    prolog = chance.choice(("", "", '<?xml version="1.0"?>\n', "<!-- c -->"))
    return _encoded(f"{prolog}<r{attributes}>{between}{''.join(parts)}</r>\n", chance)


def _xml_record(chance: random.Random) -> str:
    attributes = chance.choice(("", "", " k='1'", ' k=">" x="/"'))
    return f"<o{attributes}>{''.join(_xml_child(chance) for _ in range(chance.randint(0, 5)))}</o>"


def _xml_child(chance: random.Random, depth: int = 0) -> str:
    name = chance.choice(NAMES)
    kind = chance.random()
    if kind < 0.1:
        return f"<{name}/>"
    if kind < 0.2 and depth < 3:
        return f"<{name} k='v'>{_xml_child(chance, depth + 1)}{_xml_child(chance, depth + 1)}</{name}>"
    text = "".join(character for character in _text(chance) if character >= " " or character in "\t\r\n")
    if kind < 0.3 and "]]>" not in text:
        return f"<{name}><![CDATA[{text}]]></{name}>"
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{name}>{text}</{name}>"


def _encoded(text: str, chance: random.Random) -> bytes:
    return text.encode(chance.choice(("utf-8",) * 8 + ("utf-8-sig", "utf-16")))


GROW: dict[FileFormat, Grow] = {
    FileFormat.CSV: grow_csv,
    FileFormat.TSV: grow_tsv,
    FileFormat.JSON: grow_json,
    FileFormat.NDJSON: grow_ndjson,
    FileFormat.XML: grow_xml,
}
