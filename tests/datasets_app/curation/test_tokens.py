"""How long a row is for a model."""

from __future__ import annotations

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.tokens import Histogram, TokenCounter, truncated, without_oldest


def talk(*pairs):
    return [{"role": role, "content": content} for role, content in pairs]


LONG = talk(
    ("system", "be kind"),
    ("user", "one two three"),
    ("assistant", "four five"),
    ("user", "six"),
    ("assistant", "seven"),
)


def test_tokens_are_counted_by_the_folder_s_own_tokenizer(tokenizer):
    assert TokenCounter(tokenizer).counts([LONG, talk(("user", "a b"), ("assistant", "c"))]) == [9, 3]


def test_a_row_that_the_template_refuses_has_no_count(tokenizer):
    assert TokenCounter(tokenizer).counts([talk(("assistant", "hi"))]) == [None]


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(Refusal, match="no tokenizer"):
        TokenCounter(tmp_path)


def test_truncating_drops_the_oldest_turns_and_keeps_system_prompt_and_answer(tokenizer):
    left, count = truncated(TokenCounter(tokenizer), LONG, limit=5)
    assert (left, count) == (talk(("system", "be kind"), ("user", "six"), ("assistant", "seven")), 4)


def test_of_the_last_question_the_end_is_cut_and_of_the_answer_nothing(tokenizer):
    asked = talk(("system", "be kind"), ("user", "a b c d e f g h i"), ("assistant", "j k"))
    left, count = truncated(TokenCounter(tokenizer), asked, limit=9)
    assert (left[1]["content"], left[2]["content"], count) == ("a b c d e", "j k", 9)


def test_where_the_answer_leaves_no_room_for_a_question_nothing_is_cut(tokenizer):
    assert truncated(TokenCounter(tokenizer), LONG, limit=3) is None
    asked = talk(("user", "a b c d e f"), ("assistant", "g h i j k"))
    assert truncated(TokenCounter(tokenizer), asked, limit=8) is None


def test_a_question_without_spaces_is_cut_too():
    from datasets_app.curation.tokens import _PIECE

    text = "字" * 40
    assert "".join(_PIECE.findall(text)) == text and len(_PIECE.findall(text)) == 4


def test_the_last_question_is_never_taken_out():
    assert without_oldest(talk(("user", "a"), ("assistant", "b"))) is None


def test_the_histogram_counts_up_to_and_with_its_edges():
    histogram = Histogram()
    for count in (1, 16, 17, 40):
        histogram.add(count)
    assert histogram.as_json() == [[16, 2], [32, 1], [48, 1]]


def test_a_pair_is_as_long_as_with_its_longer_answer(tokenizer):
    pair = talk(("user", "a b"), ("assistant", "c"), ("rejected", "d e f"))
    assert TokenCounter(tokenizer).counts([pair]) == TokenCounter(tokenizer).counts(
        [talk(("user", "a b"), ("assistant", "d e f"))]
    )
