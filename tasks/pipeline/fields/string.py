"""STRING: any text."""

from typing import Literal

from tasks.pipeline.fields.text import TextField


class StringField(TextField):
    """Any text, loaded as it is."""

    type: Literal["STRING"]
