"""The recipe as cards: what a recipe shows, what a form gives back, and that nothing is lost on the way."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string

from datasets_app import recipes
from datasets_app.curation.kinds import BY_NAME, KINDS
from datasets_app.web import recipe_form
from datasets_app.web.option_fields import OptionsForm
from datasets_app.web.step_words import ANY, OPTIONS, choice_word, options_in_words
from gptstudio.core.errors import Invalid
from gptstudio.web.templatetags.studio import field
from tests.recipe_posts import post_of


def there_and_back(body: recipes.Recipe) -> recipes.Recipe:
    cards = recipe_form.of_post(post_of(recipe_form.of_body(body)))
    assert cards.is_valid(), [card.form.errors for card in cards.cards]
    return cards.body()


def complete(body: recipes.Recipe) -> dict[str, dict]:
    """Every step that runs, with every option spelled out."""
    return {
        each["kind"]: {**BY_NAME[each["kind"]].defaults(), **each["options"]}
        for each in body["steps"]
        if each["enabled"]
    }


@pytest.mark.parametrize("preset", recipes.PRESETS, ids=lambda preset: preset["key"])
def test_a_preset_goes_through_the_form_and_means_the_same(preset) -> None:
    body = there_and_back(preset["recipe"])
    assert complete(body) == complete(preset["recipe"])
    recipes.checked(body)


def test_every_kind_of_the_table_has_a_card_with_a_title_and_a_why() -> None:
    cards = recipe_form.of_body(recipes.default_recipe()).cards
    assert {card.name for card in cards} == {kind.name for kind in KINDS} - recipe_form.WITHOUT_CARD
    assert all(card.title and card.why for card in cards)


def test_every_option_of_the_table_has_a_field_or_is_kept_as_it_came() -> None:
    for kind in KINDS:
        form = OptionsForm(kind, initial=kind.defaults())
        form.keep(kind.defaults())
        missing = {option.name for option in kind.options} - set(form.fields) - set(form.carried)
        assert missing == set(), kind.name


def test_what_has_no_field_is_not_lost() -> None:
    body = recipes.default_recipe()
    body["mapping"] = {"prompt": "q", "completion": "a"}
    recipes.step(body, "split")["options"]["validation_files"] = ["file-1"]
    recipes.step(body, "tokens")["options"]["model"] = "starter"
    recipes.step(body, "personal_data")["options"]["policy"] = {"ODD_THING": "keep", "PERSON": "drop_row"}
    back = there_and_back(body)
    assert back["mapping"] == body["mapping"]
    assert recipes.step(back, "split")["options"]["validation_files"] == ["file-1"]
    assert recipes.step(back, "tokens")["options"]["model"] == "starter"
    assert recipes.step(back, "personal_data")["options"]["policy"] == {"ODD_THING": "keep", "PERSON": "drop_row"}


def test_cleaning_steps_come_back_in_the_order_of_the_form_and_the_others_stay() -> None:
    post = post_of(recipe_form.of_body(recipes.default_recipe()))
    order = recipe_form.moved(post.getlist("order"), f"up:{post.getlist('order')[1]}")
    post.setlist("order", order)
    cards = recipe_form.of_post(post)
    assert cards.is_valid()
    kinds = [each["kind"] for each in cards.body()["steps"]]
    moving = [kind for kind in kinds if BY_NAME[kind].moves]
    assert moving == order
    assert [kind for kind in kinds if kind not in moving] == [
        kind.name for kind in KINDS if not kind.moves and kind.name in kinds
    ]


def test_personal_data_is_never_put_before_the_tidying() -> None:
    assert recipe_form.moved(["normalize", "personal_data"], "up:personal_data") == ["normalize", "personal_data"]
    assert recipe_form.moved(["normalize", "personal_data"], "down:normalize") == ["normalize", "personal_data"]
    body = recipes.default_recipe()
    body["steps"][0], body["steps"][1] = body["steps"][1], body["steps"][0]
    names = [card.name for card in recipe_form.of_body(body).cards]
    assert names.index("normalize") < names.index("personal_data")
    with pytest.raises(Invalid, match="normalize"):
        recipes.check_hiding(body)
    recipes.step(body, "normalize")["enabled"] = False
    recipes.check_hiding(body)


def test_a_step_at_the_end_cannot_be_moved_further() -> None:
    assert recipe_form.moved(["a", "b"], "down:b") == ["a", "b"]
    assert recipe_form.moved(["a", "b"], "up:nobody") == ["a", "b"]


@pytest.mark.parametrize(
    "carried", ["", "[]", "{", '{"steps": 3, "options": []}', '{"options": {"split": 1}}', "[" * 90_000]
)
def test_a_form_that_somebody_bent_is_a_recipe_or_a_fault_and_never_a_breakdown(carried) -> None:
    post = QueryDict(mutable=True)
    post["carried"] = carried
    post.setlist("order", ["nobody", "split", ""])
    cards = recipe_form.of_post(post)
    cards.is_valid()
    assert cards.cards


def test_an_option_out_of_bounds_is_said_at_its_field() -> None:
    post = post_of(recipe_form.of_body(recipes.default_recipe()))
    post["near_duplicates-threshold"] = "7"
    cards = recipe_form.of_post(post)
    assert not cards.is_valid()
    assert "threshold" in next(card for card in cards.cards if card.name == "near_duplicates").form.errors


def test_a_sentence_of_the_engine_stands_at_the_step_it_names() -> None:
    cards = recipe_form.of_body(recipes.default_recipe())
    bound = recipe_form.of_post(post_of(cards))
    assert bound.is_valid()
    bound.refuse("The option limit of tokens is at least 8.")
    assert next(card for card in bound.cards if card.name == "tokens").form.non_field_errors()


def test_every_option_that_people_see_has_words_of_its_own() -> None:
    nameless = [
        f"{kind.name}.{option.name}"
        for kind in KINDS
        if kind.name not in recipe_form.WITHOUT_CARD
        for option in kind.options
        if f"{kind.name}.{option.name}" not in OPTIONS and option.name not in ANY
    ]
    assert nameless == []
    assert choice_word("near_duplicates", "keep", "all") == "Keep all of them, in one part"


def test_options_are_told_in_words() -> None:
    told = dict(
        options_in_words(
            "personal_data", {"turns": "user", "policy": {"URL": "keep"}, "allow": [], "decisions": {"a": "reject"}}
        )
    )
    assert told == {"Where to look": "In the person's turns alone", "For each type": "Web addresses: Keep it"}
    assert ("Keep rows too short to tell", "yes") in options_in_words("language", BY_NAME["language"].defaults())


def test_boxes_of_one_question_stand_below_it() -> None:
    form = OptionsForm(BY_NAME["grammar"], initial=BY_NAME["grammar"].defaults())
    shown = render_to_string("web/parts/field.html", field(form["rules"]))
    assert shown.index("<legend>What to mend</legend>") < shown.index("Doubled words")
    assert "optional" not in render_to_string("web/parts/field.html", field(form["turns"]))
