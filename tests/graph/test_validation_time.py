"""No document under the limits takes 50 ms to be parsed, measured and validated, however it is made."""

import json
import time
from collections.abc import Callable

import pytest
from graphql import GraphQLError, get_introspection_query, parse

from graph.limits import MAX_ALIASES, MAX_QUERY_CHARS, MAX_TOKENS, excesses, validated
from graph.schema import schema

_LONGEST_SECONDS = 0.05
_TRIES = 5


def _times(count: int, text: str) -> str:
    """`text` so often, with its number in the place of `%`."""
    return " ".join(text.replace("%", str(number)) for number in range(count))


def _long(number: int) -> str:
    return f"{'x' * 900}{number}"


_SAVE = 'mutation { createRecordSchema(input: {name: "x", fields: [VALUE]}) { recordSchema { id } } }'
_SHAPES: dict[str, Callable[[], str]] = {
    "a page": lambda: "{ jobs { nodes { id status errors { nodes { line field code message rawValue } } } } }",
    "introspection": get_introspection_query,
    "one field": lambda: "{ viewer {" + "id " * 100 + "} }",
    "one field with fields": lambda: "{" + "viewer { id } " * 70 + "}",
    "two fields with fields": lambda: "{" + "viewer { id name } " * 55 + "}",
    "different fields": lambda: "{" + _times(490, "viewer% { id }") + "}",
    "all aliases": lambda: "{" + _times(MAX_ALIASES, "a%: jobs { nodes { id status filename format sizeBytes sha256 createdAt progress { percent } } }") + "}",
    "aliases in operations that do not run": lambda: "query Q { viewer { id } }" + _times(30, "query Q% {" + _times(5, "a%b%: viewer { id }") + "}"),
    "spread fragments": lambda: "{" + _times(55, "...F%") + "}" + _times(55, "fragment F% on Query { viewer { id } }"),
    "fragments in each other": lambda: "{ ...F0 }" + _times(28, "fragment F% on Query { viewer { id } ...F% ...G% }") + _times(28, "fragment G% on Query { viewer { id } }"),
    "a chain of fragments": lambda: "{ ...F0 }" + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(48)) + "fragment F48 on Query { viewer { id } }",
    "unused fragments": lambda: "{ viewer { id } }" + _times(70, "fragment F% on Partner { id name }"),
    "fragments of unknown types": lambda: "{ viewer { id } }" + " ".join(f"fragment F{n} on {_long(n)} {{ id }}" for n in range(60)),
    "nested fragments": lambda: "{ viewer" + "{ ... on Partner " * 90 + "{ id }" + "}" * 90 + "}",
    "deep": lambda: "query Q { viewer { id } } query R " + "{ a " * 180 + "}" * 180,
    "unknown fields": lambda: "{" + _times(1_900, "x%") + "}",
    "long unknown fields": lambda: "{" + " ".join(map(_long, range(65))) + "}",
    "unknown arguments": lambda: "{ jobs(" + _times(600, "x%: 1") + ") { totalCount } }",
    "long unknown arguments": lambda: "{ jobs(" + " ".join(f"{_long(n)}: 1" for n in range(65)) + ") { totalCount } }",
    "unknown directives": lambda: "{ viewer { id " + "@x " * 950 + "} }",
    "known directives": lambda: "{ viewer { id " + "@skip(if: false) " * 300 + "} }",
    "unused variables": lambda: "query (" + _times(480, "$a%: Int") + ") { viewer { id } }",
    "variables of unknown types": lambda: "query (" + " ".join(f"$a{n}: {_long(n)}" for n in range(60)) + ") { viewer { id } }",
    "undefined variables": lambda: "query Q { viewer { id } } query R {" + _times(150, "a%: jobs(first: $b%) { totalCount }") + "}",
    "variables in many operations": lambda: _times(60, "query Q%($n: Int) { jobs(first: $n) { totalCount } }"),
    "variables through fragments": lambda: _times(90, "query Q%($n: Int) { ...F }") + "fragment F on Query { jobs(first: $n) { totalCount } }",
    "unknown input fields": lambda: _SAVE.replace("VALUE", "{" + _times(480, "x%: 1") + "}"),
    "long unknown input fields": lambda: _SAVE.replace("VALUE", "{" + " ".join(f"{_long(n)}: 1" for n in range(60)) + "}"),
    "unknown choices": lambda: _SAVE.replace("VALUE", _times(240, "{type: X%}")),
    "long unknown choices": lambda: _SAVE.replace("VALUE", " ".join(f"{{type: {_long(n)}}}" for n in range(60))),
    "fields of a schema": lambda: _SAVE.replace("VALUE", _times(190, '{name: "a%", type: STRING}')),
    "one input field": lambda: _SAVE.replace("VALUE", "{" + 'name: "a" ' * 480 + "}"),
    "a list": lambda: _SAVE.replace("VALUE", '{name: "a", type: STRING, enum: [' + '"a" ' * 1_800 + "]}"),
    "nested lists": lambda: _SAVE.replace("VALUE", '{name: "a", type: STRING, default: ' + "[" * 150 + "]" * 150 + "}"),
    "comments": lambda: "{ viewer { id } }" + "#\n" * 32_000,
    "one comment": lambda: "{ viewer { id } } #".ljust(MAX_QUERY_CHARS, "x"),
    "white space": lambda: "{ viewer { id } }".ljust(MAX_QUERY_CHARS),
    "a block string": lambda: '{ job(id: """' + "x\n" * 32_700 + '""") { id } }',
    "escapes": lambda: '{ job(id: "' + "\\n" * 32_700 + '") { id } }',
    "the same operation": lambda: "query Q { viewer { id } }" * 60,
    "all tokens": lambda: "{" * (MAX_TOKENS - 2),
}  # fmt: skip


def _seconds(document: str) -> float:
    began = time.thread_time()
    try:
        parsed = parse(document, max_tokens=MAX_TOKENS)
    except GraphQLError:
        return time.thread_time() - began
    if not [*excesses(parsed, {}, "Q" if "query Q " in document else None)]:
        validated(schema._schema, parsed)
    return time.thread_time() - began


@pytest.mark.parametrize("name", _SHAPES)
def test_a_document_is_validated_soon(name: str) -> None:
    """CPU time, the best of some: neither other processes nor the garbage collector count."""
    document = _SHAPES[name]()
    assert len(document) <= MAX_QUERY_CHARS, json.dumps({name: len(document)})

    spent = [_seconds(document)]
    while min(spent) >= _LONGEST_SECONDS and len(spent) < _TRIES:
        spent.append(_seconds(document))

    assert min(spent) < _LONGEST_SECONDS
