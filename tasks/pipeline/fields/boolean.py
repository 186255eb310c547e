"""BOOLEAN: true false yes no y n t f on off 1 0, in any case."""

from typing import Literal

from tasks.pipeline.fields.any_field import AnyField
from tasks.pipeline.fields.steps import Conversion, Refusal
from tasks.pipeline.record import RecordErrorCode

_CANONICAL = dict.fromkeys(("true", "yes", "y", "t", "on", "1"), "true") | dict.fromkeys(
    ("false", "no", "n", "f", "off", "0"), "false"
)
_INVALID = Refusal(
    RecordErrorCode.INVALID_BOOLEAN,
    "Expected true or false; also understood: yes, no, y, n, t, f, on, off, 1, 0.",
)


class BooleanField(AnyField):
    """True or false, loaded as a JSON boolean."""

    quoted = False
    type: Literal["BOOLEAN"]

    def conversion(self) -> Conversion:
        """From the text in the file to `true` or `false`."""
        return Conversion(_exact)

    def certain_pattern(self) -> str:
        """The usual two."""
        return "true|false"


def _exact(text: str) -> str | Refusal:
    return _CANONICAL.get(text.lower(), _INVALID)
