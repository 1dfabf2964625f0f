"""Tidy text: broken encodings, HTML, Unicode form, quotes, spaces. One text in, one text out; it knows no rows.

Each part can be left out. What stands between backticks is program code and stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from html.parser import HTMLParser

import ftfy

from datasets_app.curation.cleaning.words import listed

PARTS = ("encoding", "html", "unicode", "quotes", "invisible", "whitespace")
_ALL = frozenset(PARTS)
_ELEMENTS = listed(
    "a abbr address article aside b blockquote body br button caption center cite code col dd del details div dl dt em "
    "figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label li link main "
    "mark meta nav ol option p pre q s samp script section select small span strike strong style sub summary sup table "
    "tbody td textarea tfoot th thead title tr u ul var video wbr"
)
_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_ELEMENTS))})(?:\s[^<>]*)?/?>|<!--", re.IGNORECASE)
_ENTITY = re.compile(r"&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]{2,8});")
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_UNUSUAL = re.compile(r"[^\x20-\x7e\n]|[&<]")
# Control and format characters; joiners between letters of other scripts and inside emoji belong to the writing.
_INVISIBLE = re.compile(
    "".join(
        (
            "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f"
            "\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb]",
            "|(?<![^\\x00-\\u024f])[\\u200c\\u200d]|[\\u200c\\u200d](?![^\\x00-\\u024f])",
        )
    )
)
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n ?")
_MANY_BREAKS = re.compile(r"\n{3,}")
_BLOCKS = frozenset(
    ["p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"]
)
_SILENT = frozenset(("script", "style", "head"))


class _Text(HTMLParser):
    """Collects what a reader of the page would see. What is no HTML element (`<name>`, `List<String>`) is text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ELEMENTS:
            self.parts.append(self.get_starttag_text() or "")
        elif tag in _SILENT:
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


def normalize(text: str, parts: Collection[str] = _ALL) -> str:
    """The tidy form: ftfy's repairs, no HTML, NFC, straight quotes, nothing invisible, single spaces, one blank line.

    `parts` names those of PARTS that are wanted.
    """
    if "`" in text:
        return "".join(
            piece if place % 2 else _tidy(piece, parts, edge=False) for place, piece in enumerate(_CODE.split(text))
        ).strip()
    return _tidy(text, parts, edge=True)


def _tidy(text: str, parts: Collection[str], *, edge: bool) -> str:
    if _UNUSUAL.search(text):
        text = ftfy.fix_text(text, _settings(frozenset(parts)))
        if "html" in parts:
            text = html_to_text(text)
        if "unicode" in parts:
            text = unicodedata.normalize("NFC", text)
        if "invisible" in parts and not text.isprintable():
            text = _INVISIBLE.sub("", text)
    if "whitespace" in parts:
        text = _MANY_BREAKS.sub("\n\n", _BREAKS.sub("\n", _SPACES.sub(" ", text)))
        return text.strip() if edge else text
    return text


@lru_cache(maxsize=64)
def _settings(parts: frozenset[str]) -> ftfy.TextFixerConfig:
    encoding, unicode, invisible = "encoding" in parts, "unicode" in parts, "invisible" in parts
    return ftfy.TextFixerConfig(
        unescape_html=False,
        explain=False,
        fix_encoding=encoding,
        restore_byte_a0=encoding,
        replace_lossy_sequences=encoding,
        decode_inconsistent_utf8=encoding,
        fix_c1_controls=encoding,
        fix_surrogates=True,
        fix_latin_ligatures=unicode,
        fix_character_width=unicode,
        uncurl_quotes="quotes" in parts,
        fix_line_breaks="whitespace" in parts,
        remove_terminal_escapes=invisible,
        remove_control_chars=invisible,
        normalization="NFC" if unicode else None,
    )
