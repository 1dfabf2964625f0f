"""What people may write into a recipe."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.kinds import KINDS
from datasets_app.curation.recipe import load_recipe, parse_recipe


def with_steps(*steps):
    return {"version": 1, "mapping": None, "steps": list(steps)}


def test_options_that_were_left_out_are_spelled_out():
    (step,) = parse_recipe(with_steps({"kind": "split"})).steps
    assert (step.options["train"], step.options["seed"]) == (0.8, 0)


def test_a_step_that_is_switched_off_is_not_run():
    assert parse_recipe(with_steps({"kind": "normalize", "enabled": False})).step("normalize") is None


def test_the_cleaning_steps_can_change_places():
    recipe = parse_recipe(with_steps({"kind": "spelling"}, {"kind": "normalize"}, {"kind": "split"}))
    assert [step.kind for step in recipe.steps] == ["spelling", "normalize", "split"]


@pytest.mark.parametrize(
    "given",
    [
        with_steps({"kind": "normalize"}, {"kind": "edits"}),
        with_steps({"kind": "edits", "options": {"rows": [{"row": 1}]}}),
        with_steps({"kind": "magic", "enabled": False}),
        [],
        {"version": 2, "steps": []},
        {"version": 1},
        with_steps("split"),
        with_steps({"kind": "magic"}),
        with_steps({"kind": "split", "options": {"portion": 1}}),
        with_steps({"kind": "split", "options": {"train": 0.5}}),
        with_steps({"kind": "split", "options": {"train": "much"}}),
        with_steps({"kind": "split"}, {"kind": "split"}),
        with_steps({"kind": "split"}, {"kind": "normalize"}),
        with_steps({"kind": "near_duplicates", "options": {"threshold": 0.1}}),
        with_steps({"kind": "tokens", "options": {"policy": "shorten"}}),
        with_steps({"kind": "tokens", "options": {"limit": 2}}),
        with_steps({"kind": "personal_data", "options": {"policy": {"EMAIL_ADDRESS": "burn"}}}),
        with_steps({"kind": "personal_data", "options": {"policy": []}}),
        with_steps({"kind": "split", "options": {"validation_files": "b.csv"}}),
        with_steps({"kind": "split", "options": {"seed": None}}),
        with_steps({"kind": "personal_data", "options": {"allow": 3}}),
        with_steps({"kind": "split", "options": [1]}),
        {**with_steps(), "mapping": [1]},
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused_with_a_sentence(given):
    with pytest.raises(Refusal) as refused:
        parse_recipe(given)
    assert refused.value.code in ("bad_recipe", "bad_mapping")
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize("content", ["{", "[" * 100_000, b"\xff"])
def test_a_recipe_file_that_is_no_json_is_refused(write, content):
    with pytest.raises(Refusal):
        load_recipe(write("recipe.json", content))


def test_a_recipe_survives_the_way_through_json(write):
    recipe = load_recipe(write("recipe.json", json.dumps(with_steps(*({"kind": kind.name} for kind in KINDS)))))
    assert parse_recipe(json.loads(json.dumps(recipe.as_json()))) == recipe
