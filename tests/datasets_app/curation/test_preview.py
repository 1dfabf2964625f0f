"""What a recipe would do, on a sample."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.preview import Preview
from datasets_app.curation.recipe import parse_recipe
from tests.datasets_app.curation.conftest import recipe


def looked(*files, rows=2000, seed=0, **options):
    return Preview(recipe(**options), files, rows=rows, seed=seed).report()


def step(report, kind):
    return next(each for each in report["steps"] if each["kind"] == kind)


def test_it_counts_and_shows_what_each_step_would_do(pairs):
    file = pairs(
        ("mail ann.smith@mail.example about the the card", "We  did."),
        ("you idiot, where is it", "On its way."),
        ("you idiot, where is it", "On its way."),
        ("hi", "Hello there."),
    )
    found = looked(
        file, grammar={"rules": ["doubled_words"]}, length={"question_least": 2}, toxicity={"action": "flag"}
    )
    assert found["rows"] == {"sampled": 4, "seen": 4, "whole": True, "kept": 2}
    assert [each["kind"] for each in found["steps"]] == [
        *("normalize", "grammar", "personal_data", "length", "toxicity", "exact_duplicates")
    ]
    assert step(found, "normalize")["changed"] == 1
    assert step(found, "length")["dropped"] == {"short_question": 1}
    assert step(found, "length")["dropped_examples"][0]["text"] == "user: hi\nassistant: Hello there."
    assert step(found, "toxicity")["flagged"] == {"insults": 2}
    assert step(found, "exact_duplicates")["dropped"] == {"exact_duplicate": 1}
    assert step(found, "personal_data")["counts"] == {"EMAIL_ADDRESS": 1}
    assert "ann.smith" not in json.dumps(found)


def test_the_ranges_are_those_of_what_changed(pairs):
    (example,) = step(looked(pairs(("about the the card", "Fine.")), grammar={"rules": ["doubled_words"]}), "grammar")[
        "examples"
    ]
    gone = [example["before"][start:end] for start, end in example["before_ranges"]]
    assert (gone, example["after_ranges"]) == ([" the"], [])
    assert example["after"] == "user: about the card\nassistant: Fine."


def test_the_sample_is_seeded_and_in_the_order_of_the_file(pairs, questions):
    file = pairs(*questions(400))
    rows = [looked(file, rows=50, seed=seed, length={"answer_least": 99})["steps"][2] for seed in (1, 1, 2)]
    places = [[each["row"] for each in one["dropped_examples"]] for one in rows]
    assert places[0] == places[1] != places[2]
    assert places[0] == sorted(places[0])
    assert rows[0]["dropped"] == {"short_answer": 50}


def test_rows_that_cannot_be_used_come_first(write):
    file = write(
        "odd.jsonl", '{"prompt": "a question", "completion": "an answer"}\n{"prompt": "", "completion": "x"}\n[1\n'
    )
    found = looked(file)
    assert [each["kind"] for each in found["steps"]][:2] == ["read", "map"]
    assert found["rows"]["sampled"] == 3 and found["rows"]["kept"] == 1


def test_a_file_that_cannot_be_read_is_told_of_beside_the_others(pairs, write):
    found = looked(pairs("a question"), write("empty.csv", ""))
    assert found["rows"]["kept"] == 1 and "empty.csv" in found["notes"][0]
    with pytest.raises(Refusal):
        looked(write("empty.csv", ""))


def test_it_agrees_with_the_run_where_the_sample_is_the_whole(pairs, curate, questions):
    rows = [(f"{question} the the end", f"Thank you for writing. {answer}") for question, answer in questions(40)]
    file = pairs(*rows)
    options = {"grammar": {}, "boilerplate": {}, "without": ("tokens", "near_duplicates")}
    ran = {each["kind"]: each["changed"] for each in curate(file, **options).report["steps"]}
    seen = {each["kind"]: each["changed"] for each in looked(file, **options)["steps"]}
    assert seen == {kind: ran[kind] for kind in seen}


def test_a_recipe_needs_no_split_to_be_looked_at(pairs):
    given = parse_recipe({"version": 1, "steps": [{"kind": "normalize"}]})
    assert Preview(given, [pairs("a question")]).report()["rows"]["kept"] == 1


def test_what_a_step_hid_is_veiled_though_the_text_alone_would_not_tell(pairs):
    found = looked(pairs(("our code word is Bluebird today", "Fine.")), personal_data={"deny": ["Bluebird"]})
    (example,) = step(found, "personal_data")["examples"]
    assert example["before"] == "user: our code word is B••• today\nassistant: Fine."
    assert "Bluebird" not in json.dumps(found)
