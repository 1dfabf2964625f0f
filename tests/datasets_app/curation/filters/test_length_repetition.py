"""Too short, too long, too repetitive."""

from __future__ import annotations

import pytest

from datasets_app.curation.filters.length import Length
from datasets_app.curation.filters.repetition import Repetition, repeated_share, top_share
from datasets_app.curation.rows import Conversation


def pair(question, answer, **more):
    return Conversation(({"role": "user", "content": question}, {"role": "assistant", "content": answer}), **more)


def test_bounds_are_inclusive_and_name_the_value():
    words = Length("words", question=(2, 3), answer=(1, None))
    assert words.judge(pair("two words", "one")) is None
    assert words.judge(pair("three more words", "one")) is None
    short, long = words.judge(pair("one", "one")), words.judge(pair("one two three four", "one"))
    assert (short.reason, long.reason) == ("short_question", "long_question")
    assert short.detail == "The question has 1 word, fewer than the 2 that the recipe wants."
    assert Length("characters", answer=(None, 3)).judge(pair("q", "four")).reason == "long_answer"


def test_a_label_is_never_too_short():
    assert Length("words", answer=(5, None)).judge(pair("q", "spam", label="spam", answer_is_label=True)) is None


def test_all_turns_of_a_role_count_together():
    turns = [{"role": role, "content": "a b"} for role in ("user", "assistant", "user", "assistant")]
    assert Length("words", question=(4, 4), answer=(4, 4)).judge(Conversation(tuple(turns))) is None


PROSE = (
    "The card was sent on Monday and should reach you within five working days. If it does not, please write to us "
    "again, and we will send another one to the same address at no cost. You may also collect it from a branch."
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PROSE, None),
        ("ok ok ok", None),
        (f"{PROSE} {PROSE}", "repeated_text"),
        ("please help me now " * 8, "one_phrase"),
        ("\n".join(["one line of some words here", "and another line with words"] * 3), "repeated_lines"),
        ("Heeeeeeeeeeeeeeeeeeeeeeeeeeelp", "repeated_characters"),
        ("-" * 60 + " 1000000000000000000000000000", None),
        ("我的卡丢了怎么办呢请帮帮我吧谢谢" * 4, "repeated_text"),
        ("我昨天在商店里丢了银行卡，现在想知道怎样才能尽快冻结它并申请一张新的。", None),
    ],
)
def test_repetition(text, reason):
    found = Repetition().judge_text(text)
    assert (found.reason if found else None) == reason


def test_shares_worked_out_by_hand():
    assert top_share(list("ababababcd"), 2) == ("a b", 0.8)
    assert repeated_share(["a", "b", "c", "a", "b", "d"], 2) == pytest.approx(2 / 6)
    assert top_share(["one"], 2) == ("", 0.0) and repeated_share([], 5) == 0
