"""Strings that break what was not made for them, and what to look for where they came back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

SCRIPTS = "\"'><script data-naughty>naughty()</script><img data-naughty src=x onerror=naughty()>"
TEMPLATES = "{{ 7|add:3577 }} {% load naughty %} {{ request.user.password }} ${7*512} #{7*512} <%= 7*512 %>"
ADDED_UP = b"3584"  # what TEMPLATES come to where something reads them
ODD_LETTERS = (
    "\u200f\u0627\u0644\u0639\u202e\u200b\u200d\u2060\ufeff\u00ad 👩‍👩‍👧‍👦🏳️‍🌈 Z\u0351\u036b\u0343A\u0334\u0335"
)
SQL = "'; DROP TABLE accounts_user; -- \" OR 1=1 /* %s %(x)s ?"
STRINGS = {
    "all at once": f"{ODD_LETTERS} {SCRIPTS} {TEMPLATES} {SQL}",
    "nul": "a\x00b",
    "half a character": "a\ud800b",
    "digits": "9" * 400,
    "control characters": "\x01\x08\x1b[31m\x7f\x85\u2028\ufffe\U0010ffff",
    "a script as a link": "javascript:naughty()//https://shop.example",
    "a path": "../../../../../etc/passwd",
    "a header": "a\r\nSet-Cookie: naughty=1",
    "no number": "NaN",
    "an endless number": "1e999999",
    "below": "-1",
    "other digits": "٣²",
    "blank": " \u3000\t\r\n",
    "long": "x" * 1_000_000,
}
NASTIEST = {name: STRINGS[name] for name in ("all at once", "nul", "half a character", "digits")}


def form_body(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Options of a test client that post these fields, also what is no Unicode."""
    kind = "application/x-www-form-urlencoded"
    return {"data": urlencode(list(fields), errors="surrogatepass"), "content_type": kind}


def harm(answer: Any) -> str:
    """What went wrong with an answer to such a string; empty for nothing."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if "naughty" in answer.cookies or answer.get("Location", "").lower().startswith("javascript:"):
        return "a header that was sent in"
    content = b"" if answer.streaming else answer.content
    if "html" not in answer.get("Content-Type", ""):
        return ""
    if b"<script data-naughty" in content or b"<img data-naughty" in content:
        return "a tag that was sent in"
    return "a template that was read" if ADDED_UP in content else ""
