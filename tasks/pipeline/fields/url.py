"""URL: the practical grammar of web addresses, `http(s)://[user@]host[:port][/path][?query][#fragment]`.

http and https only, in any case. host: a name of letters, digits, hyphens and underscores of any script with single
dots between its labels (`localhost` will do), an IPv4 address, or an IPv6 address in brackets. port: 0 to 65535. In the
rest any character may stand but white space, control characters and "<>\\^`{|}, which have to be percent-encoded.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic_core import core_schema

from tasks.pipeline.fields.steps import Check, Refusal
from tasks.pipeline.fields.text import TextField
from tasks.pipeline.record import RecordErrorCode

_PORT = "(?::(?:[0-9]{0,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_INVALID = Refusal(
    RecordErrorCode.INVALID_URL,
    "Expected a web address with http:// or https://, such as https://example.com/a.",
)


class UrlField(TextField):
    """A web address, loaded as it is."""

    type: Literal["URL"]

    def grammar_checks(self) -> Iterator[Check]:
        """What an address must look like."""
        pattern = _url(r"\p{L}\p{M}\p{N}_", r"\s\p{Cc}")
        yield Check(core_schema.str_schema(pattern=f"^{pattern}$"), _INVALID)

    def certain_pattern(self) -> str:
        """The usual address: scripts beyond ASCII make a pattern twenty times slower."""
        return _url("A-Za-z0-9_", r"\x00-\x20\x7F-\x{10FFFF}")


def _url(word: str, forbidden: str) -> str:
    plain = rf'[^{forbidden}"<>\\^`{{|}}]'
    user = rf'[^{forbidden}"<>\\^`{{|}}/?#@]*@'
    label = rf"[{word}](?:[{word}-]{{0,61}}[{word}])?"
    host = rf"(?:{label}(?:\.{label})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\])"
    return rf"(?i:https?)://(?:{user})?{host}{_PORT}(?:[/?#]{plain}*)?"
