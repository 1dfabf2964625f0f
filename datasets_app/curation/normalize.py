"""Tidy text: broken encodings, HTML, Unicode form, quotes, spaces. One text in, one text out; it knows no rows."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

import ftfy

_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(\s[^<>]*)?/?>|<!--")
_ENTITY = re.compile(r"&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]{2,8});")
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n ?")
_MANY_BREAKS = re.compile(r"\n{3,}")
_BLOCKS = frozenset(
    ["p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"]
)
_SILENT = frozenset(("script", "style", "head"))
_SETTINGS = ftfy.TextFixerConfig(unescape_html=False, explain=False)


class _Text(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


def html_to_text(text: str) -> str:
    """Take tags out and entities in, where the text has any; other text stays as it is."""
    if not _TAG.search(text) and not _ENTITY.search(text):
        return text
    parser = _Text()
    parser.feed(text)
    parser.close()
    return "".join(parser.parts)


def normalize(text: str) -> str:
    """The tidy form: ftfy's repairs, no HTML, NFC, straight quotes, single spaces, at most one blank line."""
    if not text.isascii() or "&" in text or "<" in text or not text.isprintable():
        text = html_to_text(ftfy.fix_text(text, _SETTINGS))
        text = unicodedata.normalize("NFC", text)
        text = "".join(letter for letter in text if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cf"))
    text = _BREAKS.sub("\n", _SPACES.sub(" ", text))
    return _MANY_BREAKS.sub("\n\n", text).strip()
