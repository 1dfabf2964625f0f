"""What a word is where answers are compared, in any script. Knows no metric.

Runs of letters, marks and digits are words. Scripts that put no spaces between words (Chinese, Japanese, Thai, Lao, Khmer,
Burmese) have no runs to go by, so each of their letters stands for a word. Texts in plain ASCII have the same words as in the
rouge-score package.
"""

from __future__ import annotations

import unicodedata

import regex

NAME = "words-of-any-script-1"
_ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
# Their punctuation and full-width forms, too, as in sacreBLEU's tokeniser for Chinese.
_APART = regex.compile(rf"[{_ALONE}\u3000-\u303f\uff00-\uffef]\p{{M}}*")
_WORD = regex.compile(rf"(?V1)[{_ALONE}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{_ALONE}]]+")


def words(text: str) -> list[str]:
    """The words of a text in its order, as they are written; composed letters and those put together are the same."""
    found: list[str] = _WORD.findall(unicodedata.normalize("NFC", text))
    return found


def set_apart(text: str) -> str:
    """The text with spaces around each letter of the scripts that have none, for what splits at spaces."""
    apart: str = _APART.sub(r" \g<0> ", unicodedata.normalize("NFC", text))
    return apart


def count_words(text: str) -> int:
    """How many words a reader would count: what stands between spaces, and letters where there are none."""
    return sum(any(letter.isalnum() for letter in part) for part in set_apart(text).split())
