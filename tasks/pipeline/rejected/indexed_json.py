"""Writes `sluice:index` into the JSON text of a record, and leaves all else as it is."""

from tasks.pipeline.elements import SCAN_ERRORS, make_scan
from tasks.pipeline.encoding import Encoding
from tasks.pipeline.index_names import INDEX
from tasks.pipeline.rejected.cut import bare_start

_BLANK = " \t\r\n"
_scan = make_scan()


def indexed(record: bytes, index: int, encoding: Encoding, *, keep: bool) -> bytes:
    """The record with the index as its first key. One that is no object stays as it is.

    `keep`: one that says it already does so, too; otherwise it has both, which the reader refuses.
    """
    start = bare_start(record, encoding, _BLANK)
    brace, end = ("{".encode(encoding.codec), "}".encode(encoding.codec))
    if not record.startswith(brace, start) or (keep and _has_index(record[start:], encoding)):
        return record
    behind = start + len(brace)
    is_empty = record.startswith(end, bare_start(record, encoding, _BLANK, behind))
    key = f'"{INDEX}": {index}' + ("" if is_empty else ", ")
    return record[:behind] + key.encode(encoding.codec) + record[behind:]


def _has_index(record: bytes, encoding: Encoding) -> bool:
    text = record.decode(encoding.codec, "replace")
    if INDEX not in text and "\\" not in text:
        return False
    try:
        value, _ = _scan(text, 0)
    except SCAN_ERRORS:
        return False
    return any(key == INDEX for key, _ in value)
