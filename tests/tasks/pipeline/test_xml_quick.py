"""The quick way through XML gives what the careful one gives, whatever the document and wherever it is cut."""

import random
from functools import partial
from operator import eq
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.pipeline.definition import Definition
from tasks.pipeline.formats.xml import read
from tasks.pipeline.record import ChunkSize, Position
from tasks.pipeline.xml_regular import Regular
from tests.tasks.pipeline.reading import Reading, read_once, schema

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
BLOCKS = (1, 7, 50, 300, 32 * 1024, 1024 * 1024)
CODECS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "iso-8859-1")
DEFINITIONS = [
    schema("a?", "b?", "@k?", "c/d?", "c/@k?", "z?", **options)
    for options in ({"record_path": "o"}, {}, {"record_path": "o", "unknown_fields": "REJECT"}, {"unknown_fields": "REJECT"})
] + [schema("a?", record_path="o"), schema("o?", record_path="o"), schema("c?", "a?", record_path="c")]  # fmt: skip
TEXTS = ("", "", "x", "1", " y ", "\n", "\r\n", "\r", "é", "a]b>c", "&lt;", "&amp;&#65;&#x1F4;", "&#0000065;", "&#13;", "\t&#10;\r\n",
         "\N{LATIN SMALL LETTER Y WITH DIAERESIS}", "<!-- c -->", "x<![CDATA[<o>]]>y", "<?p <o> ?>", "a<b/>c")  # fmt: skip
DAMAGE = ("&", "<", ">", "]]>", "\0", "\x01", "&x;", "&;", "</o>", "<o>", "<p:a/>", '"', "&#0;", "</r>", "<!DOCTYPE r>",
          "<!--", "-->", "<![CDATA[", "<?p", "<a", "/>", " k='1' k='1'", "x", "\r", "</a>", "<o/>", "<o ", "&#x110000;", "<_/>")  # fmt: skip
SPACES = ("", "", "", "\n", "\r\n  ", " ", "\t")


def both(
    data: bytes, definition: Definition, block_bytes: int, start: Position, chunk_size: ChunkSize
) -> tuple[Reading, bool]:
    """What the quick way gives, and whether the careful one has one answer, which must then be the same.

    Where a file is damaged twice, in names and otherwise, the careful way may tell the one or the other and count a
    record more or less, by how the file is cut into blocks; the records must be the same as far as they go.
    """
    quick = read_once(partial(read, block_bytes=block_bytes), data, definition, start, chunk_size)
    careful = [
        read_once(partial(read, block_bytes=size, quick=False), data, definition, start, chunk_size)
        for size in (block_bytes, 1, 2**20)
    ]
    told, *others = map(_told, careful)
    clear = others == [told] * len(others)
    if clear:
        assert told == _told(quick)
    else:
        assert quick.error is not None
        for way in careful:
            assert all(map(eq, way.records, quick.records))
            assert way.error is not None
    return quick, clear


def _told(reading: Reading) -> Any:
    error = reading.error
    return reading.records, error and (error.code, error.message, error.line, error.record_index)


class Writer:
    """Writes one document: regular as programs write them, with some that is not."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._strange = chance.choice((0.0, 0.0, 0.02, 0.1, 0.5))
        self._shapes = [self._shape() for _ in range(chance.choice((1, 1, 2, 5, 20)))]
        self._space = chance.choice(SPACES)

    def document(self) -> str:
        """Records in a root, with what may stand before, between and after them."""
        chance = self._chance
        prolog = chance.choice(("", '<?xml version="1.0"?>\n', "<!-- <o> -->\n<?p?>"))
        root = chance.choice(("r", "r", "r", "n:r", "o"))
        between = ("", "", f" {XSI}", ' k="<o>"'.replace("<", "&lt;"), ' xmlns="u:d"', " xmlns:p='u:p'")
        attributes = chance.choice(between) + (" xmlns:n='u:n'" if root == "n:r" else "")
        head = chance.choice(("", "", "", "<t>title</t>", "<g>", "text", "<![CDATA[<o>]]>", "<!--<o>-->"))
        body = "".join(self._item() for _ in range(chance.choice((0, 1, 3, 10, 30))))
        tail = "</g>" if head == "<g>" else ""
        return f"{prolog}<{root}{attributes}>{head}{self._space}{body}{tail}</{root}>{chance.choice(SPACES)}"

    def _item(self) -> str:
        space = self._space
        if self._chance.random() < self._strange:
            space += self._chance.choice(
                ("text", "<!-- <o> -->", "<?p?>", "<x/>", "</g><g>", "<![CDATA[<o>]]>")
            )
        shape = self._chance.choice(self._shapes)
        return self._filled(self._shape() if self._chance.random() < self._strange else shape) + space

    def _shape(self, name: str = "", depth: int = 0) -> str:
        """A record with a mark in each place of a value."""
        chance = self._chance
        name = name or chance.choice(("o", "o", "o", "o", "p:o", "oo"))
        attributes = "".join(
            f"{chance.choice(SPACES) or ' '}{key}={quote}\v{quote}"
            for key, quote in zip(chance.sample(("k", "id", "p:k", "xmlns", "é"), 5), '"\'"\'"', strict=True)
            if chance.random() < 0.08
        )
        end = chance.choice(("", "", "", " ", "\n"))
        if depth and chance.random() < (0.7, 0.7, 0.8, 1)[depth]:
            leaf = f"<{name}{attributes}{end}>\f</{name}{end}>"
            return leaf if chance.random() < 0.7 else f"<{name}{attributes}{end}/>"
        names = chance.sample(("a", "b", "c", "d", "z", "o", "p:a", "e.1"), chance.randrange(6))
        inner = "".join(self._shape(inner, depth + 1) + self._chance.choice(SPACES) for inner in names)
        return f"<{name}{attributes}{end}>{self._chance.choice(SPACES)}{inner}</{name}{end}>"

    def _filled(self, shape: str) -> str:
        regular = self._chance.random() >= self._strange
        texts = TEXTS[:-4] if regular else TEXTS
        pieces = shape.split("\f")
        text = pieces[0] + "".join(self._chance.choice(texts) + piece for piece in pieces[1:])
        values = text.split("\v")
        choices = ("1", "", "é", ">") if regular else ("1", "&lt;", "a\nb", "&#9;", "\t", "true")
        return values[0] + "".join(self._chance.choice(choices) + value for value in values[1:])


def document(seed: int) -> tuple[bytes, Definition, int, Position, ChunkSize]:
    """The same for the same seed: a document, mostly whole, and how it is read."""
    chance = random.Random(seed)
    text = Writer(chance).document()
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        at = chance.randrange(len(text) + 1)
        cut = chance.choice((0, 0, 0, 1, 3, len(text)))
        damage = "" if cut else chance.choice(DAMAGE)
        text = text[:at] + damage + text[at + cut :]
    codec = chance.choice(CODECS)
    data = text.encode(codec, "replace")
    if codec == "iso-8859-1" and not text.startswith(("<?xml", "<!--")):
        data = b'<?xml version="1.0" encoding="iso-8859-1"?>' + data
    if chance.random() < 0.05:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + b"\xff" + data[at:]
    start = Position(chance.choice((0, 0, 0, 1, 5, 40)))
    size = ChunkSize(chance.choice((1, 3, 5_000)))
    return data, chance.choice(DEFINITIONS), chance.choice(BLOCKS), start, size


@pytest.mark.parametrize("first", range(0, 3_000, 500))
def test_xml_is_the_same_both_ways(first: int) -> None:
    """Thousands of documents: regular, strange and damaged, in encodings, cut into blocks, read from anywhere on."""
    clear = 0
    for seed in range(first, first + 500):
        try:
            clear += both(*document(seed))[1]
        except BaseException as error:
            error.add_note(f"seed {seed}: {document(seed)}")
            raise
    assert clear > 400


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(4_000, 2**32))
def test_xml_is_the_same_both_ways_anywhere(seed: int) -> None:
    """And some that nobody has tried before."""
    both(*document(seed))


@pytest.mark.parametrize("definition", DEFINITIONS[:2])
@pytest.mark.parametrize("damage", ["", *DAMAGE])
def test_xml_with_damage_anywhere_is_the_same_both_ways(damage: str, definition: Definition) -> None:
    """At every character of a small document; "" cuts it off there."""
    text = '<r>\n<o><a>1</a><b/></o>\n<o><a>é&amp;</a><b>x</b></o>\n<o k="1"><a>3</a></o>\n</r>'
    for at in range(len(text) + 1):
        data = (text[:at] + (damage + text[at:] if damage else "")).encode()
        both(data, definition, 32 * 1024, Position(), ChunkSize())


@pytest.mark.parametrize("path", [None, "o"])
@pytest.mark.parametrize(
    "body",
    [
        "<o><a>{}</a></o>\n",
        "<o>\r\n <a>é{}</a>\r\n <b />\r\n</o>\r\n",
        "<p:o><p:a>{}</p:a><c><d>x</d></c></p:o>",
        "<o id='{}' k=\"v\"/>",
        "<o><a>&lt;{}&#65;</a><!-- c --></o><!-- d -->",
    ],
)
def test_regular_xml_goes_the_quick_way(body: str, path: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of one shape never reach the careful reader; those that have none go there one by one."""
    quick: list[int] = []
    before = Regular.before

    def note(regular: Regular) -> str:
        quick.append(regular.end.index)
        return before(regular)

    monkeypatch.setattr(Regular, "before", note)
    text = "<r xmlns:p='u:p'>" + "".join(body.format(k) for k in range(60)) + "</r>"

    reading, _ = both(
        text.encode(), schema("a?", "b?", "c/d?", "@id?", record_path=path), 64, Position(), ChunkSize()
    )

    assert (60, None) == (len(reading.records), reading.error)
    assert [60] == quick


@pytest.mark.parametrize("digits", ["0" * 5_000 + "65", "x" + "0" * 5_000 + "41"])
def test_xml_reads_a_reference_of_many_digits_both_ways(digits: str) -> None:
    """More of them than Python likes in a number."""
    text = f"<r><o><a>1</a></o><o><a>&#{digits};</a></o></r>"

    reading, _ = both(text.encode(), schema("a?"), 32 * 1024, Position(), ChunkSize())

    assert [["1"], ["A"]] == reading.plain
