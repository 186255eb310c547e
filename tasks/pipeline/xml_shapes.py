"""What records of one shape look like: a regular expression that takes the values out of many of them in C.

Records are of one shape when their tags are the same, in the same order: elements with the same attributes, each
holding either a text or elements with white space between them. An expression trusts that the text is well-formed.
"""

import re
from collections.abc import Callable, Sequence
from itertools import repeat

from lxml import etree

from tasks.pipeline.record import Value
from tasks.pipeline.xml_rows import NAMESPACE, Rows

Parse = Callable[[Sequence[str]], "Sequence[etree._Element] | None"]  # noqa: SLF001
"""From the texts of records to their elements; None where they are no records."""

_SPACE = r"[ \t\r\n]*+"
_REST_OF_TAG = r"""(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+"""
TOKEN = re.compile(
    r"([^<]*+)<(?:(?:!--.*?--|\?.*?\?|!\[CDATA\[.*?\]\])>"
    rf"|(/?)([^ \t\r\n<>/!?\"'=]++)({_REST_OF_TAG})>)",
    re.DOTALL,
)
"""A text (group 1), and the comment, processing instruction, CDATA or tag behind it. Of a tag: 2 the slash of an end
tag, 3 the name, 4 what follows that."""

_DECLARATION = f"""xmlns:sluice=(?:"{NAMESPACE}"|'{NAMESPACE}')"""
_NAME = r"""(?!xmlns=)(?:[^ \t\r\n:="'<>/]+|sluice:index)"""
_ATTRIBUTE = rf"""[ \t\r\n]+(?:{_DECLARATION}|{_NAME}=(?:"[^"<&\t\r\n]*+"|'[^'<&\t\r\n]*+'))"""
"""One without a prefix; or ours, as we write it in a file that is to come back."""

_ATTRIBUTES = re.compile(rf"((?:{_ATTRIBUTE})*+){_SPACE}/?")
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_MAX_TOKENS = 400


class Shape:
    """What takes the values out of records of one shape."""

    def __init__(self, pattern: str, row: Sequence[Value]) -> None:
        # Whatever is no such record is one match to the end of the text, so that nothing is skipped.
        self._pattern = re.compile(f"{pattern}(){_SPACE}|(?s:.++)")
        self._groups = [None if value is None else int(str(value)) - 1 for value in row]

    def read(self, text: str, position: int) -> tuple[list[int], list[Sequence[Value]], int]:
        """As many records as begin at `position` one after the other: where each starts, the rows, and where they end."""
        found = list(self._pattern.finditer(text, position))
        if found and found[-1].lastindex != self._pattern.groups:
            found.pop()
        if not found:
            return [], [], position
        end = found[-1].end()
        columns = list(zip(*[match.groups("") for match in found], strict=True))
        picked = [repeat(None, len(found)) if k is None else columns[k] for k in self._groups]
        return [match.start() for match in found], list(zip(*picked, strict=True)), end


def learn(record: str, rows: Rows, parse: Parse) -> Shape | None:
    """The shape of a record; None where it has none that a regular expression could read.

    Which value belongs to which field is found by trial: `rows` reads a record with a number in each place.
    """
    built = _build(record)
    elements = parse([built[1]]) if built else None
    if built is None or elements is None or rows.faults(elements):
        return None
    row = rows.row(elements[0])
    return Shape(built[0], row) if all(value is None or isinstance(value, str) for value in row) else None


def _build(record: str) -> tuple[str, str] | None:
    """The regular expression for a record's shape, and such a record with the number of its group in each place."""
    tokens = list(TOKEN.finditer(record))
    if len(tokens) > _MAX_TOKENS:
        return None
    pattern, sample, group = "", "", 0
    leaf = ""
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        text, slash, name, rest = token.groups()
        if leaf:
            leaf = ""  # the end tag of an element that holds a text
            continue
        attributes = rest is not None and _ATTRIBUTES.fullmatch(rest)
        if not attributes or text.strip(" \t\r\n"):
            return None
        pattern += f"{_SPACE}<{slash}{re.escape(name)}"
        sample += f"<{slash}{name}"
        if slash:
            pattern += f"{_SPACE}>"
            sample += ">"
            continue
        with_groups, with_numbers, group = _attributes(attributes[1], group)
        pattern += with_groups
        sample += with_numbers
        pattern += _SPACE
        if rest.endswith("/") or (following and following[2] and following[3] == name):
            group += 1
            leaf = "" if rest.endswith("/") else name
            pattern += f"(?:>([^<]*+)</{re.escape(name)}{_SPACE}|/)>"
            sample += f">{group}</{name}>"
        else:
            pattern += ">"
            sample += ">"
    return pattern, sample


def _attributes(text: str, group: int) -> tuple[str, str, int]:
    """The same for the attributes of a start tag, and the number of the last group."""
    pattern = sample = ""
    for attribute in re.findall(_ATTRIBUTE, text):
        if attribute.lstrip().startswith("xmlns:"):
            pattern += re.escape(attribute)
            sample += attribute
            continue
        group += 1
        before, _, value = attribute.partition("=")
        quote = value[0]
        pattern += f"{re.escape(before)}={quote}([^{quote}<&\\t\\r\\n]*+){quote}"
        sample += f"{before}={quote}{group}{quote}"
    return pattern, sample, group


def decoded(rows: Sequence[Sequence[Value]]) -> list[Sequence[Value]]:
    """Rows as lxml gives them: with line ends and references resolved. It must have accepted those."""
    found = []
    for row in rows:
        joined = "".join(filter(None, row))  # type: ignore[arg-type]  # a Shape gives texts only
        found.append(tuple(map(_decoded, row)) if "&" in joined or "\r" in joined else row)
    return found


def _decoded(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_referred, text)


def _referred(reference: re.Match[str]) -> str:
    hexadecimal, decimal, name = reference.groups()
    if name is not None:
        return _ENTITIES[name]
    # Zeros may stand before it, more of them than int() likes.
    return chr(int(hexadecimal, 16) if hexadecimal else int(decimal.lstrip("0")))
