"""Which language a text is in, by lingua, and rows in others than those chosen. Short texts are unknown, not wrong.

English with enough plain words is told by the word list alone, which costs a tenth. All else goes to lingua, which
weighs the chosen languages against the twenty or so most written ones: with all of its 75, short texts drift to
whatever small language happens to share their letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from datasets_app.curation.cleaning.words import WORD, is_english_word, listed
from datasets_app.curation.filters import texts_at
from datasets_app.curation.rows import Conversation, Rejection

if TYPE_CHECKING:
    from lingua import LanguageDetector

UNKNOWN = "unknown"
RIVALS = tuple(sorted(listed("ar de el en es fr he hi id it ja ko nl pl pt ru sv tr uk vi zh")))
# ISO 639-1 codes of all languages that lingua knows, the most written ones first.
CODES = (
    *("en", "es", "de", "fr", "pt"),
    *sorted(
        listed(
            "af ar az be bg bn bs ca cs cy da el eo et eu fa fi ga gu he hi hr hu hy id is it ja ka kk ko la lg lt lv mi mk mn mr "
            "ms nb nl nn pa pl ro ru sk sl sn so sq sr st sv sw ta te th tl tn tr ts uk ur vi xh yo zh zu"
        )
    ),
)
ACCURACIES = ("high", "low")
LEAST_LETTERS, LEAST_DENSE = 20, 5
MARGIN = 0.05
_DENSE = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)  # a sign says more than a letter
_LETTER = re.compile(r"[^\W\d_]")
_MASK = re.compile(r"\[[A-Z_ ]+\]|https?://\S+|\S+@\S+")
# Words that are common in English and are words of no other rival.
_TELLING = listed(
    "the and is are was were have has had with that this these those what when where which how why who my your our their "
    "you they would could should will can't don't didn't i'm it's been from there about does did not want please thank for"
)


@lru_cache(maxsize=4)
def _detector(codes: Sequence[str], accuracy: str) -> LanguageDetector:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    names = [IsoCode639_1.from_str(code.upper()) for code in codes]
    builder = LanguageDetectorBuilder.from_iso_codes_639_1(*names).with_minimum_relative_distance(MARGIN)
    return (builder.with_low_accuracy_mode() if accuracy == "low" else builder).build()


def language_of(text: str, *, chosen: Sequence[str] = (), accuracy: str = "high") -> str:
    """ISO 639-1 code, or `unknown` where the text has under twenty letters or two languages are as likely.

    `accuracy` low holds a fifth of the memory (70 MB against 350) and is wrong about five times as often.
    """
    prose = _MASK.sub(" ", text[:2000])
    letters = len(_LETTER.findall(prose))
    if letters < LEAST_LETTERS and len(_DENSE.findall(prose)) < LEAST_DENSE:
        return UNKNOWN
    if prose.isascii() and _is_plain_english(prose):
        return "en"
    found = _detector(tuple(sorted({*RIVALS, *chosen})), accuracy).detect_language_of(prose)
    return str(found.iso_code_639_1.name).lower() if found else UNKNOWN


def _is_plain_english(text: str) -> bool:
    words = [word.lower() for word in WORD.findall(text)]
    telling = sum(word in _TELLING for word in words)
    return telling >= 2 and 5 * telling >= len(words) / 2 and sum(map(is_english_word, words)) >= 0.8 * len(words)


class Languages:
    """Rows whose question or answer is in none of the chosen languages. `unknown`: whether to keep what is unknown."""

    def __init__(
        self, chosen: Sequence[str], *, place: str = "any", keep_unknown: bool = True, accuracy: str = "high"
    ) -> None:
        self.chosen, self.place = tuple(sorted({code.lower() for code in chosen})), place
        self.keep_unknown, self.accuracy = keep_unknown, accuracy

    def of(self, found: Conversation) -> list[str]:
        """The languages of the texts that are looked at, question first; `unknown` where there is none."""
        texts = texts_at(found, self.place)
        return [language_of(text, chosen=self.chosen, accuracy=self.accuracy) for text in texts] or [UNKNOWN]

    def judge(self, languages: Sequence[str]) -> Rejection | None:
        """Why a row in these languages goes, or None."""
        for language in languages:
            if language == UNKNOWN:
                if not self.keep_unknown:
                    return Rejection("language_unknown", "The text is too short or too mixed to tell its language.")
            elif language not in self.chosen:
                wanted = ", ".join(self.chosen)
                return Rejection("language", f"The text is in “{language}”; the recipe keeps {wanted}.")
        return None
