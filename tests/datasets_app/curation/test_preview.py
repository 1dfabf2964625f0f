"""What a recipe would do, on a sample."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.erasure import Phrase
from datasets_app.curation.errors import Refusal
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.preview import Preview
from datasets_app.curation.recipe import parse_recipe
from tests.datasets_app.curation.conftest import recipe


def looked(*files, rows=2000, seed=0, tokenizer=None, **options):
    return Preview(recipe(**options), files, rows=rows, seed=seed, tokenizer=tokenizer).report()


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
        *("normalize", "grammar", "personal_data", "length", "toxicity"),
        *("exact_duplicates", "near_duplicates", "split"),
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


def labelled(write, questions, sizes, *, copies=0):
    """A file of rows with labels, with near-copies of the first of them."""
    rows = iter(questions(sum(sizes.values())))
    lines = [(*next(rows), label) for label, count in sizes.items() for _ in range(count)]
    lines += [(f"{question} please", f"{answer} now", label) for question, answer, label in lines[:copies]]
    text = "".join(f"{question},{answer},{label}\n" for question, answer, label in lines)
    return write("rows.csv", f"prompt,completion,label\n{text}")


@pytest.mark.parametrize(("keep", "policy"), [("all", "drop"), ("best", "truncate"), ("best", "split")])
def test_of_all_rows_every_count_is_that_of_the_run(write, questions, curate, tokenizer, keep, policy):
    file = labelled(write, questions, {"a": 40, "b": 12}, copies=9)
    options = {
        "without": (),
        "tokenizer": tokenizer,
        "personal_data": {"names": False},
        "near_duplicates": {"keep": keep},
        "balance": {"method": "cap", "cap": 20},
        "tokens": {"limit": 15, "policy": policy},
    }
    ran, seen = curate(file, **options).report, looked(file, **options)
    for part in ("splits", "balance", "tokens"):
        assert seen[part] == {name: ran[part][name] for name in seen[part]}
    assert seen["duplicates"] == {name: ran["duplicates"][name] for name in seen["duplicates"]}
    assert seen["duplicates"]["near_rows"] == 18 and seen["tokens"]["over"]
    assert seen["rows"]["kept"] == ran["rows"]["kept"]
    counted = {each["kind"]: (each["changed"], each["dropped"]) for each in ran["steps"]}
    assert {each["kind"]: (each["changed"], sum(each["dropped"].values())) for each in seen["steps"]} == counted


def test_of_a_sample_copies_are_the_least_that_there_are_and_classes_are_balanced_in_their_whole_size(write, questions):
    file = labelled(write, questions, {"a": 300, "b": 60}, copies=120)
    options = {
        "balance": {"method": "cap", "cap": 100},
        "near_duplicates": {"keep": "first"},
        "personal_data": {"names": False},
    }
    whole, part = looked(file, **options), looked(file, rows=200, **options)
    assert (part["rows"]["sampled"], part["rows"]["seen"], part["rows"]["whole"]) == (200, 480, True)
    share = part["duplicates"]["near_rows"] / 200
    assert 0 < share < whole["duplicates"]["near_rows"] / 480
    assert part["groups"]["rows"] >= part["duplicates"]["near_rows"]
    before, after = part["balance"]["before"], part["balance"]["after"]
    assert before["a"] > 200 and after["a"] == 100 and after["b"] == before["b"] < 100
    assert step(part, "balance")["dropped"] == {} and sum(part["splits"].values()) == part["rows"]["kept"]


def test_long_rows_are_counted_where_the_recipe_would_stop_at_the_first(write, questions, tokenizer):
    file = labelled(write, questions, {"a": 20})
    found = looked(file, without=(), tokenizer=tokenizer, tokens={"limit": 14, "policy": "refuse"})
    assert found["tokens"]["over"] == 20 == found["tokens"]["would"]["refuse"]["refused"]
    assert step(found, "tokens")["dropped_examples"][0]["detail"] == "The row has 15 tokens; the limit is 14."
    assert found["rows"]["kept"] == 0


def test_tokens_are_not_counted_without_a_tokenizer(pairs):
    assert looked(pairs("a question"), without=())["tokens"] == {}


def test_rows_that_were_given_to_a_split_stay_there(pairs, questions):
    one, other = questions(30)[:20], questions(30)[20:]
    own = pairs(*other, name="own.csv")
    found = looked(pairs(*one), own, split={"train": 1, "validation": 0, "test": 0, "validation_files": ["own.csv"]})
    assert found["splits"] == {"train": 20, "validation": 10, "test": 0}


def test_nothing_is_left_where_nothing_came_through(pairs):
    found = looked(pairs("hi"), length={"question_least": 2})
    assert found["rows"]["kept"] == 0 and "splits" not in found and step(found, "split")["dropped"] == {}


def test_a_recipe_needs_no_split_to_be_looked_at(pairs):
    given = parse_recipe({"version": 1, "steps": [{"kind": "normalize"}]})
    assert Preview(given, [pairs("a question")]).report()["rows"]["kept"] == 1


def test_what_a_step_hid_is_veiled_though_the_text_alone_would_not_tell(pairs):
    found = looked(pairs(("our code word is Bluebird today", "Fine.")), personal_data={"deny": ["Bluebird"]})
    (example,) = step(found, "personal_data")["examples"]
    assert example["before"] == "user: our code word is B••• today\nassistant: Fine."
    assert "Bluebird" not in json.dumps(found)


def test_what_was_erased_under_the_workspaces_secret_is_left_out_here_too(pairs):
    secret = b"a secret of the workspace"
    asked = recipe(edits={"erased": [Phrase.of("Jane Doe").entry(Keys(secret))]})
    found = Preview(asked, [pairs("I am Jane Doe", "I am nobody")], secret=secret).report()
    assert found["rows"]["kept"] == 1 and step(found, "edits")["dropped"] == {"erased": 1}
