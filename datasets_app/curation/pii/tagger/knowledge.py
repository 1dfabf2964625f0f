"""What is known of words before the network looks at them: which texts name nobody, and which findings need to be surer.

Most of what people write are words of the language and nothing else. Such a text is not read at all, which is faster and
never wrong. A finding that is made of such words alone, or of an abbreviation, must be surer than one that holds a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from datasets_app.curation.pii.tagger.tokens import FIRST_WORD, RARE, Token, key

SHORT = 3
"""Words: what is no longer may be somebody's answer, so rare words in it are looked at."""
SURE = 0.8
"""How sure a finding must be that no word of it speaks for."""
DOUBTED = frozenset({"PERSON"})
_ENGLISH, _PLAIN = RARE["english"], RARE["plain"]
_NAMES = (None, RARE["name"], RARE["name or place"])
_OPENING = frozenset(".!?:;\"'“”‘’()[]{}*•-–—#>|/")
_ENDINGS = frozenset({"s", "t", "re", "ll", "ve", "m", "d"})
_ORDINALS = frozenset({"st", "nd", "rd", "th", "am", "pm"})
_HOURS, _BEHIND, _MONEY = frozenset({"am", "pm", "%"}), frozenset({":", "st", "nd", "rd", "th"}), frozenset("$£€")
_CALENDAR = frozenset(
    re.findall(
        r"\S+",
        "monday tuesday wednesday thursday friday saturday sunday january february march july september october "
        "november december pm",
    )
)
_NEVER = frozenset(
    re.findall(
        r"\S+",
        "my why will may much must many most just need said soon such till else along ago come goes theres thats",
    )
)
"""Of the words that are names as well, those that open a sentence or an answer a thousand times before they are one."""
_NOT = frozenset(
    re.findall(
        r"\S+", "don didn isn doesn hasn wasn wouldn couldn shouldn aren weren won haven hadn ain can mustn needn"
    )
)


class Knowledge:
    """What words are known as.

    Args:
        kinds: the kind of each known word, one of `RARE`'s numbers.
        vocabulary: words that the network knows by themselves have a number of `FIRST_WORD` or more.
    """

    def __init__(self, kinds: Mapping[str, int], vocabulary: Mapping[str, int]) -> None:
        self._kinds = kinds
        self._often = frozenset(
            word for word, kind in kinds.items() if kind == _ENGLISH and vocabulary.get(word, 0) >= FIRST_WORD
        )

    def names_nobody(self, tokens: Sequence[Token]) -> bool:
        """Whether a text holds words of the language alone, none of them written like a name, and no number."""
        words = sum(token.text[0].isalpha() for token in tokens)
        return all(
            self._is_ordinary(tokens, at, short=words <= SHORT)
            for at, token in enumerate(tokens)
            if token.text[0].isalnum()
        )

    def may_be_name(self, text: str) -> bool:
        """Whether a word is written like a name and is no other word that is known."""
        return len(text) > 1 and text[0].isupper() and self._kinds.get(key(text)) in _NAMES

    def least(self, tokens: Sequence[Token], entity: str, *, shouts: bool) -> float:
        """How sure a finding of these tokens must be; `shouts`: the whole text is in capitals."""
        if entity not in DOUBTED:
            return 0.0
        words = [token.text for token in tokens if token.text[0].isalpha()]
        if all(len(word) == 1 or self._kinds.get(key(word)) in (_ENGLISH, _PLAIN) for word in words):
            return SURE
        if len(words) == 1 and len(words[0]) > 1 and ((words[0].isupper() and not shouts) or _humped(words[0])):
            return SURE
        return 0.0

    def _is_ordinary(self, tokens: Sequence[Token], at: int, *, short: bool) -> bool:
        text = tokens[at].text
        if text.isdigit():
            return not short and _is_time_or_sum(tokens, at)
        word = key(text)
        if len(text) == 1 or word in _CALENDAR or word in _NEVER:
            return True
        kind = self._kinds.get(word)
        if kind != _ENGLISH and kind != _PLAIN:
            return _is_part(tokens, at, word)
        if short:
            return word in self._often
        return text.islower() or (kind == _ENGLISH and (text.isupper() or (word in self._often and _opens(tokens, at))))


def _is_part(tokens: Sequence[Token], at: int, word: str) -> bool:
    """Whether it is a piece of "don't" or "we'll"."""
    behind, before = tokens[at + 1 : at + 2], tokens[max(0, at - 1) : at]
    if word in _NOT and behind and behind[0].glued and behind[0].text in "'’":
        return True
    if not (tokens[at].glued and before):
        return False
    return before[0].text.isdigit() if word in _ORDINALS else word in _ENDINGS and before[0].text in "'’"


def _is_time_or_sum(tokens: Sequence[Token], at: int) -> bool:
    """Whether a number is part of "4:45 pm", "the 8th" or "$12"."""
    number, behind, before = tokens[at], tokens[at + 1 : at + 2], tokens[max(0, at - 1) : at]
    if before and number.glued and before[0].text in _MONEY:
        return True
    if len(number.text) > 2:
        return False
    if before and number.glued and before[0].text == ":":
        return True
    return bool(behind) and (behind[0].text.lower() in _HOURS or (behind[0].glued and behind[0].text in _BEHIND))


def _humped(word: str) -> bool:
    """Whether a word has capitals inside as names of things do: "SkyJump", but not "McDonald" or "LeBron"."""
    return len(word) > 3 and not word.isupper() and any(letter.isupper() for letter in word[4:])


def _opens(tokens: Sequence[Token], at: int) -> bool:
    """Whether a sentence, a line or a quotation begins here, where every word has a capital."""
    return at == 0 or tokens[at - 1].text in _OPENING or "\n" in tokens[at - 1].text
