"""Filters in whole runs: every row that goes is in the ledger, with the value that decided."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.errors import Refusal

PLAIN = ("tokens", "near_duplicates")


def gone(curated):
    return {row["step"]: (row["reason"], row["detail"]) for row in curated.ledger()}


def report_of(curated, kind):
    return next(step for step in curated.report["steps"] if step["kind"] == kind)


def test_filters_leave_rows_out_with_a_reason(pairs, curate, questions):
    file = pairs(
        *questions(10),
        ("hi", "Hello, how can we help?"),
        ("Können Sie mir bitte sagen, wo meine neue Karte ist?", "Your card is on its way to you."),
        ("please help me now " * 10, "Of course we can."),
        ("you idiot, where is my parcel", "It is on its way."),
        ("TEST-123 internal note only", "Nothing to see here."),
    )
    found = curate(
        file,
        without=PLAIN,
        length={"question_least": 2},
        language={"languages": ["en"], "accuracy": "low"},
        repetition={},
        toxicity={},
        patterns={"patterns": [r"\btest-\d+"]},
    )
    assert found.adds_up()
    assert gone(found) == {
        "length": ("short_question", "The question has 1 word, fewer than the 2 that the recipe wants."),
        "language": ("language", "The text is in “de”; the recipe keeps en."),
        "repetition": ("one_phrase", "“please help” alone is 67% of the text; at most 20% may be."),
        "toxicity": ("insults", "The text has one hit in the list of insults (“i****”)."),
        "patterns": ("pattern", "“TEST-123” matches the pattern “\\btest-\\d+”."),
    }
    assert report_of(found, "language")["counts"]["language_de"] == 1
    assert any(note.startswith("Languages of the rows before they were filtered: ") for note in found.report["notes"])


def test_flagged_rows_stay_and_are_told_of(pairs, curate):
    found = curate(
        pairs(("you idiot, where is my parcel", "On its way."), ("where is my card", "Here.")),
        without=PLAIN,
        toxicity={"action": "flag"},
        length={"action": "flag", "answer_least": 2},
    )
    assert found.report["rows"]["kept"] == 2 and found.ledger() == []
    assert report_of(found, "toxicity")["counts"] == {"flagged_insults": 1}
    assert report_of(found, "length")["counts"] == {"flagged_short_answer": 1}
    assert "1 row was flagged by toxicity (1 × insults) and kept." in found.report["notes"]


def test_conditions_see_the_columns_of_the_file(write, curate):
    lines = [
        {"question": f"question number {n} of many", "answer": f"answer {n}", "rating": n % 5 + 1} for n in range(20)
    ]
    file = write("rated.jsonl", "\n".join(map(json.dumps, lines)))
    keep = {"all": [{"column": "rating", "op": ">=", "value": 4}, {"derived": "words", "op": "<", "value": 100}]}
    found = curate(file, without=PLAIN, conditions={"keep": keep})
    assert found.report["rows"] == {"in": 20, "kept": 8, "dropped": {"condition": 12}}
    assert "The column “rating” is “1”: “rating >= 4” is not met." in {row["detail"] for row in found.ledger()}


def test_sentences_of_every_answer_are_cut_and_rows_of_nothing_else_can_go(pairs, curate, questions):
    rows = [(question, f"Thank you for writing to us. {answer}") for question, answer in questions(30)]
    rows.append(("a question that nobody answered", "Thank you for writing to us."))
    cut = curate(pairs(*rows), without=(*PLAIN, "personal_data"), boilerplate={})
    answers = [row["messages"][-1]["content"] for row in cut.rows()]
    assert answers.count("Thank you for writing to us.") == 1
    assert sum("Thank you" in answer for answer in answers) == 1
    gone_too = curate(pairs(*rows), out="drop", without=(*PLAIN, "personal_data"), boilerplate={"action": "drop"})
    assert gone(gone_too)["boilerplate"][0] == "boilerplate"
    assert gone_too.report["rows"]["kept"] == 30


def test_surveys_make_the_result_no_different_in_several_processes(pairs, curate, questions):
    file = pairs(*[(question, f"Thank you for writing. {answer}") for question, answer in questions(700)])
    options = {"without": (*PLAIN, "personal_data"), "boilerplate": {}}
    one = curate(file, out="one", processes=1, **options)
    two = curate(file, out="two", processes=2, **options)
    assert one.digest == two.digest
    assert report_of(one, "boilerplate")["changed"] == report_of(two, "boilerplate")["changed"] == 700


def test_personal_data_in_the_reason_is_veiled(pairs, curate):
    found = curate(
        pairs("write to ann.smith@mail.example please", "a question of the others"),
        without=(*PLAIN, "personal_data"),
        patterns={"patterns": ["[a-z.]+@[a-z.]+"]},
    )
    detail = gone(found)["patterns"][1]
    assert "ann.smith" not in detail and detail.startswith("“a•••")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"patterns": {"patterns": ["a(b"]}}, "The pattern “a(b” cannot be used: missing ): a(b."),
        ({"language": {"languages": ["xx"]}}, "“xx” is no known language"),
        ({"length": {"answer_least": 9, "answer_most": 3}}, "The least length of the answer is more than the most."),
        ({"conditions": {"keep": {"column": "a"}}}, "is no comparison"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(pairs, curate, options, says):
    with pytest.raises(Refusal) as refused:
        curate(pairs("a question"), **options)
    assert says in refused.value.sentence
