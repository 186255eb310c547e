r"""How much memory a pattern takes once it is compiled: an estimate, since the engine tells only when it gives up.

The engine writes repetitions out, and it keeps what it has compiled: a hundred patterns like \w{150} would take a gigabyte
of every process that has seen them, for good.
"""

import re

MAX_PATTERN_KILOBYTES = 2_500
MAX_SCHEMA_KILOBYTES = 50_000
"""Of all patterns of one schema, which the process that reads a file holds together."""

_TOKEN = re.compile(
    r"\\[pP]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<least>\d+)(?:,(?P<most>\d*))?\}|.", re.DOTALL
)
_UNICODE = re.compile(r"\\[wWpP]")
_KILOBYTES_OF_UNICODE, _KILOBYTES_OF_DIGIT, _KILOBYTES = 65, 7, 2
"""Measured on pydantic-core 2.14: \\w and \\pL, \\d, and anything else."""
_COUNTLESS = 10**9


def kilobytes(pattern: str) -> int:
    """The estimate for a pattern that compiles."""
    groups, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        if token["least"] is not None:
            times = max(int(token["least"]), int(token["most"] or 0), 1)
            groups[-1] += last * (times - 1)
            last *= times
        elif token[0] == "(":
            groups.append(0)
            last = 0
        elif token[0] == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        else:
            last = _of(token[0])
            groups[-1] += last
        groups[-1], last = min(groups[-1], _COUNTLESS), min(last, _COUNTLESS)
    return sum(groups)


def _of(atom: str) -> int:
    if _UNICODE.search(atom):
        return _KILOBYTES_OF_UNICODE
    return _KILOBYTES_OF_DIGIT if "\\d" in atom.lower() else _KILOBYTES
