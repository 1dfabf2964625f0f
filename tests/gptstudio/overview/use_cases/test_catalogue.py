"""The use cases: each whole, and each with a recipe that curation takes."""

from __future__ import annotations

import pytest

from datasets_app import recipes
from gptstudio.core.errors import NotFound
from gptstudio.overview.use_cases.catalogue import KEYS, use_case, use_cases
from training_app import presets


@pytest.mark.parametrize("key", KEYS)
def test_each_brings_a_recipe_a_preset_instructions_and_questions(key) -> None:
    case = use_case(key)
    body = recipes.checked(case.recipe)
    assert body["system_prompt"] == case.system_prompt
    assert recipes.why_seen(body) == (recipes.ALLOWED if case.never_personal else ""), (
        "invented names are allowed by list"
    )
    assert presets.preset(case.preset) and len(case.questions) >= 3
    assert case.aim["questions"] == list(case.questions) and case.name.startswith("Sample: ")


@pytest.mark.parametrize("key", KEYS)
def test_for_a_file_of_ones_own_nothing_of_the_sample_is_left(key) -> None:
    case, own = use_case(key), use_case(key).for_own_file()
    assert own.system_prompt != case.system_prompt and not set(own.questions) & set(case.questions)
    assert "allow" not in recipes.step(recipes.checked(own.recipe), "personal_data")["options"]


def test_changing_the_recipe_of_one_leaves_the_presets_as_they_are() -> None:
    before = recipes.step(recipes.preset("support")["recipe"], "personal_data")["options"].copy()
    for case in use_cases():
        recipes.step(case.recipe, "personal_data")["options"]["names"] = False
    assert recipes.step(recipes.preset("support")["recipe"], "personal_data")["options"] == before


def test_what_is_none_is_not_found() -> None:
    with pytest.raises(NotFound):
        use_case("poetry")
