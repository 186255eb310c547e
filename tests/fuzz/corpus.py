"""What fuzzing begins with: valid and hostile files of each format, schemas to read them by, and pieces that hurt."""

from typing import Any

from tasks.pipeline.record import FileFormat

FIELDS: list[dict[str, Any]] = [
    {"name": "a", "type": "STRING", "required": False},
    {"name": "b", "type": "INTEGER", "required": False, "min": 0},
    {"name": "c", "type": "NUMBER", "required": False},
    {"name": "d", "type": "DATE", "required": False},
    {"name": "e", "type": "DATETIME", "required": False},
    {"name": "f", "type": "BOOLEAN", "required": False, "default": True},
    {"name": "g", "type": "EMAIL", "required": False},
    {"name": "h", "type": "URL", "required": False},
    {"name": "i", "source": "a", "type": "STRING", "required": True, "trim": False, "null_values": [], "pattern": "[a-z]*|é"},
    {"name": "j", "source": "a.b", "type": "STRING", "required": False, "enum": ["x", "é"]},
    {"name": "k", "source": "a/b", "type": "STRING", "required": False, "max_length": 2},
    {"name": "l", "source": "@k", "type": "STRING", "required": False},
    {"name": "m", "source": "a/@k", "type": "DATE", "required": False, "format": "%d/%m/%Y"},
    {"name": "n", "source": "a.b.c", "type": "BOOLEAN", "required": False},
    {"name": "o", "source": "1", "type": "STRING", "required": False},
]  # fmt: skip

CSV = [
    b"a,b,c\n1,2,3\nx,,0.10\n",
    b'a;b;d\r\n"x;\r\n""y""";7;2024-02-29\r\n;;\r\n',
    b"\xef\xbb\xbfsep=\t\na\tb\n1\t2\n\n3\t4",
    b'a,b\n1,"2\n3,4\n"x"y,5\n6,7\n',
    b"a|g|h\r1|x@example.com|https://example.com/\r#|\xe9|\xff\r",
    "a,b\nx,é\n😀,1\n".encode("utf-16"),
    b"1,2\n1,2,3\n,\n \n",
    b'a\n"\n\n"\n\0\n\x1a',
]
JSON = [
    b'[{"a":1,"b":2},{"a":"x","b":null,"c":0.10}]',
    b'{"x":[1,{"y":"["}],"r":[{"a":{"b":{"c":true}}},{"a.b":"x"}],"z":1e5}\n',
    b'[1,"x",null,[{}],{"a":1,"a":2},{"a":"\\ud83d\\ude00\\ud800\\u0000"}]',
    b'\xef\xbb\xbf [ {"a": [1, {"b": -1.5e+3}]} ,\r\n {} ] \n',
    '[{"a":"é😀"},{"b":12345678901234567890}]'.encode("utf-16"),
    b'[{"a":[[[[[[[[]]]]]]]]},{"e":"2024-01-01T00:00:00Z","f":"yes"}]',
    b"[]",
    b'{"a":1}\n{"a":2}\n',
]
NDJSON = [
    b'{"a":1,"b":2}\n{"a":"x"}\n\n{"c":0.10}',
    b'\xef\xbb\xbf{"a":{"b":"x"}}\r\n {"a":[1]} \r\n1\n"x"\nnull\n{"a":1,}\n',
    b'{"a":"\xe9"}\n{"\xff":1}\n{"a":"\\ud800"}\n{"a":1,"a":2}\n',
    '{"a":"é😀"}\n{"b":1}\n'.encode("utf-16"),
]
XML = [
    b"<r><o><a>1</a><b>2</b></o><o><a k='v'><b>x</b></a></o></r>",
    b'<?xml version="1.0" encoding="iso-8859-1"?>\n<!-- c --><r xmlns="u" xmlns:p="w">\n<p:o k="1"><p:a>\xe9</p:a></p:o><o/>\n</r>\n',
    b"<r><x><o><a><![CDATA[<o>]]>y<?p i?>&amp;&#65;</a></o></x><!-- <o/> --><o k='>'/></r>",
    b'<r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><o><a xsi:nil="true"/></o><o><a/><a/></o></r>',
    '<?xml version="1.0" encoding="utf-16"?><r><o><a>é😀</a></o></r>'.encode("utf-16"),
    b'<!DOCTYPE r [<!ENTITY x "y">]><r><o><a>&x;</a></o></r>',
    b"<r><o><o><a>1</a></o></o><o><a>2</a></o></r>",
    b"<r/>",
]

FILES: dict[FileFormat, list[bytes]] = {
    FileFormat.CSV: CSV,
    FileFormat.TSV: CSV,
    FileFormat.JSON: JSON,
    FileFormat.NDJSON: NDJSON,
    FileFormat.XML: XML,
}

_ANYWHERE = [
    b"\0", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x1a", b"\x0c", b" ", b"\t", b"x",
    b"9" * 20, b"9" * 4_400, b"1e400", b"\xf0\x9f\x98\x80", b"a", b"\xe2\x80\xa8", b"\x85",
]  # fmt: skip
_TABLE = [
    b'"',
    b'""',
    b",",
    b";",
    b"\t",
    b"|",
    b"'",
    b"\\",
    b'"\n',
    b'",',
    b',"',
    b"\n\n",
    b"sep=;\n",
    b"#",
    b'"x"y',
    b"a,b\n",
]
_OBJECTS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"null", b"true", b"NaN", b"-", b".", b"e9", b"\\u0000", b"\\ud800", b"\\udc00", b"[" * 300,
    b'{"a":' * 60, b'"a":', b'{"a":1},', b"/**/", b"'", b"1e999999999999999999999", b'"r":[', b"]]]",
]  # fmt: skip
_ELEMENTS = [
    b"<", b">", b"/", b"&", b";", b"'", b'"', b"=", b"<o>", b"</o>", b"<o/>", b"<a>", b"</a>", b"<r>", b"</r>", b"<!--", b"-->", b"<![CDATA[",
    b"]]>", b"<?", b"?>", b"<!DOCTYPE r>", b"&#0;", b"&#xD800;", b"&lt;", b"&x;", b" k='1'", b" xmlns='u'", b" xmlns:p=''", b"<p:o>", b"p:",
    b"<x>" * 300, b"<o><a>1</a></o>", b'<?xml version="1.0" encoding="utf-7"?>', b" xmlns:p='u' p:k='1'",
]  # fmt: skip

TOKENS: dict[FileFormat, list[bytes]] = {
    FileFormat.CSV: _ANYWHERE + _TABLE,
    FileFormat.TSV: _ANYWHERE + _TABLE,
    FileFormat.JSON: _ANYWHERE + _OBJECTS,
    FileFormat.NDJSON: _ANYWHERE + _OBJECTS,
    FileFormat.XML: _ANYWHERE + _ELEMENTS,
}

USUAL_PATHS = dict.fromkeys(FILES) | {FileFormat.XML: "o"}

OPTIONS: dict[str, list[Any]] = {
    "record_path": [None, "o", "r", "a", "r.a", "data.orders", ":", "{u}o"],
    "unknown_fields": ["IGNORE", "REJECT"],
    "encoding": [None, None, None, "utf-8", "utf-16", "iso-8859-1", "windows-1252"],
    "csv": [
        None, None, None, {"delimiter": ","}, {"delimiter": ";", "quote": ""}, {"header": False}, {"escape": "\\"}, {"comment": "#"},
        {"skip_lines": 1}, {"header": False, "comment": "#", "escape": "\\"}, {"delimiter": " "}, {"quote": "'"},
    ],
}  # fmt: skip

NONSENSE: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**30, 10**2000, "", " ", "x", "\0", "\ud800", "é" * 300, "x" * 3_000, [], {}, [""],
    ["x", "x"], [None], {"x": 1}, "(", "[a-z]{1,3}", "(?=a)", "a{1000}", "%d/%m/%Y", "%Y", "%", "%%d", "%Q", "2024-02-30", "2024-01-01", "1e999",
    "0.1", "9" * 400, b"bytes", ("x",), {"delimiter": "\n"}, {"quote": ","}, "utf-16", "INTEGER", "DATE", "DATETIME", "NUMBER", "STRING", "IGNORE",
]  # fmt: skip
"""Values for options of schemas."""

OPTION_NAMES = [
    "name", "source", "type", "required", "default", "null_values", "trim", "min", "max", "min_length", "max_length", "pattern", "enum", "format",
    "nothing",
]  # fmt: skip
