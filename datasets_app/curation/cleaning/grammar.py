"""English grammar by rules that need no model: each finds edits, each can be switched off. Other languages are left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from datasets_app.curation.cleaning.apostrophes import apostrophes
from datasets_app.curation.cleaning.articles import articles
from datasets_app.curation.cleaning.edits import Edit, apply, is_free, protected
from datasets_app.curation.cleaning.sentences import end_marks, sentence_capitals
from datasets_app.curation.cleaning.spacing import doubled_words, spacing
from datasets_app.curation.cleaning.words import looks_english

Finder = Callable[[str], Iterator[Edit]]

# In the order they run: later rules read what earlier ones left.
RULES: Mapping[str, Finder] = {
    "spacing": spacing,
    "doubled_words": doubled_words,
    "apostrophes": apostrophes,
    "articles": articles,
    "sentence_capitals": sentence_capitals,
    "end_marks": end_marks,
}


def correct(text: str, rules: Iterable[str] = tuple(RULES)) -> tuple[str, Counter[str]]:
    """The text after the named rules, and how many edits each made.

    Code, masks, slots, numbers, URLs and addresses are not touched (see `edits.protected`).
    """
    chosen, made = frozenset(rules), Counter[str]()
    english: bool | None = None
    for name, find in RULES.items():
        if name not in chosen or not (edits := list(find(text))):
            continue
        if english is None and not (english := looks_english(text)):
            break
        stretches = protected(text)
        if free := [edit for edit in edits if is_free(edit, stretches)]:
            text = apply(text, free)
            made[name] += len(free)
    return text, made
