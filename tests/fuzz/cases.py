"""One random case from one seed: a damaged file and a schema, or a schema that makes no sense."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.pipeline.record import FileFormat
from tests.fuzz.corpus import FIELDS, FILES, NONSENSE, OPTION_NAMES, OPTIONS, TOKENS, USUAL_PATHS
from tests.fuzz.grow import GROW

MOST_BYTES = 300_000
_GROWN = 0.7
_USUAL = 0.6
_CHANGE_COUNTS = (0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 5, 8)


@dataclass(frozen=True, slots=True)
class Case:
    """What is read, and by which schema."""

    seed: int
    format: FileFormat
    data: bytes
    definition: dict[str, Any]


def case_of(seed: int) -> Case:
    """The same case for the same seed."""
    chance = random.Random(seed)
    format = chance.choice(list(FileFormat))
    data = GROW[format](chance) if chance.random() < _GROWN else chance.choice(FILES[format])
    for _ in range(chance.choice(_CHANGE_COUNTS)):
        data = chance.choice(_CHANGES)(data, format, chance)[:MOST_BYTES]
    return Case(seed, format, data, _definition(chance, format))


def nonsense_of(seed: int) -> dict[str, Any]:
    """A schema with some options replaced by what may not belong there."""
    chance = random.Random(seed)
    fields: Any = [dict(chance.choice(FIELDS)) for _ in range(chance.randint(1, 4))]
    definition = {"fields": fields} | _options(chance)
    for _ in range(chance.randint(1, 4)):
        value = chance.choice(NONSENSE)
        target = chance.choice([definition, *fields, *fields, *fields])
        names = OPTION_NAMES if target is not definition else [*OPTIONS, "fields", "nothing"]
        target[chance.choice(names)] = value
    return definition


def _definition(chance: random.Random, format: FileFormat) -> dict[str, Any]:
    fields = chance.sample(FIELDS, chance.randint(1, len(FIELDS)))
    if chance.random() < 0.15:
        fields = [field | {"trim": False, "null_values": [], "required": True} for field in fields]
    definition = {"fields": fields} | _options(chance)
    if chance.random() < _USUAL:
        definition |= {"record_path": USUAL_PATHS[format], "encoding": None, "csv": None}
    return definition


def _options(chance: random.Random) -> dict[str, Any]:
    return {name: chance.choice(values) for name, values in OPTIONS.items()}


def _insert(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(TOKENS[format]) + data[at:]


def _replace(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    begin, end = _slice(data, chance)
    return data[:begin] + chance.choice(TOKENS[format]) + data[end:]


def _flip(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _remove(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    begin, end = _slice(data, chance)
    return data[:begin] + data[end:]


def _repeat(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    begin, end = _slice(data, chance)
    times = chance.choice((2, 2, 2, 3, 10, 100, 2_000))
    return data[:begin] + data[begin:end] * min(times, 1 + MOST_BYTES // max(end - begin, 1)) + data[end:]


def _move(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    begin, end = _slice(data, chance)
    rest = data[:begin] + data[end:]
    at = chance.randint(0, len(rest))
    return rest[:at] + data[begin:end] + rest[at:]


def _cut(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _splice(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    other = chance.choice(FILES[format])
    begin, end = _slice(other, chance)
    at = chance.randint(0, len(data))
    return data[:at] + other[begin:end] + data[at:]


def _transcode(data: bytes, format: FileFormat, chance: random.Random) -> bytes:
    codec = chance.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"))
    return data.decode("utf-8", "ignore").encode(codec)


def _slice(data: bytes, chance: random.Random) -> tuple[int, int]:
    """Mostly a short one."""
    begin = chance.randint(0, len(data))
    return begin, min(len(data), begin + chance.choice((1, 2, 5, 20, 100, len(data))))


_CHANGES: list[Callable[[bytes, FileFormat, random.Random], bytes]] = [
    *(_insert, _insert, _insert, _replace, _replace, _flip, _flip, _remove, _remove),
    *(_repeat, _repeat, _move, _cut, _splice, _splice, _transcode),
]
