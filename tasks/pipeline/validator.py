"""A definition, compiled once: decides records by the thousand, column by column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tasks.pipeline.column import ColumnValidator, Fragments
from tasks.pipeline.definition import Definition
from tasks.pipeline.record import NotScalar, Problem, Value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of some records."""

    columns: list[Fragments]
    """Column by column in the schema's order."""
    problems: dict[int, list[Problem]]
    """Position of a rejected record -> one problem for each failing field, in the schema's order."""


class Validator:
    """Decides records by one definition. Compiling it takes milliseconds: once per job."""

    def __init__(self, definition: Definition) -> None:
        self.names = [field.name for field in definition.fields]
        self._columns = [ColumnValidator(field) for field in definition.fields]

    def __call__(self, rows: Sequence[Sequence[Value]]) -> Verdict:
        """Decides rows of one value per field, in the schema's order."""
        columns: list[Fragments] = []
        problems: dict[int, list[Problem]] = {}
        for name, validate, column in zip(self.names, self._columns, self._transposed(rows), strict=True):
            fragments, refusals = validate(column)
            columns.append(fragments)
            for position, (code, message) in refusals.items():
                problem = Problem(name, code, message, _raw(column[position]))
                problems.setdefault(position, []).append(problem)
        return Verdict(columns, problems)

    def _transposed(self, rows: Sequence[Sequence[Value]]) -> Iterator[list[Value]]:
        """The columns of these rows."""
        width = len(self.names)
        values = list(chain.from_iterable(rows))
        if len(values) != width * len(rows):
            raise ValueError(f"{len(rows)} rows of {len(values)} values, not {width} in each")
        return (values[k::width] for k in range(width))


def _raw(value: Value) -> str | None:
    return value.text if isinstance(value, NotScalar) else value
