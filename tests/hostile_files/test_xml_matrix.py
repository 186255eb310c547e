"""The bad-input matrix for XML: X1 to X16."""

import socket
from pathlib import Path

import pytest

from tasks.pipeline.record import MAX_VALUE_CHARS, FileFormat
from tests.hostile_files.child import has_proc, read_by_child
from tests.hostile_files.matrix import Row, check, check_by_child, missing
from tests.hostile_files.outcome import schema

A = schema("a?", record_path="o")
CHILDREN = schema("a?")
REJECT = schema("a?", record_path="o", unknown_fields="REJECT")
K = schema("@k?", record_path="o")
MANY = schema(*(f"@z{n}?" for n in range(200)), "@k9999?", record_path="o")
NESTED = ["a: NOT_A_SCALAR"]
DTD = ("DTD_FORBIDDEN", None, 1)
MALFORMED = ("MALFORMED", 1, 3)
UNREAD = ("ENCODING", None, 1)
ONE = b"<r>\n<o><a>1</a></o>\n"
XI = 'xmlns:xi="http://www.w3.org/2001/XInclude"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
LAUGHS = (
    '<!DOCTYPE r [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><r><o><a>&j;</a></o></r>"
)


def _a(text: str) -> bytes:
    return f"<r><o><a>{text}</a></o></r>".encode()


def _declared(encoding: str, codec: str = "ascii", text: str = "1") -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?><r><o><a>{text}</a></o></r>'.encode(codec)


ROWS = [
    Row("X1", "billion laughs", LAUGHS.encode(), A, [], DTD),
    Row("X1", "billion laughs in UTF-16", LAUGHS.encode("utf-16"), A, [], DTD),
    Row("X1", "quadratic", b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 5_000 + b'">]>' + _a("&a;" * 5_000), A, [], DTD),
    Row("X1", "cyclic", b'<!DOCTYPE r [<!ENTITY a "&b;"><!ENTITY b "&a;">]>' + _a("&a;"), A, [], DTD),
    Row("X1", "an entity of nowhere", ONE + b"<o><a>&lol;</a></o></r>", A, [["1"]], MALFORMED, message="'lol'"),
    Row("X1", "DOCTYPE behind a comment", b"<!-- <r> -->\n<!DOCTYPE r><r/>", A, [], ("DTD_FORBIDDEN", None, 2)),
    Row("X1", "DOCTYPE inside the root", ONE + b"<!DOCTYPE r></r>", A, [["1"]], MALFORMED),
    Row("X1", "the five entities of XML", _a("&lt;&amp;&gt;&quot;&apos;&#65;"), A, [["<&>\"'A"]]),
    Row("X4", "hints and includes beside the values", f"<?xml-stylesheet href='file:///x'?><r {XI} {XSI} xsi:schemaLocation='u x.xsd'>"
        "<o><a>1</a><xi:include href='file:///etc/passwd'/></o></r>".encode(), A, [["1"]]),
    Row("X4", "an include as a value", f"<r {XI}><o><a><xi:include href='file:///etc/passwd'/></a></o></r>".encode(), A,
        [NESTED], raw='{"include":{"@href":"file:///etc/passwd"}}'),
    Row("X5", "256 levels", b"<r><o>" + b"<x>" * 254 + b"</x>" * 254 + b"</o><o><a>1</a></o></r>", A, [[None], ["1"]]),
    Row("X5", "257 levels", ONE + b"<o>" + b"<x>" * 255 + b"</x>" * 255 + b"</o></r>", A, [["1"]], ("TOO_DEEP", 1, 3)),
    Row("X6", "as long as a value may be", lambda: _a("x" * MAX_VALUE_CHARS), A, [["x" * MAX_VALUE_CHARS]]),
    Row("X6", "longer than a value may be", lambda: ONE + b"<o><a>" + b"x" * (MAX_VALUE_CHARS + 1) + b"</a></o><o/></r>", A,
        [["1"], ["a: VALUE_TOO_LONG"], [None]], places=[(3, 20)]),
    Row("X6", "an attribute", lambda: b'<r><o k="' + b"x" * (MAX_VALUE_CHARS + 1) + b'"/><o k="1"/></r>', K,
        [["@k: VALUE_TOO_LONG"], ["1"]]),
    Row("X6", "a name of 100,000 characters", ONE + b"<" + b"x" * 100_000 + b"/></r>", A, [["1"]], MALFORMED),
    Row("X6", "a name that a message quotes", b"<" + b"r" * 1_000 + b"><" + b"x" * 1_000 + b"/></" + b"r" * 1_000 + b">", A, [],
        ("WRONG_STRUCTURE", 0, 1), message=f"there are: {'x' * 80}."),
    *[
        Row("X8", name, ONE + b"<o><a>" + text + b"</a></o></r>", A, [["1"]], MALFORMED)
        for name, text in {"NUL": b"\0", "control": b"\x01", "&#1;": b"&#1;", "&#0;": b"&#0;", "surrogate": b"&#xD800;",
                           "U+FFFE": b"\xef\xbf\xbe", "beyond Unicode": b"&#x110000;"}.items()
    ],
    Row("X9", "in a record", ONE + b"<o><a>2</a>", A, [["1"]], ("TRUNCATED", 1, 3)),
    Row("X9", "between records", ONE, A, [["1"]], ("TRUNCATED", 1, 3)),
    Row("X9", "children of the root", ONE, CHILDREN, [["1"]], ("TRUNCATED", 1, 3)),
    Row("X10", "duplicate attribute", ONE + b'<o k="1" k="2"/></r>', A, [["1"]], MALFORMED),
    Row("X10", "duplicate attribute by namespace", ONE + b'<o xmlns:p="u" xmlns:q="u" p:k="1" q:k="2"/></r>', A, [["1"]], MALFORMED),
    Row("X10", "two roots", ONE + b"</r>\n<r/>", A, [["1"]], ("MALFORMED", 1, 4)),
    Row("X10", "unbound prefix", ONE + b"<p:o/></r>", A, [["1"]], MALFORMED),
    Row("X10", "mismatched tags", ONE + b"<o><a></b></o></r>", A, [["1"]], MALFORMED),
    Row("X10", "HTML", b"<html><body><p>x<br></body></html>", A, [], ("MALFORMED", 0, 1)),
    Row("X10", "HTML with a DOCTYPE", b"<!DOCTYPE html><html></html>", A, [], DTD),
    Row("X10", "CSV", b"a,b\n1,2\n", A, [], ("MALFORMED", None, 1), message="not XML"),
    *[
        Row("X11", f"declares {name}", _declared(name), A, [["1"]])
        for name in ("utf-8", "UTF-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-16")
    ],
    *[
        Row("X11", f"declares {name}", _declared(name), A, [], UNREAD, message=f"'{name}'")
        for name in ("utf-7", "utf-32", "ucs-4", "ebcdic-cp-us", "shift_jis", "x", "")
    ],
    Row("X11", "Latin-1", _declared("iso-8859-1", "latin-1", "é"), A, [["é"]]),
    Row("X11", "Latin-1 that says UTF-8", _declared("utf-8", "latin-1", "é"), A, [], ("ENCODING", 0, 1)),
    Row("X11", "UTF-16", _declared("utf-16", "utf-16", "é"), A, [["é"]]),
    Row("X11", "UTF-16 that says UTF-8", _declared("utf-8", "utf-16", "é"), A, [["é"]]),
    Row("X11", "UTF-16 without BOM", _declared("utf-16", "utf-16-le"), A, [], ("ENCODING", None, None)),
    Row("X11", "UTF-32", _declared("utf-32", "utf-32"), A, [], ("ENCODING", None, None)),
    Row("X11", "UTF-7 in disguise", b'<?xml version="1.0"?><r><o><a>+ADw-x+AD4-</a></o></r>', A, [["+ADw-x+AD4-"]]),
    Row("X12", "comment, CDATA and PI in a text", _a("x<!-- c -->y<![CDATA[<o>]]><?p i?>w"), A, [["xy<o>w"]]),
    Row("X12", "records in comments and CDATA", b"<r><!-- <o/> --><x><![CDATA[<o/>]]></x><?p <o/> ?><o><a>1</a></o></r>", A, [["1"]]),
    Row("X13", "namespaces and prefixes",
        b'<r xmlns="u"><o><a>1</a></o><o xmlns="v"><a>2</a></o><p:o xmlns:p="w"><p:a>3</p:a></p:o><o xmlns=""><a>4</a></o></r>', A,
        [["1"], ["2"], ["3"], ["4"]]),
    Row("X13", "the same local name twice", b'<r xmlns:p="u"><o><a>1</a><p:a>2</p:a></o></r>', A, [NESTED], raw='["1","2"]'),
    Row("X15", "a record in a record", ONE + b"<o><o><a>2</a></o></o></r>", A, [["1"]], ("WRONG_STRUCTURE", 1, 3)),
    Row("X15", "a record deep in a record", ONE + b"<o><x><o/></x></o></r>", A, [["1"]], ("WRONG_STRUCTURE", 1, 3)),
    Row("X16", "blank, empty, missing and nil", f"<r {XSI}><o><a> \n</a></o><o><a/></o><o/><o><a xsi:nil='true'/></o>"
        "<o><a xsi:nil='1'></a></o><o><a xml:space='preserve'> x </a></o></r>".encode(), A, [[None]] * 5 + [["x"]]),
    Row("X16", "where a value is wanted", f"<r {XSI}><o><a> </a></o>\n<o/>\n<o><a xsi:nil='true'/></o></r>".encode(),
        schema("a", record_path="o"), [["a: REQUIRED"]] * 3, raw=" "),
    Row("X16", "untrimmed, and nothing stands for missing", f"<r {XSI}><o><a> </a></o><o><a/></o></r>".encode(),
        schema({"trim": False, "null_values": []}, record_path="o"), [[" "], [""]]),
]  # fmt: skip


def _attributes(count: int) -> bytes:
    return b" ".join(b'k%d="%d"' % (n, n) for n in range(count))


def _namesakes(count: int) -> bytes:
    prefixes = b" ".join(b'xmlns:k%d="u%d"' % (n, n) for n in range(count))
    return b"<o %b %b/>" % (prefixes, b" ".join(b'k%d:k="1"' % n for n in range(count)))


HEAVY = [
    Row("X5", "a million levels", lambda: ONE + b"<o>" + b"<x>" * 1_000_000, A, [["1"]], ("TOO_DEEP", 1, 3)),
    Row("X6", "a text of 100 MB", lambda: ONE + b"<o><a>" + b"x" * 100_000_000 + b"</a></o></r>", A, [["1"]],
        ("RECORD_TOO_LARGE", 1, 3)),
    Row("X6", "a CDATA of 20 MB", lambda: ONE + b"<o><a><![CDATA[" + b"x" * 20_000_000 + b"]]></a></o></r>", A, [["1"]],
        ("RECORD_TOO_LARGE", 1, 3)),
    Row("X6", "an attribute of 20 MB", lambda: ONE + b'<o k="' + b"x" * 20_000_000 + b'"/></r>', K, [[None]],
        ("RECORD_TOO_LARGE", 1, 3)),
    Row("X6", "a comment of 20 MB", lambda: ONE + b"<!--" + b"x" * 20_000_000 + b"--></r>", A, [["1"]],
        ("RECORD_TOO_LARGE", 1, 3)),
    Row("X6", "a name of 20 MB", lambda: ONE + b"<" + b"x" * 20_000_000 + b"/></r>", A, [["1"]], ("RECORD_TOO_LARGE", 1, 3)),
    Row("X6", "a text of 20 MB between records", lambda: b"<r>" + b"x" * 20_000_000 + b"<o><a>1</a></o></r>", A, [],
        ("RECORD_TOO_LARGE", 0, 1)),
    Row("X7", "400,000 attributes", lambda: b"<r><o %b><a>2</a></o><o/></r>" % _attributes(400_000), A, [["2"], [None]]),
    Row("X7", "400,000 attributes that are not wanted", lambda: b"<r><o %b/><o/></r>" % _attributes(400_000), REJECT,
        [["UNKNOWN_FIELD"] * 10, [None]], raw="0", cost={"mib": 500}),
    Row("X7", "400,000 attributes for 200 fields", lambda: b"<r><o %b/></r>" % _attributes(400_000), MANY,
        [[None] * 200 + ["9999"]]),
    Row("X7", "400,000 attributes of a value", lambda: b"<r><o><a %b><b/></a></o><o/></r>" % _attributes(400_000), A,
        [NESTED, [None]]),
    Row("X7", "80,000 attributes of one local name", lambda: b"<r>%b<o/></r>" % _namesakes(80_000), REJECT,
        [["UNKNOWN_FIELD"], [None]]),
    Row("X7", "a million children of a value for 100 fields", lambda: b"<r><o><a>" + b"<b/>" * 1_000_000 + b"</a></o><o/></r>",
        schema(*({"name": f"f{n}", "source": "a", "required": False} for n in range(100)), record_path="o"),
        [[f"f{n}: NOT_A_SCALAR" for n in range(100)], [None] * 100], cost={"mib": 500}),
    Row("X14", "a million siblings that are no records", lambda: b"<r>" + b"<x/>" * 1_000_000 + b"<o><a>1</a></o></r>", A, [["1"]],
        cost={"mib": 120}),
    Row("X14", "a million of them inside others", lambda: b"<r><x>" + b"<y/>z" * 1_000_000 + b"<o><a>1</a></o></x></r>", A, [["1"]],
        cost={"mib": 120}),
    Row("X14", "and no record", lambda: b"<r>" + b"<x>y</x>" * 500_000 + b"</r>", A, [], ("WRONG_STRUCTURE", 0, 1),
        message="there are: x.", cost={"mib": 120}),
]  # fmt: skip

ELSEWHERE = {
    "X2": "test_xml_asks_nobody: a canary file and a socket that listens",
    "X3": "test_xml_asks_nobody: external DTDs and parameter entities",
}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_xml_file_has_its_outcome(row: Row) -> None:
    """Code and place of what is wrong; everything else is read."""
    check(row, FileFormat.XML)


@pytest.mark.skipif(not has_proc(), reason="a child's memory and CPU time are read from /proc")
@pytest.mark.parametrize("row", HEAVY, ids=str)
async def test_xml_bomb_costs_little(row: Row, tmp_path: Path) -> None:
    """The same within bounds of memory and CPU, by the reader child with its limits."""
    await check_by_child(row, FileFormat.XML, tmp_path)


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "{url}">]>',
        '<!DOCTYPE r SYSTEM "{url}">',
        '<!DOCTYPE r PUBLIC "-//x//y" "{url}">',
        '<!DOCTYPE r [<!ENTITY % x SYSTEM "{url}"> %x;]>',
        '<?xml-stylesheet type="text/xsl" href="{url}"?>',
        "",
    ],
    ids=["entity", "DTD", "public DTD", "parameter entity", "stylesheet", "include and schema"],
)
async def test_xml_asks_nobody(prolog: str, tmp_path: Path) -> None:
    """X2, X3, X4: no file is read and no connection opened, whatever names them, and the secret is in no row."""
    canary = tmp_path / "canary"
    canary.write_text("sesame")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        for url in (canary.as_uri(), f"http://127.0.0.1:{server.getsockname()[1]}/x"):
            path = tmp_path / "file.xml"
            value = "&x;" if "ENTITY" in prolog else f"<xi:include parse='text' href='{url}'/>"
            path.write_text(
                f"{prolog.format(url=url)}<r {XI} {XSI} xsi:schemaLocation='u {url}'><o><a>{value}</a></o></r>"
            )
            outcome, _ = await read_by_child(path, FileFormat.XML, A)
            expected = ([], DTD) if "DOCTYPE" in prolog else ([NESTED], None)
            assert expected == (outcome.plain, outcome.failed)
            assert "sesame" not in f"{outcome} {outcome.failure and outcome.failure.message}"
        with pytest.raises(BlockingIOError):
            server.accept()


def test_every_row_of_the_xml_matrix_is_here() -> None:
    """None is forgotten."""
    assert [] == missing("X", 16, [*ROWS, *HEAVY], ELSEWHERE)
