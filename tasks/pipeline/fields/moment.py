"""What DATE and DATETIME have in common: their `format`."""

from typing import Annotated

from pydantic import AfterValidator, StrictStr

from tasks.pipeline.fields.bounded import BoundedField
from tasks.pipeline.fields.strptime import check_format


def _usable(format: str) -> str:
    check_format(format)
    return format


class MomentField(BoundedField):
    """A field whose value is a point in the calendar. `format` None: as ISO 8601 writes it."""

    format: Annotated[StrictStr, AfterValidator(_usable)] | None = None
