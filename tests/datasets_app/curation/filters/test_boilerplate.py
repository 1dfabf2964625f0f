"""Sentences that many rows share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.filters.boilerplate import Boilerplate, Sightings, sentences
from datasets_app.curation.rows import Conversation

HELLO, BYE = "Thank you for contacting us.", "Have a nice day!"


def row(answer, **more):
    return Conversation(
        ({"role": "user", "content": "Hello there my friend."}, {"role": "assistant", "content": answer}), **more
    )


def surveyed(*answers):
    survey = Sightings()
    for answer in answers:
        survey.add(row(answer))
    return survey


def test_openings_and_closings_that_recur_are_found_and_cut():
    survey = surveyed(
        *(f"{HELLO} Parcel {place} is on its way to you. {BYE}" for place in range(40)), "Something else entirely."
    )
    found = survey.repeated(0.5)
    assert sorted(found) == ["have a nice day", "thank you for contacting us"]
    cut = Boilerplate(found)
    assert cut.strip(row(f"{HELLO} Parcel 7 is late.\n{BYE}")).messages[1]["content"] == "Parcel 7 is late."
    assert cut.strip(row("THANK YOU, for contacting us! Go on.")).messages[1]["content"] == "Go on."


def test_a_sentence_counts_once_a_row_and_needs_twenty_rows():
    assert surveyed(*[f"{HELLO} {HELLO}"] * 19).repeated(0.01) == []
    assert surveyed(*[f"{HELLO} {HELLO}"] * 20).repeated(0.01) == ["thank you for contacting us"]


def test_an_answer_of_nothing_else_stays_whole_or_is_judged():
    cut = Boilerplate(["thank you for contacting us", "have a nice day"])
    assert cut.strip(row(HELLO)) == row(HELLO)
    assert cut.judge(row(f"{HELLO} {BYE}")).reason == "boilerplate"
    assert cut.judge(row(f"{HELLO} Your parcel is late.")) is None


def test_labels_and_questions_are_no_boilerplate():
    survey = Sightings()
    for _ in range(50):
        survey.add(row("card arrival is late", answer_is_label=True))
    assert survey.repeated(0.1) == [] and survey.rows == 0
    assert Boilerplate(["card arrival is late"]).judge(row("card arrival is late", answer_is_label=True)) is None


@given(st.text("ab .!?\n", max_size=60))
def test_sentences_together_are_the_text(text):
    assert "".join(text[start:end] for start, end in sentences(text)) == text
