"""Emoji, URLs and @handles: kept, taken out, or replaced by a placeholder (an emoji also by its name)."""

from __future__ import annotations

import re
from functools import lru_cache

CHOICES = ("keep", "remove", "placeholder")
EMOJI_CHOICES = (*CHOICES, "name")
_LINK = re.compile(r"\[([^\[\]\n]*)\]\((?:https?|ftp)://[^\s()]*(?:\([^\s()]*\)[^\s()]*)*\)", re.IGNORECASE)
_URL = re.compile(
    r"""(?:\b(?:https?|ftp)://|\bwww\.(?=[\w-]+\.))[^\s<>"'`|\\^]*[^\s<>"'`|\\^.,;:!?)\]}]""", re.IGNORECASE
)
_HANDLE = re.compile(r"(?<![\w@./:+-])@[A-Za-z_][A-Za-z0-9_]{1,38}(?![\w@]|\.\w)")
_WIDE = re.compile(r" {2,}")
_EDGE = re.compile(r"^ +| +$", re.MULTILINE)
_BEFORE_MARK = re.compile(r"(?<=\w) +(?=[,.;:!?](?:\s|$))", re.MULTILINE)
URL_PLACE, HANDLE_PLACE, EMOJI_PLACE = "[URL]", "[HANDLE]", "[EMOJI]"


def replace_symbols(text: str, *, emoji: str = "keep", urls: str = "keep", handles: str = "keep") -> str:
    """The text after the three policies (see CHOICES; emoji may also become their names: `:thumbs_up:`).

    Where something is taken out, the gap it leaves is closed. E-mail addresses are no handles.
    """
    before = text
    if urls != "keep" and (":" in text or "www." in text.lower()):
        text = _LINK.sub(r"\1" if urls == "remove" else rf"\1 ({URL_PLACE})", text)
        text = _URL.sub("" if urls == "remove" else URL_PLACE, text)
    if handles != "keep" and "@" in text:
        text = _HANDLE.sub("" if handles == "remove" else HANDLE_PLACE, text)
    if emoji != "keep" and not text.isascii():
        text = _emoji().sub(lambda found: _shown(found, emoji), text)
    return _closed(text) if text != before and "remove" in (emoji, urls, handles) else text


def _closed(text: str) -> str:
    """No gap where something was taken out: single spaces, none before a mark or at a line's edge."""
    return _BEFORE_MARK.sub("", _EDGE.sub("", _WIDE.sub(" ", text)))


def _shown(found: re.Match[str], policy: str) -> str:
    if policy == "name":
        import emoji

        name: str = emoji.demojize(found[0])
        return name if name != found[0] else EMOJI_PLACE
    return EMOJI_PLACE if policy == "placeholder" else ""


@lru_cache(maxsize=1)
def _emoji() -> re.Pattern[str]:
    """Any emoji, longest first: those of several code points (families, flags, skin tones) are one."""
    import emoji

    # Digits, ©, ® and ™ are emoji to Unicode only with a variation selector; people mean the sign.
    plain = [
        sign for sign in emoji.EMOJI_DATA if not (len(sign) == 1 and sign in "0123456789#*©®™‼⁉ℹ↔↕↖↗↘↙↩↪▪▫▶◀Ⓜ㊗㊙")
    ]
    first = "".join(sorted({sign[0] for sign in plain}))  # a set is tried at each place before five thousand branches
    branches = "|".join(map(re.escape, sorted(plain, key=len, reverse=True)))
    return re.compile(f"(?=[{re.escape(first)}])(?:{branches})")
