"""EMAIL: the practical grammar of addresses, `local@domain`.

local: 1 to 64 letters and digits of any script and !#$%&'*+/=?^_`{|}~-, with single dots between them. domain: at
least two labels of letters, digits and inner hyphens, the last one beginning with a letter. 254 characters in all. No
quoted local parts, comments, display names or addresses of numbers.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic_core import core_schema

from tasks.pipeline.fields.steps import Check, Refusal
from tasks.pipeline.fields.text import TextField
from tasks.pipeline.record import RecordErrorCode

_MAX_CHARS = 254
_MAX_LOCAL_CHARS = 64
_LENGTHS = rf"^[^@]{{1,{_MAX_LOCAL_CHARS}}}@"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,31}"
_LABEL = "(?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])"
_CERTAIN = rf"{_ATOM}(?:\.{_ATOM})?@(?:[A-Za-z0-9]{_LABEL}?\.){{1,4}}[A-Za-z]{_LABEL}"
_INVALID = Refusal(RecordErrorCode.INVALID_EMAIL, "Expected an email address such as name@example.com.")


class EmailField(TextField):
    """An email address, loaded as it is."""

    type: Literal["EMAIL"]

    def grammar_checks(self) -> Iterator[Check]:
        """What an address must look like."""
        address = core_schema.str_schema(pattern=_address(r"\p{L}\p{M}", r"\p{N}"), max_length=_MAX_CHARS)
        lengths = core_schema.str_schema(pattern=_LENGTHS)
        yield Check(core_schema.chain_schema([address, lengths]), _INVALID)

    def certain_pattern(self) -> str:
        """Addresses in ASCII with a dot at most in the local part, and short enough in all their parts."""
        return _CERTAIN


def _address(letters: str, digits: str) -> str:
    atom = rf"[{letters}{digits}!#$%&'*+/=?^_`{{|}}~-]+"
    inner = rf"[{letters}{digits}-]{{0,61}}[{letters}{digits}]"
    return rf"^{atom}(?:\.{atom})*@(?:[{letters}{digits}](?:{inner})?\.)+[{letters}]{inner}$"
