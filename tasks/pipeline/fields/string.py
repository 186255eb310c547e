"""STRING: any text."""

from typing import Literal

from tasks.pipeline.fields.certain import PLAIN, PLAIN_EDGE
from tasks.pipeline.fields.text import TextField


class StringField(TextField):
    """Any text, loaded as it is."""

    type: Literal["STRING"]

    def certain_pattern(self) -> str:
        """Texts without quotes, backslashes and control characters, and, if they are trimmed, without white space around them.

        It does not count: each field would have a pattern of its own, and a thousand of those take a gigabyte.
        """
        return f"(?:{PLAIN_EDGE}(?:{PLAIN}*{PLAIN_EDGE})?)?" if self.trim else f"{PLAIN}*"
