"""Rejected elements of XML documents. What `round_trip` says is true of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tasks.pipeline.record import ChunkSize
from tests.tasks.pipeline.rejecting import outcome, rejected_file
from tests.tasks.pipeline.round_trip import XML, check, check_indexed, chunk_sizes, definition, encoded, many


@st.composite
def elements(draw: st.DrawFn, prefixes: list[str]) -> str:
    """A record."""
    prefix = draw(st.sampled_from(["", *[f"{p}:" for p in prefixes]]))
    inner = draw(
        st.sampled_from(
            ["<id>1</id>", "<id>x</id>", "<id>y</id><name><b/>t</name>", "", "<name>&lt;o&gt;</name>"]
        )
    )
    name = draw(
        st.sampled_from(
            ["<name><![CDATA[</o>]]></name>", "<name>it's: so</name>", "<!-- </o> -->", "<?pi </o>?>"]
        )
    )
    own = draw(st.sampled_from(["", ' a="1"', " xmlns:own='O' own:a='>'"]))
    if prefix:
        inner += f"<{prefix}more {prefix}a='1'/>"
    return draw(
        st.sampled_from(
            [
                f"<{prefix}o{own}>{inner}{name}</{prefix}o>",
                f"<{prefix}o{own}\n>{name}{inner}</{prefix}o >",
                f"<{prefix}o{own}/>",
            ]
        )
    )


@st.composite
def documents(draw: st.DrawFn, named: bool) -> tuple[str, list[str]]:
    """A document, and its records."""
    found: list[str] = []
    prolog = draw(st.sampled_from(["", "<?xml version='1.0'?>\n", "<!-- <r> --><?pi <r>?>\n"]))
    misc = st.sampled_from(
        ["", "\n", "<!-- <o> -->", " <?pi <o>?>\n"]
        + (["text", "<m a='>'/>", "<![CDATA[<o>]]>"] if named else [])
    )
    body = ""
    for number in range(draw(st.integers(1, 3)) if named else 1):
        inside = ""
        for _ in range(draw(st.integers(1, 4))):
            record = draw(elements(["p", f"q{number}"] if named else ["p"]))
            found.append(record)
            inside += draw(misc) + record
        inside += draw(misc)
        body += f'<g{number} xmlns:q{number}="Q"><deep>{inside}</deep></g{number}>' if named else inside
    end = draw(st.sampled_from(["</r>", "</r>\n<!-- end -->", "", "<o><id>x</id>", "&</r>"]))
    return f'{prolog}<r xmlns:p="P"\n>{body}{end}', found


@many
@given(st.data(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]), chunk_sizes)
def test_xml(data: st.DataObject, encoding: str, size: ChunkSize) -> None:
    """At any depth, with whatever prefixes, between whatever else; the quick way and the careful one."""
    named = data.draw(st.booleans())
    text, found = data.draw(documents(named))
    schema, file = definition(encoding, record_path="o" if named else None), encoded(text, encoding)
    options = {
        "quick": data.draw(st.booleans()),
        "block_bytes": data.draw(st.sampled_from([1, 7, 32 * 1024])),
    }

    before = check(file, XML, schema, size, **options)

    if before.cuts:
        cut = rejected_file(file, XML, schema, before.cuts).decode("utf-16" if "16" in encoding else encoding)
        assert all(found[k] in cut for k in before.rejected if k < len(found))
        assert [str(k) for k in before.rejected] == check_indexed(file, XML, schema, before)


def test_xml_bytes() -> None:
    """The elements around the first record, the records as they were, and end tags."""
    data = b'<?xml version="1.0"?>\n<r xmlns:p="P">\n <m/><g><p:o  a="1"><id>x</id></p:o>\n\n<o><id>1</id></o></g><o/></r>\n'
    schema = definition(record_path="o")
    cuts = outcome(data, XML, schema).cuts

    assert (
        b'<?xml version="1.0"?>\n<r xmlns:p="P">\n <m/><g>\n<p:o  a="1"><id>x</id></p:o>\n<o/>\n</g></r>\n'
        == rejected_file(data, XML, schema, cuts)
    )


def test_xml_root_that_is_the_record() -> None:
    """There is nothing around it."""
    data = b"<!-- <o> --><o>\n<id>x</id></o>\n<!-- -->"
    schema = definition(record_path="o")

    assert b"<!-- <o> --><o>\n<id>x</id></o>\n\n" == rejected_file(
        data, XML, schema, outcome(data, XML, schema).cuts
    )


def test_xml_prefix_that_nobody_declares_any_more() -> None:
    """Its last declaration before the record is put around it."""
    data = (
        b"<r><g><o/></g>"
        + b'<g xmlns:q="Q1">'
        + b" " * 200_000
        + b"<q:o/></g><g xmlns:q='Q2'><q:o/><q:o/></g></r>"
    )
    schema = definition(record_path="o")

    cut = rejected_file(data, XML, schema, outcome(data, XML, schema).cuts)

    names = [element.tag for element in etree.fromstring(cut).iter("{*}o")]
    assert ["o", "{Q1}o", "{Q2}o", "{Q2}o"] == names


def test_xml_big_head() -> None:
    """Of a head that is a lot the root's start tag is left."""
    data = b"<r><m>" + b"<x/>" * 50_000 + b"</m><g><o/><o/></g></r>"
    schema = definition(record_path="o")

    assert b"<r>\n<o/>\n<o/>\n</r>\n" == rejected_file(data, XML, schema, outcome(data, XML, schema).cuts)


@pytest.mark.parametrize(("name", "declared"), [("iso-8859-1", "ISO-8859-1"), ("windows-1252", "cp1252")])
def test_xml_in_the_encoding_that_it_declares(name: str, declared: str) -> None:
    """The declaration is a part of the head."""
    text = f'<?xml version="1.0" encoding="{declared}"?><r é="1">\n<o><id>ä</id></o><o><id>1</id></o></r>'
    data, schema = text.encode(name), definition(record_path="o")

    before = check(data, XML, schema, ChunkSize())

    expected = text.replace("<o><id>1</id></o>", "\n").replace("<o>", "\n<o>") + "\n"
    assert expected.encode(name) == rejected_file(data, XML, schema, before.cuts)
