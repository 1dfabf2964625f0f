"""Swear words, insults, slurs and threats as a list, also where letters are masked. English, whole words.

A list does not understand: it misses paraphrase and other languages, and quotes and names are hits, too. The safety
report of trained models reads the same list.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from datasets_app.curation.cleaning.words import listed
from datasets_app.curation.filters import PLACES, texts_at
from datasets_app.curation.rows import Conversation, Rejection

WORDS = {
    "profanity": listed(
        "fuck fucks fucked fucking fuckin fucker fuckers motherfucker motherfuckers motherfucking clusterfuck shit shits shitty "
        "shitting shithead shithole bullshit horseshit piss pissed pissing asshole assholes arsehole arseholes dickhead "
        "dickheads wanker wankers wank twat twats cunt cunts bollocks bugger cock cocksucker cocksuckers prick pricks "
        "goddamn dumbass jackass smartass badass stfu gtfo wtf fml"
    ),
    "insults": listed(
        "idiot idiots moron morons moronic imbecile imbeciles retard retards retarded scum scumbag scumbags vermin "
        "subhuman slut sluts whore whores bitch bitches bitchy bastard bastards douchebag douchebags dipshit dumbfuck skank "
        "tosser tossers knobhead bellend pillock"
    ),
    "slurs": listed(
        "faggot faggots fag fags tranny trannies kike kikes spic spics chink chinks nigger niggers nigga niggas paki pakis gook "
        "gooks wetback wetbacks raghead ragheads towelhead towelheads beaner beaners shemale shemales"
    ),
    "threats": frozenset(
        (
            "kill yourself",
            "kill urself",
            "kys",
            "go die",
            "hope you die",
            "i will kill you",
            "i'll kill you",
            "hate you",
            "rape you",
        )
    ),
}
CATEGORIES = tuple(WORDS)
_LEET = str.maketrans({"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"})
_TOKEN = re.compile(r"[a-z0-9@$!*#%'\u00c0-\u024f]+")
_EDGES = "'!#%*"
_MASK = re.compile(r"(?<=[a-z])[*#%@$!]+(?=[a-z])")
_MASKED = re.compile(r"[*#%@$!]")
_LONG = re.compile(r"(.)\1+")
_SPELT = re.compile(r"(?<![^\W_])[a-z](?:([ .\-_*])[a-z])(?:\1[a-z])+(?![^\W_])")


@lru_cache(maxsize=8)
def _single(categories: frozenset[str]) -> dict[str, str]:
    return {word: category for category in CATEGORIES if category in categories for word in WORDS[category]}


@lru_cache(maxsize=8)
def _short(categories: frozenset[str]) -> dict[str, str]:
    """Words by their form without doubled letters, for `fuuuck` and `shiiit`."""
    return {_LONG.sub(r"\1", word): word for word in _single(categories) if " " not in word}


def found_in(text: str, categories: Collection[str] = CATEGORIES) -> list[tuple[str, str]]:
    """`(word, category)` for each hit, in the order of the text; the word as the list has it."""
    chosen = frozenset(categories)
    words, short = _single(chosen), _short(chosen)
    lowered = text.lower().replace("’", "'")
    if _SPELT.search(lowered):
        lowered = _SPELT.sub(lambda match: match[0].replace(match[1], ""), lowered)
    tokens = _TOKEN.findall(lowered)
    hits = [(word, words[word]) for token in tokens if (word := _word(token, words, short))]
    if "threats" in chosen:
        plain = f" {' '.join(token.strip(_EDGES) for token in tokens)} "
        hits += [(phrase, "threats") for phrase in WORDS["threats"] if " " in phrase and f" {phrase} " in plain]
    return hits


def _word(token: str, words: dict[str, str], short: dict[str, str]) -> str | None:
    bare = token.strip(_EDGES)
    if bare in words:
        return bare
    if bare.isalpha():
        drawn = any(bare[at] == bare[at + 1] == bare[at + 2] for at in range(len(bare) - 2))
        return short.get(_LONG.sub(r"\1", bare)) if drawn else None
    if not any(letter.isalpha() for letter in bare):
        return None
    plain = bare.translate(_LEET)
    return plain if plain in words else next(_masked(token.strip("'"), words), None)


def _masked(token: str, words: dict[str, str]) -> Iterator[str]:
    """Words that fit a token such as `sh*t` or `f**k`: first and last letter stand, others may be hidden."""
    if len(token) < 4 or not _MASK.search(token) or not (token[0].isalpha() and token[-1].isalpha()):
        return
    pattern = re.compile("".join("[a-z]" if _MASKED.match(sign) else re.escape(sign) for sign in token))
    yield from (word for word in sorted(words) if len(word) == len(token) and pattern.fullmatch(word))


class Toxicity:
    """Rows that hold at least `least` hits of the chosen categories, in the chosen place. `allow`: words that are fine."""

    def __init__(
        self,
        categories: Collection[str] = CATEGORIES,
        *,
        place: str = PLACES[0],
        least: int = 1,
        allow: Collection[str] = (),
    ) -> None:
        self.categories, self.place, self.least = tuple(categories), place, least
        self.allow = frozenset(word.lower() for word in allow)

    def judge(self, found: Conversation) -> Rejection | None:
        """Why the row goes, or None. The words are not repeated in full."""
        hits = [
            hit
            for text in texts_at(found, self.place)
            for hit in found_in(text, self.categories)
            if hit[0] not in self.allow
        ]
        if len(hits) < max(1, self.least):
            return None
        word, category = hits[0]
        number = f"{len(hits)} hits" if len(hits) > 1 else "one hit"
        return Rejection(category, f"The text has {number} in the list of {category} (“{_veiled(word)}”).")


def _veiled(word: str) -> str:
    return " ".join(part[0] + "*" * (len(part) - 1) for part in word.split())
