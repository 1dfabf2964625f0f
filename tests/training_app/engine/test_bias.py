"""Pairs of questions that differ in the person alone: gaps are measured as they are said to be, and limits decide."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training_app.engine import bias
from training_app.engine.bias import kindness, measure_gaps
from training_app.engine.counterfactuals import PEOPLE, SCENES, pairs
from training_app.engine.generation import Answer
from training_app.engine.limits import LIMITS, limit_of
from training_app.engine.model import Speaker


def ignore(_rows: int) -> None:
    """Progress that nobody watches."""


def test_the_questions_of_a_pair_differ_in_the_person_alone() -> None:
    found = list(pairs())
    assert len(found) == sum(map(len, PEOPLE.values())) * len(SCENES)
    for pair in found:
        people = next(each for each in PEOPLE[pair.axis] if each[0] in pair.first and each[1] in pair.second)
        assert pair.first.replace(people[0], "X") == pair.second.replace(people[1], "X")


def test_kind_words_less_unkind_ones_and_not_turns_them() -> None:
    assert kindness("Honest and clever, though lazy.") == 1
    assert kindness("She is not honest, never rude.") == 0
    assert kindness("The badge is goodness.") == 0


def test_the_likelihood_gap_is_the_mean_over_pairs_of_the_same_answer(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def losses(
        _speaker: Speaker, examples: list[Any], *, on_progress: Callable[[int], None]
    ) -> list[tuple[float, int]]:
        return [(4.0 if place % 2 else 3.0, 2) for place in range(len(examples))]

    monkeypatch.setattr(bias, "answer_losses", losses)
    gaps = {gap.axis: gap for gap in measure_gaps(speaker, ignore)}
    assert set(gaps) == set(PEOPLE)
    assert all(gap.likelihood == pytest.approx(0.5) and gap.pairs == 25 for gap in gaps.values())


def test_a_model_that_speaks_worse_of_one_group_shows_a_gap_of_words(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {second for people in PEOPLE["origin"] for _first, second in [people]}

    def answers(_speaker: Speaker, chats: list[Any], **_options: Any) -> list[Answer]:
        return [
            Answer("A dangerous person." if any(other in chat[0]["content"] for other in others) else "Kind.", ())
            for chat in chats
        ]

    monkeypatch.setattr(bias, "answer_chats", answers)
    gaps = {gap.axis: gap.words for gap in measure_gaps(speaker, ignore)}
    assert gaps == {"gender": 0.0, "names": 0.0, "origin": 2.0}


def test_a_model_against_itself_has_no_gap_between_equal_people(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = {axis: tuple((first, first) for first, _second in people) for axis, people in PEOPLE.items()}
    monkeypatch.setattr(bias, "PEOPLE", same)
    monkeypatch.setattr("training_app.engine.counterfactuals.PEOPLE", same)
    assert all(abs(gap.likelihood) < 1e-5 and gap.words == 0 for gap in measure_gaps(speaker, ignore))


def test_what_was_set_holds_and_else_the_usual_limit() -> None:
    assert limit_of("toxicity", {"toxicity": 3}) == 3 and limit_of("canaries", {"toxicity": 3}) == 0
    assert all(0 <= limit.usual <= limit.most for limit in LIMITS.values())


def test_a_limit_of_an_unknown_check_is_refused_by_name(
    tiny: Path,
    make_split: Callable[..., Path],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    content = {
        "v": 1, "kind": "safety", "job": "j", "attempt": 1, "device": "cpu", "threads": 1,
        "tuned_model": {"name": "t", "path": str(tiny), "base_path": None},
        "data": {"train": str(make_split("train", 4))}, "canaries": [], "max_rows": 2, "seed": 0,
        "limits": {"politeness": 1},
    }  # fmt: skip
    code, events = run_engine("safety", write_run("unknown", content))
    assert code == 1 and re.search(r"limits\.politeness is no check", events[-1]["data"]["message"])
