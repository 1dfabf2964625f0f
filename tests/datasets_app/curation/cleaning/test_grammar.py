"""English grammar by rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.cleaning.edits import protected
from datasets_app.curation.cleaning.grammar import RULES, correct

RIGHT = [
    "He said that that was what he had had in mind.",
    "It was very very good, and she really really liked it.",
    "An hour, a unit, a European user, an unimportant one and a one-off.",
    "Is option a or option b the right one? Vitamin a is.",
    "An MRI scan costs more than a PDF file.",
    "Its cover is blue, and the cat licks its paw.",
    "The wont of kings; he lets you in; we were ill.",
    "Visit node.js or e.g. the site example.com at 3.14 p.m. on Monday.",
    "Wait... what? She left at 10:30, i.e. too late.",
    "New York New York is a song, and so is Duran Duran's.",
    "Pay 1,000 euros, or 2.5 % of it :) today.",
    'She cried "Go!" and left.',
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_sentences_are_left_alone(text):
    assert correct(text) == (text, {})


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("doubled_words", "Send the the card to my my sister.", "Send the card to my sister."),
        ("doubled_words", "Send it to\nto the shop.", "Send it to the shop."),
        ("articles", "I had a apple and an car in a hour.", "I had an apple and a car in an hour."),
        (
            "articles",
            "It is an useful thing for a 8 year old with a SMS.",
            "It is a useful thing for an 8 year old with an SMS.",
        ),
        (
            "apostrophes",
            "I dont know, its a bug and theyre slow. Im out.",
            "I don't know, it's a bug and they're slow. I'm out.",
        ),
        ("apostrophes", "DONT pay. Lets go home.", "DON'T pay. Let's go home."),
        ("sentence_capitals", "the card came. it works, and i like it.", "The card came. It works, and I like it."),
        ("end_marks", "The card has been sent to you", "The card has been sent to you."),
        ("end_marks", "Hi, where is my new card", "Hi, where is my new card?"),
        ("end_marks", "The order is late. If I cancel it, do I get the money back", None),
        ("spacing", "First ,second,third .Then more !", "First, second, third. Then more!"),
        ("spacing", "See ( the note )for the fee(about five euros).", "See (the note) for the fee (about five euros)."),
    ],
)
def test_each_rule_mends_its_own_slips(rule, before, after):
    mended, made = correct(before, [rule])
    assert mended == (after or before + "?")
    assert set(made) == {rule}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_switched_off_changes_nothing(rule):
    text = "the the cat dont eat a apple ,and i go"
    others = [name for name in RULES if name != rule]
    assert rule not in correct(text, others)[1]
    assert rule in correct(text, [rule])[1]


@pytest.mark.parametrize(
    "text",
    [
        "hola, dont se porque el banco no me deja pagar con la tarjeta ,gracias",
        "ich war im im Haus und habe die die Karte nicht bekommen ,danke",
        "你好 ,世界",
    ],
)
def test_other_languages_are_left_alone(text):
    assert correct(text)[0] == text


@pytest.mark.parametrize(
    "kept",
    [
        "`i = a ,b`",
        "```\nthe the i ,x\n```",
        "https://a.example/i?a=the,the",
        "{a apple}",
        "[EMAIL]",
        "i ,a@b.example",
        "<<1+1=2>>",
    ],
)
def test_code_masks_slots_and_addresses_stay(kept):
    closed = [kept[start:end] for start, end in protected(kept)]
    mended, made = correct(f"please look at {kept} and the the rest of it")
    assert made["doubled_words"] >= 1
    assert all(part in mended for part in closed)


def test_lines_of_program_code_stay():
    code = "for i in range(3):\n    print(i ,i)\nlet x = a;"
    assert correct(f"This is how it works:\n{code}\nthat is all there is to say")[0].count(code) == 1


def test_an_end_mark_is_not_guessed_where_it_is_open():
    for text in (
        "You want the blue card, right",
        "How to get a card quickly",
        "Blue card for travellers",
        "- a point in a list is this",
    ):
        assert correct(text, ["end_marks"])[0] == text


PIECES = [
    "the",
    "a",
    "an",
    "i",
    "its",
    "dont",
    "card",
    "is",
    "apple",
    "hour",
    ".",
    ",",
    "?",
    "(",
    ")",
    "3",
    ":)",
    "[NAME]",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_masks_survive_whatever_stands_around_them(words):
    text = " ".join(words)
    assert correct(text)[0].count("[NAME]") == text.count("[NAME]")
