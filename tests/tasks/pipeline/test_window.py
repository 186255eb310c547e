"""Where characters lie in a file: all at once gives what one at a time gives."""

import io

from hypothesis import example, given
from hypothesis import strategies as st

from tasks.pipeline.encoding import Encoding
from tasks.pipeline.record import Position
from tasks.pipeline.strict_text import StrictText, Window

_texts = st.text(st.sampled_from('{}<r>"\n ,aäЖ😀'), max_size=60)


def _window(text: str, codec: str) -> Window:
    content = text.encode(codec)
    place = Position(0, 0, 1)
    window = Window(StrictText(io.BytesIO(content), Encoding(codec, 0), place, max(1, len(content))), place)
    window.read_on()
    return window


@given(_texts, st.lists(_texts, min_size=1, max_size=8), _texts, st.sampled_from(["utf-8", "utf-16-le"]))
@example("", ["<order>ä\n", "<order>1\n", "<order></order>"], "", "utf-8")
@example("", ['{"id": "{"id": "}', '{"id": 1}'], "", "utf-8")
@example("", ["{},{},", "{},{},", '"{},{},"'], "", "utf-8")
@example("ä", ["\n<r>\nä", "\n<r>\n"], "x", "utf-8")
@example("", ["aaa", "aaaaaabaaaaaabbb", "aaaaaa"], "", "utf-8")
def test_locate_is_place_of_each(before: str, pieces: list[str], after: str, codec: str) -> None:
    """Records that all begin with the same characters take a quicker way; whatever they hold, the places are the same."""
    text = before + "".join(pieces) + after
    if not text:
        return
    starts = [len(before + "".join(pieces[:k])) for k in range(len(pieces))]
    starts = sorted({start for start in starts if start < len(text)}) or [0]

    offsets, lines = _window(text, codec).locate(starts)

    one_by_one = _window(text, codec)
    assert [one_by_one.place_of(start) for start in starts] == list(zip(offsets, lines, strict=True))
    assert ([], []) == _window(text, codec).locate([])
