"""The list of swear words, insults, slurs and threats."""

from __future__ import annotations

import pytest

from datasets_app.curation.filters.lexicon import Toxicity, found_in
from datasets_app.curation.rows import Conversation


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("You IDIOT!", "idiot"),
        ("this is sh*t", "shit"),
        ("what the f**k", "fuck"),
        ("f.u.c.k this", "fuck"),
        ("f u c k this", "fuck"),
        ("fuuuuck", "fuck"),
        ("5h1t happens", "shit"),
        ("b!tch", "bitch"),
        ("a$$hole", "asshole"),
        ("go and kill yourself", "kill yourself"),
        ("I’ll kill you", "i'll kill you"),
    ],
)
def test_words_are_found_also_when_they_are_masked(text, word):
    assert word in [hit for hit, _category in found_in(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Scunthorpe and Shitake farms, a cocktail, Dickens, classic assistants",
        "I paid $5 for 455 screws * 3 # 2",
        "a*b*c = d, s** and **bold** text",
        "push it in, if you see Kay",
        "The bass is 4 feet; a b c d e f",
        "",
    ],
)
def test_innocent_text_is_not(text):
    assert found_in(text) == []


def test_the_filter_looks_at_the_chosen_place_and_categories():
    row = Conversation(({"role": "user", "content": "you idiot"}, {"role": "assistant", "content": "Sorry."}))
    assert Toxicity().judge(row).reason == "insults"
    assert "idiot" not in Toxicity().judge(row).detail
    assert Toxicity(place="answer").judge(row) is None
    assert Toxicity(["slurs"]).judge(row) is None
    assert Toxicity(least=2).judge(row) is None
    assert Toxicity(allow=["Idiot"]).judge(row) is None
