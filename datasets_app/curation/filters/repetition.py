"""Texts that repeat themselves. Measures of Rae et al. 2021 (Gopher), table A1, with its limits as defaults.

Shares are of characters in words for n-grams of words, and of lines for lines. Texts below a number of words are not
measured: two short sentences always share something. Scripts without spaces are measured by characters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from datasets_app.curation.rows import REJECTED, Conversation, Rejection

TOP = {2: 0.20, 3: 0.18, 4: 0.16}
REPEATED_WORDS, REPEATED_LINES, REPEATED_CHARACTERS = 0.15, 0.30, 0.5
GRAM, CHARACTER_GRAM = 5, 10
LEAST_TIMES = 3  # in chats a phrase comes twice by itself
_RUN = re.compile(r"([^\s\d\-=_*#.~+|/\\])\1{19,}")
_DENSE = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Repetition:
    """`top`: largest share of the text that one n-gram may make up, by n. `words`: largest share in five-grams that came
    before. `lines`: largest share of lines that came before. `least_words`: below it nothing is measured but runs of one
    character (twenty and more)."""

    top: Mapping[int, float] = field(default_factory=lambda: dict(TOP))
    words: float = REPEATED_WORDS
    lines: float = REPEATED_LINES
    least_words: int = 20

    def judge(self, found: Conversation) -> Rejection | None:
        """Why a turn of the user or the assistant is too repetitive, or None."""
        for message in found.messages:
            if message["role"] not in ("system", REJECTED) and (why := self.judge_text(message["content"])):
                return why
        return None

    def judge_text(self, text: str) -> Rejection | None:
        """The same for one text."""
        if run := _RUN.search(text):
            return Rejection("repeated_characters", f"The sign “{run[1]}” stands {len(run[0])} times in a row.")
        if len(_DENSE.findall(text)) > self.least_words:
            return _judge("repeated_text", "runs of ten characters", repeated_characters(text), REPEATED_CHARACTERS)
        words = text.lower().split()
        if len(words) < self.least_words:
            return None
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if why := _judge("repeated_lines", "lines", _repeated(lines), self.lines):
            return why
        for size, most in self.top.items():
            gram, share = top_share(words, size)
            if share > most:
                detail = f"“{gram}” alone is {share:.0%} of the text; at most {most:.0%} may be."
                return Rejection("one_phrase", detail)
        return _judge("repeated_text", "runs of five words", repeated_share(words, GRAM), self.words)


def _judge(reason: str, what: str, share: float, most: float) -> Rejection | None:
    if share <= most:
        return None
    return Rejection(reason, f"{share:.0%} of the text are {what} that came before; at most {most:.0%} may be.")


def _repeated(items: Sequence[str]) -> float:
    return 1 - len(set(items)) / len(items) if items else 0.0


def top_share(words: Sequence[str], size: int) -> tuple[str, float]:
    """The n-gram that makes up most of the text, and its share of the characters. One that occurs once or twice is none."""
    grams = Counter(zip(*(words[start:] for start in range(size)), strict=False))
    total = sum(map(len, words))
    best, share = "", 0.0
    for gram, count in grams.most_common(5):
        if count >= LEAST_TIMES and (part := count * sum(map(len, gram)) / total) > share:
            best, share = " ".join(gram), part
    return best, min(share, 1.0)


def repeated_share(words: Sequence[str], size: int) -> float:
    """Share of the characters that lie in n-grams which occurred before; each word counts once."""
    seen: set[tuple[str, ...]] = set()
    repeated = [False] * len(words)
    for start, gram in enumerate(zip(*(words[at:] for at in range(size)), strict=False)):
        if gram in seen:
            repeated[start : start + size] = [True] * size
        seen.add(gram)
    total = sum(map(len, words))
    return sum(len(word) for word, again in zip(words, repeated, strict=True) if again) / total if total else 0.0


def repeated_characters(text: str) -> float:
    """The same by runs of ten characters, for scripts without spaces."""
    return repeated_share([sign for sign in text if not sign.isspace()], CHARACTER_GRAM)
