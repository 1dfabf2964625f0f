"""What copies are recognised by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.dedupe import exact_key, features, greeting, opening, signature, sketch, words
from datasets_app.curation.rows import Conversation


def talk(*turns: str) -> Conversation:
    roles = ("user", "assistant")
    return Conversation(tuple({"role": roles[place % 2], "content": turn} for place, turn in enumerate(turns)))


def test_case_and_signs_do_not_make_two_texts_different():
    assert exact_key("Where is my card?") == exact_key("where  is my CARD")
    assert exact_key("Where is my card?") != exact_key("Where is my cart?")


def test_characters_are_words_where_no_space_stands_between_them():
    assert len(words("我的卡在哪里")) == 6
    assert len(words("カードはどこ now")) == 7
    assert len(words("naïve café")) == 2


def test_a_text_without_words_is_still_something():
    assert len(words("👍")) == 1 and words("👍")[0] != words("👎")[0]


def test_conversations_open_alike_when_the_first_words_of_the_user_are_the_same():
    first = opening(talk("Where is my card?", "On its way."))
    assert first == opening(talk("where is my card", "I do not know.", "And now?", "Still not."))
    assert first != opening(talk("Where is my cart?", "On its way."))


def test_a_greeting_alone_is_no_opening():
    assert opening(talk("Hi", "Hello!", "My card is lost", "Oh.")) != opening(
        talk("Hi", "Hello!", "A refund please", "Yes.")
    )
    assert opening(talk("👍", "Thanks")) != opening(talk("👎", "Sorry"))


def test_a_greeting_is_a_first_turn_of_a_word_or_two():
    assert greeting(talk("Hello!", "Hi.", "My card is lost", "Oh.")) == greeting(talk("hello", "Good day."))
    assert greeting(talk("👍", "Thanks")) != greeting(talk("👎", "Sorry"))
    assert greeting(talk("Where is my card?", "On its way.")) is None


def test_a_sketch_keeps_questions_before_answers():
    found = sketch(talk("a b", "c", "d", "e f g"))
    assert found.asked == 3 and found.answered == 6
    assert found.words.tolist() == words("a b d c e f g").tolist()


@given(st.lists(st.sampled_from("abcdefgh"), min_size=30, max_size=60), st.integers(0, 29))
def test_signatures_agree_as_far_as_texts_are_similar(letters, place):
    changed = [*letters[:place], "zz", *letters[place + 1 :]]
    one, other = (features(words(" ".join(each))) for each in (letters, changed))
    shared = len(np.intersect1d(one, other))
    similarity = shared / (len(one) + len(other) - shared)
    assert abs(similarity - float((signature(one) == signature(other)).mean())) < 0.25


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("How do I learn C++?", "How do I learn C#?"),
        ("Is 5 > 3?", "Is 5 < 3?"),
        ("\U0001f600", "\U0001f621"),
        ("-5", "5"),
    ],
)
def test_signs_that_say_something_make_another_text(left, right):
    assert exact_key(left) != exact_key(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Hello, there!", "hello there"),
        ("It\u2019s \u201cfine\u201d \u2013 really\u2026", "it's 'fine' - really"),
        ("a - b", "a b"),
        ("C ++", "c++"),
    ],
)
def test_punctuation_case_and_spaces_make_none(left, right):
    assert exact_key(left) == exact_key(right)
