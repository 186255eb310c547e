"""lxml as a judge: whether text is well-formed, without a tree of it, in a third of the time."""

import secrets

from lxml import etree

from tasks.pipeline.xml_parser import HARDENED


class _Marks:
    """Of all that lxml reports it wants processing instructions, and so lxml makes nothing of the rest."""

    def __init__(self) -> None:
        self.last: tuple[str, str | None] | None = None

    def pi(self, target: str, data: str | None = None) -> None:
        """lxml has parsed up to a processing instruction."""
        self.last = target, data

    def close(self) -> None:
        """lxml wants it to be there."""


class Checker:
    """Fed a document's text from its top, tells whether lxml accepts it."""

    def __init__(self) -> None:
        self._marks = _Marks()
        self._secret = secrets.token_hex(8)
        self._count = 0
        self._parser = etree.XMLParser(
            target=self._marks,  # type: ignore[arg-type]  # the stubs want all methods
            **HARDENED,
        )

    def accepts(self, text: str) -> bool:
        """Parse more text, which ends between two tags. Whether lxml has parsed all of it and found nothing wrong.

        A mark behind the text shows that: after a bare "&" lxml waits for a ";" and says nothing at all. Elements
        may be nested deeper than a tree allows. After False there is nothing to be told any more.
        """
        self._count += 1
        mark = self._secret, str(self._count)
        try:
            self._parser.feed(f"{text}<?_{mark[0]} {mark[1]}?>".encode())
        except etree.XMLSyntaxError:
            return False
        last = self._parser.feed_error_log.last_error  # the last warning where there is no error
        sound = last is None or last.level < etree.ErrorLevels.ERROR
        return sound and self._marks.last == (f"_{mark[0]}", mark[1])
