"""How options that contradict each other are reported: at the option to change, all at once."""

from collections.abc import Iterable

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError


def disagreement(problems: Iterable[tuple[str, str]]) -> ValidationError:
    """The error of these (option, message) pairs, to be raised in a model's validator."""
    return ValidationError.from_exception_data("options", [_details(*problem) for problem in problems])


def _details(option: str, message: str) -> InitErrorDetails:
    error = PydanticCustomError("disagreement", "{reason}", {"reason": message})
    return InitErrorDetails(type=error, loc=(option,), input=None)
