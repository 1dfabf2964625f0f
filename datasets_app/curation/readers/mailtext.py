"""What a person wrote in a mail: its text part, without quoted mail, attribution lines and signatures. No threads."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html.parser import HTMLParser

_ATTRIBUTION = re.compile(
    r"^[ \t]*(?:on|am|le|el|il|op|em|den|dne|dnia|в|w dniu)\b[^\n]{0,200}(?:\n[^\n]{0,120})?"
    r"\b(?:wrote|schrieb[^\n:]{0,80}|a écrit|escribió|ha scritto|schreef[^\n:]{0,80}|escreveu|skrev[^\n:]{0,80}|napsal\(?a?\)?|"
    r"napisał\(?a?\)?|пишет|написал)[ \t]*:[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_VERB = re.compile(
    r"(?:wrote|schrieb|crit|escribi|scritto|schreef|escreveu|skrev|napsal|napisa|пишет|написал)[^\n:]{0,80}:[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARDED = re.compile(
    r"^[ \t>]*(?:-{2,}[ \t]*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original|"
    r"forwarded message|weitergeleitete nachricht)[ \t]*-{2,}|_{20,}[ \t]*\n[ \t]*(?:from|von|de):)",
    re.IGNORECASE | re.MULTILINE,
)
_OUTLOOK = re.compile(
    r"^(?:\*?(?:from|von|de)\*?:[^\n]+\n)(?:\*?(?:sent|gesendet|date|datum|envoyé|enviado)\*?:[^\n]+\n)",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(r"^(?:-- ?|—|_{5,}[ \t]*)$", re.MULTILINE)
_DEVICE = re.compile(
    r"^[ \t]*(?:sent from |get outlook for |von meinem |gesendet von mein|envoyé de mon |enviado desde mi )[^\n]{0,60}$",
    re.IGNORECASE | re.MULTILINE,
)
BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol", "hr"})
SILENT = frozenset({"blockquote", "style", "script", "head", "title"})
VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "area", "base", "wbr"})


class _Words(HTMLParser):
    """Text of an HTML mail, quoted mail left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = next((value or "" for name, value in attrs if name == "class"), "")
        if tag in BLOCKS:
            self.parts.append("\n")
        if tag in VOID:
            return
        if self._silent:
            self._silent.append(tag)
        elif tag in SILENT or "gmail_quote" in classes:
            self._silent = [tag]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag in self._silent:
            while self._silent and self._silent.pop() != tag:
                pass
        elif tag in BLOCKS and not self._silent:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain_text(message: EmailMessage, *, fallback: str) -> str:
    """The text of a message: its plain part, else its HTML part as text; ``fallback`` decodes what names no charset."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    raw = part.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    text = _decoded(data, part.get_content_charset(), fallback).replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"^>+(?=From )", "", text, flags=re.MULTILINE)  # mbox quotes lines that begin with From
    if part.get_content_type() != "text/html":
        return text
    words = _Words()
    words.feed(text)
    words.close()
    lines = (" ".join(line.split()) for line in "".join(words.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _decoded(data: bytes, charset: str | None, fallback: str) -> str:
    for name in (charset, "utf-8", fallback):
        try:
            if name:
                return data.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("cp1252", "backslashreplace")


def own_words(text: str) -> str:
    """The text without what its writer did not write: quoted mail with the line above it, and the signature."""
    for ending in (_FORWARDED, _OUTLOOK):
        if found := ending.search(text):
            text = text[: found.start()]
    if _VERB.search(text):
        text = _ATTRIBUTION.sub("", text)
    text = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))
    if found := _SIGNATURE.search(text):
        text = text[: found.start()]
    text = _DEVICE.sub("", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
