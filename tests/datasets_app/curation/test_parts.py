"""A conversation that is too long as several that fit."""

from __future__ import annotations

from itertools import pairwise

import pytest

from datasets_app.curation.parts import exchanges, parts
from datasets_app.curation.tokens import TokenCounter


@pytest.fixture(scope="module")
def counter(tokenizer):
    return TokenCounter(tokenizer)


def talk(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


def test_turns_are_divided_between_answers_and_keep_the_instructions(counter):
    system, first = ("system", "be kind"), (("user", "a b c"), ("assistant", "d e"))
    second, third = (("user", "f"), ("assistant", "g")), (("user", "h"), ("assistant", "i"))
    found = parts(counter, talk(system, *first, *second, *third), limit=7)
    assert found == [(talk(system, *first), 7), (talk(system, *second, *third), 6)]


def test_every_answer_is_in_one_part_and_none_is_over_the_limit(counter):
    turns = [turn for n in range(20) for turn in (("user", "q " * (n % 7 + 1)), ("assistant", f"answer {n}"))]
    found = parts(counter, talk(*turns), limit=14)
    said = [turn["content"] for part, _ in found for turn in part if turn["role"] == "assistant"]
    assert said == [f"answer {n}" for n in range(20)]
    assert all(size <= 14 for _, size in found) and len(found) < 20


def test_a_long_question_is_cut_into_overlapping_windows_that_hold_all_of_it(counter):
    words = [f"w{n}" for n in range(100)]
    found = parts(counter, talk(("user", " ".join(words)), ("assistant", "it is so")), limit=20)
    windows = [part[0]["content"].split() for part, size in found if size <= 20]
    assert len(windows) == len(found) and {word for window in windows for word in window} == set(words)
    assert all(part[-1]["content"] == "it is so" for part, _ in found)
    assert all(set(one) & set(other) for one, other in pairwise(windows))


def test_a_row_whose_answer_leaves_no_room_is_not_divided(counter):
    answer = " ".join(f"a{n}" for n in range(30))
    assert parts(counter, talk(("user", "why"), ("assistant", answer)), limit=20) is None
    both = talk(("user", "a"), ("assistant", "b"), ("user", "why"), ("assistant", answer))
    assert parts(counter, both, limit=20) is None


def test_a_question_that_nobody_answered_stands_with_the_next():
    turns = talk(
        ("assistant", "hi"), ("user", "a"), ("user", "b"), ("assistant", "c"), ("user", "d"), ("assistant", "e")
    )
    assert [len(each) for each in exchanges(turns)] == [1, 3, 2]
