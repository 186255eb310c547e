"""Text, booleans, e-mail addresses and URLs: which texts they take, and what they load."""

import json

from tests.tasks.pipeline.deciding import assert_verdicts


def test_string_is_loaded_as_json() -> None:
    """Any text, escaped as JSON wants it."""
    texts = ["a", 'say "hi"', "tab\there", "line\nbreak", "back\\slash", "é€😀", "\x01", "\u2028", "{}%s"]

    assert_verdicts({text: json.dumps(text, ensure_ascii=False) for text in texts}, type="STRING", trim=False)


BOOLEANS = dict.fromkeys(["true", "TRUE", "True", "yes", "Y", "t", "on", "1"], "true") | dict.fromkeys(
    ["false", "FALSE", "no", "N", "f", "Off", "0"], "false"
)


def test_boolean_takes_words_in_any_case() -> None:
    """true false yes no y n t f on off 1 0, and nothing else."""
    refused = dict.fromkeys(["2", "ja", "tru", "-1", "0.0", "1.0", "none"], "INVALID_BOOLEAN")

    assert_verdicts(BOOLEANS | refused, type="BOOLEAN")


EMAILS = [
    "a@b.co",
    "first.last+tag@sub.example.com",
    "o'brien@example.ie",
    "user_name@example.museum",
    "1@example.com",
    "müller@exämple.de",
    "用户@例子.中国",
    "a@xn--exmple-cua.de",
    f"{'a' * 64}@example.com",
    "a@a-b.example.xn--p1ai",
]
NO_EMAILS = [
    "plain",
    "@example.com",
    "a@",
    "a@b",
    "a@@b.co",
    "a b@example.com",
    ".a@example.com",
    "a.@example.com",
    "a..b@example.com",
    "a@-b.com",
    "a@b-.com",
    "a@b..com",
    "a@.com",
    "a@b.c",
    "a@127.0.0.1",
    "a@[127.0.0.1]",
    '"a b"@example.com',
    "Anna <a@example.com>",
    "a@example.com,b@example.com",
    f"{'a' * 65}@example.com",
    f"a@{'b' * 64}.com",
    f"a@{'b.' * 130}com",
    "a\\b@example.com",
    "a@b.co\nx",
]


def test_email_follows_the_practical_grammar() -> None:
    """Everyday and international addresses; no quoted local parts, numbers as hosts, or lists."""
    expected = {text: json.dumps(text, ensure_ascii=False) for text in EMAILS}

    assert_verdicts(expected | dict.fromkeys(NO_EMAILS, "INVALID_EMAIL"), type="EMAIL")


URLS = [
    "http://example.com",
    "https://example.com/",
    "HTTPS://Example.COM/a/b;c?d=e&f=%20#g",
    "http://localhost:8000/x",
    "http://127.0.0.1/",
    "http://[::1]:80/",
    "http://user:pass@example.com",
    "https://exämple.de/straße?q=ü",
    "https://my_host.example/~me",
    "http://example.com:65535",
    "http://example.com?q=1",
    "http://example.com#top",
    f"https://example.com/{'a' * 5000}",
]
NO_URLS = [
    "example.com",
    "//example.com",
    "ftp://example.com",
    "javascript:alert(1)",
    "http:/example.com",
    "http:example.com",
    "http://",
    "http:///path",
    "http://?q",
    "http://:80",
    "http://a..b",
    "http://-a.com",
    "http://a-.com",
    "http://.com",
    "http://example.com:65536",
    "http://example.com:x",
    "http://exa mple.com",
    "http://example.com/a b",
    "http://example.com/<a>",
    'http://example.com/"',
    "http://example.com\\a",
    "http://[zz]/",
    "http://example.com/\n",
    "mailto:a@b.co",
    f"http://{'a' * 64}.com",
]


def test_url_is_http_or_https() -> None:
    """A scheme, a host and what may follow; nothing that has to be encoded."""
    expected = {text: json.dumps(text, ensure_ascii=False) for text in URLS}

    assert_verdicts(expected | dict.fromkeys(NO_URLS, "INVALID_URL"), type="URL", trim=False)
