"""Reading many records at once by their shape gives what reading each of them exactly gives: rows, faults and places."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pipeline import framing, json_array, json_shape
from tasks.pipeline.definition import Definition
from tasks.pipeline.formats import json as json_format
from tasks.pipeline.formats import ndjson
from tasks.pipeline.json_shape import Shape, Shapes, learn
from tasks.pipeline.record import ChunkSize, Reader
from tests.tasks.pipeline.reading import Reading, read_once, schema

NEVER = 10**9
KEYS = ["a", "b", "c", "d", "é", "a.b"]
SPELLINGS = [
    *("0", "-0", "7", "10", "0.10", "-1.5e+3", "1E5", "1e400", "9" * 30, "9" * 4_400, "0e0", "true", "false", "null", "null"),
    *('""', '" "', '"x"', '"x"', '"null"', '"true"', '"0"', '"a, b"', '"}"', '"{"', '"é"', '"😀"', '"\u2028"', '"\x7f"', '"\x85"', '","', '":"'),
    *(r'"\""', r'"\\"', r'"\/"', r'"\n"', r'"\u00e9"', r'"\u006eull"', r'"\ud83d\ude00"', r'"\ud800"', r'"\udc00x"', r'"\u0000"', r'"\","'),
    *("{}", "[]", '{"b":1}', '{"b":"x","b":2}', '[1,"x",null]', '{"a":{"b":[-0]}}'),
    *("01", "-", "+1", "1.", ".5", "NaN", "Infinity", "nul", "True", '"', '"\t"', '"\x01"', r'"\x"', r'"\u12"', "'x'", "", '"x" "y"', "1 2", "/**/1"),
]  # fmt: skip
"""The last lines of them are no JSON."""
GOOD = SPELLINGS.index("01")


@contextmanager
def shapes_from(sample: int) -> Iterator[None]:
    """Shapes are learned from so many records; `NEVER` leaves the exact way only."""
    with (
        mock.patch.object(json_shape, "SAMPLE", sample),
        mock.patch.object(ndjson, "SAMPLE_LINES", sample),
        mock.patch.object(json_array, "SAMPLE", sample),
        mock.patch.object(json_shape, "_MAX_WAIT", sample),
    ):
        yield


def outcome(reading: Reading) -> tuple[object, ...]:
    """Everything that a reader tells. Where a chunk ends, blank lines may be before or behind it."""
    error = reading.error
    failed = error and (error.code, error.message, error.line, error.record_index)
    return reading.records, [end.index for end in reading.ends], failed


def agree(read: Reader, data: bytes, definition: Definition, records: int = 1_000) -> int:
    """Both ways are the same; gives how many records were read by a shape."""
    size = ChunkSize(records=records)
    hits = 0
    offer = Shapes.offer

    def counting(self: Shapes, texts: Sequence[str], found: int) -> None:
        nonlocal hits
        hits += found
        offer(self, texts, found)

    with shapes_from(NEVER):
        exact = read_once(read, data, definition, chunk_size=size)
    with shapes_from(2), mock.patch.object(Shapes, "offer", counting):
        assert outcome(exact) == outcome(read_once(read, data, definition, chunk_size=size))
        middle = exact.ends[len(exact.ends) // 2]
        rest = read_once(read, data, definition, middle, size)
    assert exact.records[middle.index :] == rest.records
    return hits


class Writer:
    """Writes records mostly of one shape, with what may happen to it."""

    def __init__(self, chance: random.Random, *, damage: float) -> None:
        self.chance = chance
        self.damage = damage
        self.keys = chance.sample(KEYS, chance.randint(1, 5))
        self.colon = chance.choice([":", ":", ": ", " : ", ":\t"])
        self.comma = chance.choice([",", ",", ", ", " , "])
        self.usual = [chance.sample(SPELLINGS[:GOOD], chance.randint(1, 4)) for _ in self.keys]
        self.usual = [[text for text in texts if text[0] not in "{["] or ["1"] for texts in self.usual]

    def record(self) -> str:
        """One record."""
        chance = self.chance
        pairs = [
            (json.dumps(key), chance.choice(texts)) for key, texts in zip(self.keys, self.usual, strict=True)
        ]
        odd = chance.random()
        if odd < 0.1:
            at = chance.randrange(len(pairs))
            pairs[at] = (
                pairs[at][0],
                chance.choice(SPELLINGS[: None if chance.random() < self.damage else GOOD]),
            )
        elif odd < 0.14:
            pairs.append(
                (chance.choice([pairs[0][0], r'"\u0061"', '"new"']), chance.choice(SPELLINGS[:GOOD]))
            )
        elif odd < 0.17:
            pairs.pop(chance.randrange(len(pairs)))
        elif odd < 0.2:
            chance.shuffle(pairs)
        text = "{" + self.comma.join(f"{key}{self.colon}{value}" for key, value in pairs) + "}"
        if chance.random() < 0.03:
            return chance.choice(
                ["1", "null", "[]", "{}", f"[{text}]", f'{{"x":{text}}}', text.replace(":", " : ", 1)]
            )
        if chance.random() < 0.05 * self.damage:
            cut = chance.randrange(len(text))
            return (
                text[:cut]
                + chance.choice(["", "\x00", "x", '"', "\\", "}"])
                + text[cut + chance.randint(0, 1) :]
            )
        return text

    def ndjson(self, count: int) -> bytes:
        """So many lines, some of them blank or indented."""
        chance = self.chance
        end = chance.choice(["\n", "\n", "\r\n", " \n"])
        lines = [
            chance.choice(["", "", "", "", "", "", "", "", " ", "\n"]) * (chance.random() < 0.3)
            + self.record()
            for _ in range(count)
        ]
        data = (end.join(lines) + chance.choice(["", end])).encode(errors="surrogatepass")
        if chance.random() < 0.1 * self.damage:
            at = chance.randrange(len(data))
            data = data[:at] + b"\xff" + data[at:]
        return data

    def json(self, count: int) -> bytes:
        """An array of so many."""
        separator = self.chance.choice([",", ", ", ",\n", "\n,\n  ", " ,\r\n"])
        return ("[" + separator.join(self.record() for _ in range(count)) + "]").encode()


def definition_of(chance: random.Random) -> Definition:
    """A schema of some of the keys, in another order, with one that is missing, or twice the same."""
    sources = [f"{key}?" for key in chance.sample([*KEYS, "z"], chance.randint(1, 5))]
    if chance.random() < 0.2:
        return schema(*sources, unknown_fields="REJECT")
    return schema(*sources)


@pytest.mark.parametrize("part", range(10))
def test_shapes_agree_with_the_exact_way_on_random_files(part: int) -> None:
    """Thousands of files, whole and damaged, in both formats, in small blocks and large ones; most records go by shape."""
    hits = records = 0
    for seed in range(part * 150, (part + 1) * 150):
        chance = random.Random(seed)
        writer = Writer(chance, damage=chance.choice([0, 0, 1]))
        definition = definition_of(chance)
        count = chance.choice([5, 20, 60])
        block_bytes = chance.choice([64, 400, 65_536])
        size = chance.choice([3, 1_000])
        with (
            mock.patch.object(framing, "BLOCK_BYTES", block_bytes),
            mock.patch.object(json_format.read, "__defaults__", (block_bytes,)),
        ):
            try:
                hits += agree(ndjson.read, writer.ndjson(count), definition, size)
                hits += agree(json_format.read, writer.json(count), definition, size)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}") from error
        records += 2 * count
    assert hits > records / 10


ROWS = st.lists(st.tuples(*[st.sampled_from(SPELLINGS)] * 2), min_size=1, max_size=12)


@settings(deadline=None, max_examples=1_000)
@given(rows=ROWS, usual=st.tuples(*[st.sampled_from(SPELLINGS[:GOOD])] * 2), keys=st.permutations(["a", "b"]))
def test_shapes_agree_on_any_values(
    rows: list[tuple[str, str]], usual: tuple[str, str], keys: list[str]
) -> None:
    """Whatever stands in the place of a value, after records of every usual kind."""
    texts = [f'{{"{keys[0]}": {a}, "{keys[1]}": {b}}}' for a, b in [usual] * 6 + rows]
    definition = schema("a?", "b?")

    agree(ndjson.read, "\n".join(texts).encode(), definition)
    agree(json_format.read, f"[{', '.join(texts)}]".encode(), definition)


@settings(deadline=None, max_examples=300)
@given(
    values=st.lists(
        st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.none())
    ),
    ascii=st.booleans(),
)
def test_shapes_read_what_python_writes(values: list[tuple[str, float | None]], ascii: bool) -> None:
    """Random texts and numbers, escaped and not."""
    texts = [json.dumps({"a": a, "b": b}, ensure_ascii=ascii) for a, b in [("", 0), ("x", 1), *values]]
    data = "\n".join(texts).encode()

    with shapes_from(2):
        reading = read_once(ndjson.read, data, schema("a?", "b?"))

    wanted = [[a, None if b is None else json.dumps(b)] for a, b in values]
    assert wanted == reading.plain[2:]


def test_shape_is_learned_in_the_usual_case() -> None:
    """Most records of a big file never see the exact decoder: the other tests do not compare it with itself."""
    line = '{"a": "é", "b": %d, "c": "x", "d": %s}'
    texts = [line % (n, "null" if n % 3 else '"y"') if n % 50 else '{"a":[1]}' for n in range(3_000)]

    for read, data in ((ndjson.read, "\n".join(texts)), (json_format.read, f"[{','.join(texts)}]")):
        counted: list[int] = []
        with mock.patch.object(Shapes, "offer", autospec=True, side_effect=Shapes.offer) as offer:
            read_once(read, data.encode(), schema("d?", "a?", "b?"))
        counted = [call.args[2] for call in offer.call_args_list]
        assert sum(counted) > 2_000


@pytest.mark.parametrize("value", ['"x', 'x"', '1"', '"1', '"', '""x', r'"\"', r'"\n', "\t", '1"x"'])
def test_shape_wants_both_quotes_or_none(value: str) -> None:
    """A string that does not end is none, though what stands behind it begins with a control character."""
    usual = ['{"a":"x"\t,"b":"y"}', '{"a":1\t,"b":2}', '{"a":"x"\t,"b":"y"}', '{"a":1\t,"b":2}'] * 2
    texts = [*usual, f'{{"a":{value}\t,"b":1}}', *usual]

    agree(ndjson.read, "\n".join(texts).encode(), schema("a?", "b?"))
    agree(json_format.read, f"[{','.join(texts)}]".encode(), schema("a?", "b?"))


def test_shape_changes_in_the_middle_of_a_file() -> None:
    """The new shape is learned, too; a file without any is not searched for one for ever."""
    shapes = Shapes(schema("a?", "b?"))
    first, second = ['{"a":1,"b":2}'] * 64, ['{"b": 2, "a": "x"}'] * 64

    shapes.offer(first, 0)
    one = shapes.shape
    assert isinstance(one, Shape)
    shapes.offer(['{"a":1}'] * 200, 5_000)
    assert one is shapes.shape
    shapes.offer(second * 2, 0)
    assert shapes.shape is not one
    assert [("x", "2")] == shapes.shape.lines(second[0] + "\n")[0]

    shapes = Shapes(schema("a?"))
    with mock.patch.object(json_shape, "learn", return_value=None) as learned:
        for _ in range(1_000):
            shapes.offer(["{}"] * 64, 0)
    assert learned.call_count < 12


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[]}',
        "{}",
        "1",
        "",
        '{"a":1,"a":2}',
        r'{"a":1,"\u0061":2}',
        '{"x":1}',
        ' {"a":1}',
        '{"a":1',
        '{"a":1}x',
        '{"a":01}',
    ],
)
def test_there_is_no_shape_of(text: str) -> None:
    """Nothing but flat objects with different keys, of which one is wanted, has a shape."""
    assert learn([text], ["a"], strict=False) is None


def test_shape_with_unknown_keys_is_none_where_those_are_rejected() -> None:
    """They must be reported one by one."""
    assert learn(['{"a":1,"x":2}'], ["a"], strict=True) is None
    assert learn(['{"a":1,"x":2}'], ["a"], strict=False) is not None
