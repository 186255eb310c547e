"""What comes before the root element of an XML document: its encoding, and the ban on DOCTYPE."""

import codecs
import re

from tasks.pipeline.encoding import Encoding, detect
from tasks.pipeline.errors import FailureCode, FileError
from tasks.pipeline.record import MAX_RECORD_BYTES
from tasks.pipeline.strict_text import Window

_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ALLOWED = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-8",  # a document that can say so in single bytes was saved anew by somebody who did not look
    "us-ascii": "us-ascii",
    "ascii": "us-ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
}
_DECLARATION = re.compile(
    rb"""[ \t\r\n]*<\?xml[ \t\r\n][^>]*?encoding[ \t\r\n]*=[ \t\r\n]*["']([^"'>]*)["']"""
)
_MISC = re.compile(r"(?:[ \t\r\n]++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_ROOT = re.compile(r"<([^\x00-\x20/>!?<&\"'=\ufffe\uffff][^\x00-\x20/><&\"'=\ufffe\uffff]*+)[ \t\r\n/>]")
_UNFINISHED = re.compile(
    r"(?:<|<!-?|<!--.*+|<\?.*+|<!D[OCTYPE]*+|<[^\x00-\x20/>!?<&\"'=\ufffe\uffff]++)?\Z", re.DOTALL
)
_WHITE_SPACE = " \t\r\n"
_MAX_SHOWN = 40


def encoding_of(head: bytes, wanted: str | None) -> Encoding:
    """The encoding by what the schema wants, else by byte order mark, else by the XML declaration, else UTF-8.

    Raises FileError ENCODING for one that we do not read, UNSUPPORTED_FORMAT where the file is no text at all.
    """
    declaration = _DECLARATION.match(head)
    if wanted is not None or declaration is None or head.startswith(_BOMS):
        return detect(head, wanted)
    declared = declaration[1].decode("ascii", "replace")
    codec = _ALLOWED.get(declared.lower())
    if codec is None:
        message = f"The file declares the encoding {declared[:_MAX_SHOWN]!r}, which is not supported. Save it as UTF-8."
        raise FileError(FailureCode.ENCODING, message, line=1)
    return detect(head, codec)


def find_root(window: Window) -> str:
    """The root element's name, with its prefix. Reads on until its start tag is in the window.

    Raises FileError: DTD_FORBIDDEN, MALFORMED where no XML element begins, TRUNCATED, FILE_EMPTY.
    """
    while window.read_on():
        misc = _MISC.match(window.text)
        start = misc.end() if misc else 0
        if root := _ROOT.match(window.text, start):
            return root[1]
        if window.text.startswith("<!DOCTYPE", start):
            line = window.line_at(start)
            message = f"The file has a DOCTYPE (line {line}), which is not accepted. Remove it."
            raise FileError(FailureCode.DTD_FORBIDDEN, message, line=line)
        if not _UNFINISHED.match(window.text, start):
            raise _not_xml(window, start)
        if len(window.text) > MAX_RECORD_BYTES:
            message = f"No element begins in the first {MAX_RECORD_BYTES // 2**20} MiB of the file."
            raise FileError(FailureCode.RECORD_TOO_LARGE, message)
    if not window.text.strip(_WHITE_SPACE):
        raise FileError(FailureCode.FILE_EMPTY, "The file is empty: there is nothing in it but white space.")
    line = window.line_at(len(window.text))
    message = f"The file ends before its first element begins (line {line}). Send the whole file."
    raise FileError(FailureCode.TRUNCATED, message, line=line)


def _not_xml(window: Window, start: int) -> FileError:
    line = window.line_at(start)
    found = window.text[start : start + _MAX_SHOWN]
    message = f"The file is not XML: an element was expected on line {line}, found {found!r}."
    return FileError(FailureCode.MALFORMED, message, line=line)
