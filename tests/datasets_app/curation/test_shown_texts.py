"""What ledger, report and preview show of rows hides what the version hides: the workspace's own list, what a column or a turn
before gives away, what a person accepted."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.detect import detect
from datasets_app.curation.erasure import Phrase
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pipeline import Pipeline
from datasets_app.curation.preview import Preview
from tests.datasets_app.curation.conftest import Curated, recipe

DENY = {"deny": ["project Nachtigall"], "names": False}


def rows() -> str:
    """Some with odd spacing for the report, near-copies for its largest groups, one without an answer for the ledger."""
    lines = ["question,answer"]
    lines += [f"What  is project  Nachtigall number {number} about in all?,It sings {number}." for number in range(12)]
    return "\n".join([*lines, "Who pays for project Nachtigall?,"]) + "\n"


def test_denied_words_stand_in_no_report_no_ledger_and_no_preview(write, tmp_path) -> None:
    file, asked = write("tickets.csv", rows()), recipe(personal_data=DENY, near_duplicates={"threshold": 0.5})
    out = tmp_path / "out"
    made = Curated(out, Pipeline(asked, [file], tokenizer=None, progress=lambda *_: None).run(out), [])
    normalized = next(each for each in made.report["steps"] if each["kind"] == "normalize")
    assert normalized["examples"] and made.ledger() and made.report["duplicates"]["largest"]
    preview = Preview(asked, [file]).report()
    assert any(each["dropped_examples"] for each in preview["steps"])
    for shown in (made.report, made.ledger(), made.rows(), preview):
        said = json.dumps(shown).lower()
        assert "nachtigall" not in said
    assert made.ledger()[0]["text"].startswith("Who pays for [PRIVATE]?")


SECRET = b"of the workspace"
ALL = {"train": 1.0, "validation": 0, "test": 0}


def shown_of(file, tmp_path, **options) -> list[str]:
    """Ledger, report and preview of a run, as texts."""
    asked, out = recipe(**options), tmp_path / "out"
    Pipeline(asked, [file], tokenizer=None, progress=lambda *_: None, secret=SECRET).run(out)
    made = Curated(out, "", [])
    assert made.ledger() and made.report["examples"]
    return [json.dumps(each) for each in (made.ledger(), made.report, Preview(asked, [file], secret=SECRET).report())]


@pytest.mark.parametrize("policy", ["mask", "drop_row"])
def test_what_only_a_column_gives_away_is_hidden_in_rows_that_are_left_out_and_in_examples(
    write, tmp_path, policy
) -> None:
    """The name is no name to anybody who does not see its column; an empty answer goes before the step that hides."""
    lines = ["customer_name,question,answer"]
    lines += [
        f"quillon vash,What  does quillon vash say about order {number}?,It is fine {number}." for number in range(6)
    ]
    lines += ["quillon vash,Why did quillon vash write?,", "other,How  is it?,Well enough."]
    hiding = {"names": False, "policy": {"PERSON": policy}}
    for said in shown_of(write("a.csv", "\n".join(lines) + "\n"), tmp_path, personal_data=hiding):
        assert "quillon" not in said.lower() and "vash" not in said.lower()


def test_what_a_person_accepted_is_hidden_there_too(write, tmp_path) -> None:
    """A number that the turn before gives away, of a type that the recipe keeps."""
    talk = [
        {"role": "assistant", "content": "What is your account number?"},
        {"role": "user", "content": "its  90417723"},
        {"role": "assistant", "content": "Thank  you."},
    ]
    file = write("a.jsonl", "\n".join(json.dumps({"messages": each}) for each in (talk, talk)) + "\n")
    key = Keys(SECRET).of_value("ACCOUNT_NUMBER", "90417723")
    keeping = {"names": False, "default": "keep", "decisions": {f"value:{key}": "accept"}}
    for said in shown_of(file, tmp_path, personal_data=keeping):
        assert "90417723" not in said


def test_of_what_is_erased_no_reason_quotes_a_word(write, tmp_path) -> None:
    entry = Phrase.of("Jane Doe").entry(Keys(SECRET))
    talks = [
        [{"role": "Jane Doe", "content": "hello"}, {"role": "assistant", "content": "hi there"}],
        [{"role": "user", "content": "hello you"}, {"role": "assistant", "content": "hi there friend"}],
    ]
    file = write("a.jsonl", "\n".join(json.dumps({"messages": each}) for each in talks))
    squad = {"title": "t", "paragraphs": [{"context": "c", "qas": [
        {"question": "Who is Jane Doe?", "answers": []}, {"question": "What is it?", "answers": [{"text": "c"}]},
    ]}]}  # fmt: skip
    other = write("b.json", json.dumps({"data": [squad]}))
    asked, out = recipe(edits={"erased": [entry]}, split=ALL), tmp_path / "out"
    Pipeline(asked, [file, other], tokenizer=None, progress=lambda *_: None, secret=SECRET).run(out)
    made = Curated(out, "", [])
    assert {row["reason"] for row in made.ledger()} == {"unknown_role", "no_answer"}
    assert "jane" not in json.dumps([made.ledger(), made.report, detect(other)["findings"]]).lower()
