"""The field types. A new type is a new file and a new member of `Field`."""

from typing import Annotated

from pydantic import Field as Parsed

from tasks.pipeline.fields.boolean import BooleanField
from tasks.pipeline.fields.date import DateField
from tasks.pipeline.fields.datetime import DatetimeField
from tasks.pipeline.fields.email import EmailField
from tasks.pipeline.fields.integer import IntegerField
from tasks.pipeline.fields.number import NumberField
from tasks.pipeline.fields.string import StringField
from tasks.pipeline.fields.url import UrlField

AnyType = (
    StringField
    | IntegerField
    | NumberField
    | BooleanField
    | DateField
    | DatetimeField
    | EmailField
    | UrlField
)
Field = Annotated[AnyType, Parsed(discriminator="type")]
