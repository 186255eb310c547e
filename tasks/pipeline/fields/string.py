"""STRING: any text."""

from collections.abc import Iterable
from typing import Literal

from tasks.pipeline.fields.certain import PLAIN, PLAIN_EDGE
from tasks.pipeline.fields.steps import Check
from tasks.pipeline.fields.text import TextField

_MAX_COUNTED = 300
"""A pattern that counts to more than this takes long to compile."""


class StringField(TextField):
    """Any text, loaded as it is."""

    type: Literal["STRING"]

    def certain_pattern(self) -> str:
        """Texts without quotes, backslashes and control characters, and, if they are trimmed, without white space around them."""
        least, most = self._lengths() if self._counts_lengths else (0, None)
        if not self.trim:
            return PLAIN + _times(least, most)
        of_one = [PLAIN_EDGE] if least <= 1 and most != 0 else []
        longer = f"{PLAIN_EDGE}{PLAIN}{_times(max(0, least - 2), most and most - 2)}{PLAIN_EDGE}"
        return "|".join([*([""] if least == 0 else []), *of_one, *([] if most in (0, 1) else [longer])])

    def lengths_left(self) -> Iterable[Check]:
        """None where the pattern counts the characters."""
        return () if self._counts_lengths else self.length_checks()

    @property
    def _counts_lengths(self) -> bool:
        return max(self.min_length or 0, self.max_length or 0) <= _MAX_COUNTED

    def _lengths(self) -> tuple[int, int | None]:
        return self.min_length or 0, self.max_length


def _times(least: int, most: int | None) -> str:
    return f"{{{least},{'' if most is None else most}}}"
