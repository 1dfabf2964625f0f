"""The training rows most like an answer: found by shared words, the telling ones first, and never a test row."""

from __future__ import annotations

import json
import sys

import pyarrow.parquet as pq
import pytest

from datasets_app.curation.__main__ import main
from datasets_app.curation.browsing.nearest import marked, nearest, same_run, words_in
from datasets_app.curation.browsing.words import SAYING, WORDS, words_of
from tests.datasets_app.curation.browsing.conftest import row

REFUND = "We refund the full price within fourteen days."


@pytest.fixture
def support(folder):
    """Forty rows that answer alike, two that speak of refunds, one of them in other words; a test row that says the same."""
    train = [row(number, f"Where is parcel {number}?", "It is on its way to you.") for number in range(40)]
    train.append(row(40, "May I send it back?", REFUND))
    train.append(row(41, "What of my money?", "You have the price back within fourteen days, but for postage."))
    return folder(train=train, test=[row(90, "May I send it back?", REFUND)])


def places(found) -> list[int]:
    return [each.place for each in found.rows]


def test_the_row_that_gave_the_answer_comes_first_and_is_wholly_alike(support) -> None:
    found = nearest(support, question="May I send it back?", answer=REFUND, limit=3)
    assert places(found)[:2] == [40, 41]
    first, second = found.rows[:2]
    assert (first.likeness, first.answered, first.asked) == pytest.approx((1, 1, 1), abs=1e-4)
    assert 0.2 < second.answered < 0.8 and second.asked < first.asked


def test_words_that_every_row_says_hardly_count(support) -> None:
    found = nearest(support, question="", answer="It is on its way: the full price within fourteen days.", limit=2)
    assert places(found) == [40, 41]


def test_without_a_question_the_answer_alone_counts(support) -> None:
    first = nearest(support, question="", answer=REFUND, limit=1).rows[0]
    assert (first.place, first.asked) == (40, 0) and first.likeness == pytest.approx(1, abs=1e-4)


def test_equal_answers_are_told_apart_by_their_questions(support) -> None:
    found = nearest(support, question="Where is parcel 7?", answer="It is on its way to you.", limit=1)
    assert places(found) == [7]


def test_test_and_validation_rows_are_not_looked_at(folder) -> None:
    made = folder(
        train=[row(0, "Hello?", "Good day.")], validation=[row(1, "Who?", REFUND)], test=[row(2, "Who?", REFUND)]
    )
    assert nearest(made, question="Who?", answer=REFUND, limit=5).rows == []


def test_an_answer_that_shares_no_word_is_like_nothing(support) -> None:
    for answer in ("Zebras graze.", "", "   ", "???", "\x00"):
        assert nearest(support, question="", answer=answer, limit=5).rows == []


def test_what_balancing_wrote_again_counts_once(folder) -> None:
    rows = [row(0, "Who?", "Nobody here."), row(0, "Who?", "Nobody here.", repeat=1), row(1, "Who?", "Somebody there.")]
    found = nearest(folder(train=rows), question="Who?", answer="Nobody here.", limit=5)
    assert places(found) == [0, 2]


def test_languages_without_spaces_are_found_letter_by_letter(folder) -> None:
    made = folder(train=[row(0, "退款?", "我们会在十四天内退款。"), row(1, "包裹?", "包裹在路上。")])
    assert places(nearest(made, question="", answer="十四天内退款", limit=1)) == [0]


def test_a_row_without_any_text_and_other_roles_do_no_harm(folder) -> None:
    odd = row(0, "", None) | {
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": None}]
    }
    made = folder(train=[odd, row(1, "Who?", "Nobody.")])
    assert places(nearest(made, question="kind", answer="Nobody be kind", limit=5)) == [1]


def test_the_words_are_written_once_and_hold_no_test_row(support) -> None:
    nearest(support, question="", answer=REFUND, limit=1)
    made = {name: (support / name).stat().st_mtime_ns for name in (WORDS, SAYING)}
    nearest(support, question="", answer=REFUND, limit=1)
    assert made == {path.name: path.stat().st_mtime_ns for path in words_of(support)}
    assert max(pq.read_table(support / SAYING)["place"].to_pylist()) == 41
    assert not [each for each in support.iterdir() if each.name.startswith(".words")]


def test_the_command_line_makes_them_with_the_index(tmp_path, monkeypatch) -> None:
    lines = [{"prompt": f"Where is number {n}?", "completion": f"On shelf {n * 7}."} for n in range(30)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    recipe = {"version": 1, "mapping": None, "system_prompt": "", "steps": [{"kind": "split"}]}
    (tmp_path / "r.json").write_text(json.dumps(recipe))
    asked = ["--recipe", str(tmp_path / "r.json"), "--in", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["curation", "run", "--index", *asked])
    assert main() == 0
    assert (tmp_path / "out" / WORDS).exists() and (tmp_path / "out" / SAYING).exists()


def test_shared_words_are_marked_and_runs_of_them_together() -> None:
    pieces = marked("We REFUND the price, fully.", frozenset({"refund", "the", "fully"}))
    assert pieces == [("We ", False), ("REFUND the", True), (" price, ", False), ("fully", True), (".", False)]
    assert "".join(text for text, _ in marked("a " * 9, frozenset("a"))) == "a " * 9
    assert marked("", frozenset()) == []


def test_the_longest_run_of_equal_words_is_counted() -> None:
    assert same_run(words_in("It is on its way to you."), words_in("Surely it is ON its way, Sir.")) == 5
    assert same_run(["a"], ["b"]) == 0
    assert same_run(["a"] * 5_000, ["a"] * 5_000) == 500
