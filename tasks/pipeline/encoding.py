"""How the bytes of a line-based text file become text, and which files are no text at all."""

import codecs
import re
from dataclasses import dataclass

from tasks.pipeline.errors import FailureCode, FileError

HEAD_BYTES = 4096
"""How much of a file's beginning `detect` wants to see."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF32_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh91AY&SY", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a rich text document (.rtf)"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)"),
    (b"PAR1\x15", "a Parquet file"),
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOSTLY_NUL = 0.3


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes become text.

    UTF-16 is transcoded to UTF-8 as it is read, so that lines are always cut out of bytes in which a line end is
    one of the bytes LF and CR. Whatever does not decode becomes a lone surrogate.
    """

    codec: str
    bom_bytes: int = 0

    @property
    def wide(self) -> bool:
        """Whether the file is UTF-16."""
        return self.codec.startswith("utf-16")

    @property
    def label(self) -> str:
        """The encoding's name for people."""
        return "UTF-16" if self.wide else self.codec.upper()

    @property
    def line_codec(self) -> str:
        """The codec of a line as it was cut."""
        return "utf-8" if self.wide else self.codec

    @property
    def line_errors(self) -> str:
        """The codec's error handler for a line as it was cut."""
        return "surrogatepass" if self.wide else "surrogateescape"

    def decode(self, line: bytes) -> str:
        """The text of a line as it was cut."""
        return line.decode(self.line_codec, self.line_errors)

    def is_valid(self, lines: bytes) -> bool:
        """Whether all of these lines, as they were cut, decode."""
        try:
            lines.decode(self.line_codec)
        except UnicodeDecodeError:
            return False
        return True


def has_surrogate(text: str) -> bool:
    """Whether something in the text did not decode (or was half of a surrogate pair)."""
    return _SURROGATE.search(text) is not None


def detect(head: bytes, declared: str | None) -> Encoding:
    """The encoding by what the schema declares, else by byte order mark, else UTF-8. `head`: the file's first bytes.

    Raises FileError UNSUPPORTED_FORMAT where the file is no text, ENCODING where it is text that we do not read.
    """
    _refuse_binary(head)
    marked = next(
        (Encoding(codec, len(bom)) for bom, codec in _BOMS if head.startswith(bom)), Encoding("utf-8")
    )
    if declared == "utf-16":
        return marked if marked.wide else Encoding("utf-16-be" if head[:1] == b"\x00" else "utf-16-le")
    if declared == "utf-8":
        return marked if not marked.wide else Encoding("utf-8")
    if declared is not None:
        return Encoding(declared)
    if head.startswith(_UTF32_BOMS):
        raise FileError(FailureCode.ENCODING, "The file is UTF-32. Save it as UTF-8 and send it again.")
    if not marked.wide:
        _refuse_nuls(head)
    return marked


def _refuse_binary(head: bytes) -> None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            raise FileError(
                FailureCode.UNSUPPORTED_FORMAT,
                f"The file looks like {kind}, not like text. Send the file that is meant as text.",
            )


def _refuse_nuls(sample: bytes) -> None:
    if sample.count(0) < _MOSTLY_NUL * len(sample) or not sample:
        return
    first, second = sample[::2].count(0), sample[1::2].count(0)
    if max(first, second) > 10 * min(first, second):
        raise FileError(
            FailureCode.ENCODING,
            "The file looks like UTF-16 without a byte order mark. Name its encoding in the schema, or save it as UTF-8.",
        )
    raise FileError(
        FailureCode.UNSUPPORTED_FORMAT,
        "The file looks like binary data: much of its beginning is NUL bytes. Send text.",
    )
