"""Apostrophes that English writes and hurried people leave out. Words that are words without one are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.curation.cleaning.edits import Edit
from datasets_app.curation.cleaning.words import listed

_WITH = sorted(
    listed(
        "don't can't won't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't couldn't wouldn't shouldn't mustn't "
        "needn't ain't mightn't I'm I've you're you've you'll you'd they're they've they'll they'd we've that's what's where's "
        "here's there's how's who's she's he's it'll it'd that'll that'd there'll would've could've should've might've must've "
        "o'clock y'all ma'am what're let's"
    )
)
_BY_BARE = {word.replace("'", "").lower(): word for word in _WITH}
BARE = frozenset(_BY_BARE)
_BARE = re.compile(rf"(?<![\w'’@#/.-])(?:{'|'.join(_BY_BARE)})(?![\w'’@/-])", re.IGNORECASE)
# "its" is right more often than not; before these words it stands for "it is" or "it has".
_ITS = re.compile(
    r"(?<![\w'’-])[Ii]ts(?= (?:a|an|the|not|been|my|your|our|his|this|that|going to|too|okay|ok|because|like|gonna|"
    r"saying|asking|giving|showing|getting|taking|always|really|still|now|also|all|impossible|possible|important to)(?!\w))"
)
_NOT_IT_IS = re.compile(r"(?:of|in|on|for|to|with|by|from|at|and|has|have|had|into) $", re.IGNORECASE)
_A_NOUN = re.compile(r"\b(?:the|his|her|their|my|your|our|its) $", re.IGNORECASE)
_LETS_OTHERS = re.compile(
    r" (?:you|me|us|him|her|them|it|people|users|customers|anyone|everyone|the|a|an|your|my|one)\b", re.I
)


def apostrophes(text: str) -> Iterator[Edit]:
    """`dont` to `don't`, `Im` to `I'm`, `its a` to `it's a`; case as it was, but for `I`."""
    for match in _BARE.finditer(text):
        if (new := _written(match, text)) is not None:
            yield Edit(match.start(), match.end(), new)
    for match in _ITS.finditer(text):
        if not _NOT_IT_IS.search(text[max(0, match.start() - 6) : match.start()]):
            yield Edit(match.start(), match.end(), f"{match[0][0]}t's")


def _written(match: re.Match[str], text: str) -> str | None:
    bare = match[0]
    right = _BY_BARE[bare.lower()]
    if bare == "IM" or (bare == "wont" and _A_NOUN.search(text[max(0, match.start() - 7) : match.start()])):
        return None  # instant message; "as is his wont"
    if bare.lower() == "lets" and (bare.isupper() or not _begins_a_sentence(text, match.start())):
        return None
    if bare.lower() == "lets" and _LETS_OTHERS.match(text[match.end() :]):
        return None
    if len(bare) > 2 and bare.isupper():
        return right.upper()
    return right[0].upper() + right[1:] if bare[0].isupper() else right


def _begins_a_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \"'(")
    return not before or before[-1] in ".!?\n:,"
