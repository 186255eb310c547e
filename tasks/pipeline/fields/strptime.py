"""The `format` of DATE and DATETIME: strptime patterns that give one certain date, whatever machine they run on."""

import re
from datetime import UTC, datetime
from functools import lru_cache

MAX_FORMAT_CHARS = 100
MAX_TEXT_CHARS = 200
"""A longer text fits no format."""

# Without %c %x %X, which depend on the locale, and %Z, which depends on the machine's time zone.
_DIRECTIVES = frozenset("aAbBdfGHIjmMpSuUVwWyYz%")
_PART = re.compile(r"%.|\s+|[^%\s]", re.DOTALL)
_IN_FULL = {f"%{directive}": r"\d{2}" for directive in "dHIjmMSUVWwuyYGf"} | {
    "%Y": r"\d{4}",
    "%G": r"\d{4}",
    "%j": r"\d{3}",
    "%f": r"\d{1,6}",
    "%w": r"\d",
    "%u": r"\d",
}
"""The numeric directives, and the digits of each where it is written in full."""

_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
"""strptime takes them; as an INTEGER they would be refused, too."""

_SAMPLES = (
    datetime(2026, 3, 31, 14, 25, 36, tzinfo=UTC),
    datetime(1987, 12, 4, 9, 8, 7, tzinfo=UTC),
)


def check_format(format: str) -> None:
    """Raises ValueError, in a partner's words, where a pattern cannot be used."""
    if len(format) > MAX_FORMAT_CHARS:
        raise ValueError(f"A format has at most {MAX_FORMAT_CHARS} characters.")
    for directive in re.findall("%(.?)", format, re.DOTALL):
        if directive not in _DIRECTIVES or not directive:
            raise ValueError(
                f"%{directive} cannot be used in a format. Use for example %Y-%m-%d, %d/%m/%Y or %d %b %Y %H:%M:%S."
            )
    if not all(_comes_back(sample, format) for sample in _SAMPLES):
        raise ValueError(
            "A format must give a full date: year, month and day, and %p beside %I. Example: %d/%m/%Y."
        )


def example(format: str) -> str:
    """How a value in this format looks."""
    return _SAMPLES[0].strftime(format)


@lru_cache(maxsize=20_000)
def parsed(text: str, format: str) -> datetime | None:
    """The date and time in the text, in UTC where it names no zone; None where it does not fit the format.

    Remembers texts, since dates repeat: give it none of more than MAX_TEXT_CHARS.
    """
    if not text.isascii() and _FOREIGN_DIGIT.search(text):
        return None
    try:
        value = datetime.strptime(text, format)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return None
    shape = _shape(format)
    if shape is not None and shape.fullmatch(text) is None:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@lru_cache(maxsize=1_000)
def _shape(format: str) -> re.Pattern[str] | None:
    """What a text must look like beyond what strptime asks; None where that suffices.

    Where numbers stand side by side strptime guesses their borders: it takes 202411 for the first of January. Such
    numbers must be written in full.
    """
    parts = _PART.findall(format)
    is_number = [part in _IN_FULL or part.isdigit() for part in parts]
    beside = zip([False, *is_number], [*is_number[1:], False], strict=False)
    crowded = {
        position
        for position, (part, neighbours) in enumerate(zip(parts, beside, strict=True))
        if part in _IN_FULL and any(neighbours)
    }
    if not crowded:
        return None
    patterns = [
        _IN_FULL[part] if position in crowded else _lenient(part) for position, part in enumerate(parts)
    ]
    return re.compile("".join(patterns), re.DOTALL | re.IGNORECASE)


def _lenient(part: str) -> str:
    if part in _IN_FULL:
        return r"\s?\d+"
    if part[0] == "%" and part != "%%":
        return ".+?"
    return r"\s+" if part.isspace() else re.escape(part[-1])


def _comes_back(sample: datetime, format: str) -> bool:
    try:
        value = parsed(sample.strftime(format), format)
    except re.error:  # a directive given twice
        return False
    has_hour = any(directive in "HI" for directive in re.findall("%(.)", format))
    return value is not None and value.date() == sample.date() and (not has_hour or value.hour == sample.hour)
