"""Recipes that people changed: refused with a sentence before a worker ever sees them."""

from __future__ import annotations

import copy

import pytest

from datasets_app import recipes
from gptstudio.core.errors import Invalid


def changed(kind: str, **options) -> dict:
    body = recipes.default_recipe()
    recipes.step(body, kind)["options"].update(options)
    return body


@pytest.mark.parametrize("body", [recipes.default_recipe(), *(preset["recipe"] for preset in recipes.PRESETS)])
def test_what_is_offered_is_taken_and_not_changed(body) -> None:
    before = copy.deepcopy(body)
    assert recipes.checked(body) == before == body
    assert recipes.checked(body) is not body


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"steps": "all"},
        {"steps": [{"kind": "magic"}]},
        {"steps": ["split"]},
        {"steps": []},
        {"steps": [{"kind": "split", "options": []}]},
        {"steps": [{"kind": "split", "options": {"train": 1}}]},
        {"steps": [{"kind": "tokens", "options": {}}, {"kind": "split", "options": {}}]},
        changed("split", train=0.9),
        changed("split", train=0, validation=0.5, test=0.5),
        changed("split", train="most"),
        changed("split", train=float("nan")),
        changed("tokens", policy="shorten"),
        changed("personal_data", policy=["mask"]),
        changed("personal_data", policy={"EMAIL": "KEEP"}),
        changed("personal_data", policy={"EMAIL": ["keep"]}),
        changed("personal_data", default="keep everything"),
    ],
    ids=str,
)
def test_a_recipe_that_curation_would_not_take_is_refused(body) -> None:
    with pytest.raises(Invalid) as refused:
        recipes.checked(body)
    assert refused.value.fix


@pytest.mark.parametrize(
    ("body", "hides"),
    [
        (recipes.default_recipe(), True),
        (changed("personal_data", policy={"EMAIL": "drop_row"}), True),
        (changed("personal_data", policy={"EMAIL": "keep"}), False),
        (changed("personal_data", default="keep"), False),
        (changed("personal_data", names=False), False),
        (changed("personal_data", turns="user"), False),
        (changed("personal_data", decisions={"a": "accept"}), True),
        (changed("personal_data", decisions={"a": "accept", "b": "reject"}), False),
        (changed("personal_data", allow=["Jane Doe"]), False),
        (changed("personal_data", deny=["Jane Doe"]), True),
        ({"steps": [{"kind": "split"}]}, False),
        ({"steps": [{"kind": "personal_data", "enabled": False, "options": {}}]}, False),
    ],
)
def test_whether_a_recipe_hides_personal_data_is_read_from_it(body, hides) -> None:
    assert recipes.hides_personal_data(body) is hides


def test_what_a_reviewer_must_see_is_said_in_full() -> None:
    body = changed("personal_data", turns="user", allow=["Jane Doe"])
    assert recipes.why_seen(body) == f"{recipes.USER_TURNS} and {recipes.ALLOWED}"
    assert recipes.searched_turns(body) == "user" and recipes.searched_turns({"steps": []}) == ""


def test_a_file_that_a_program_uploads_is_searched_in_every_turn() -> None:
    assert recipes.searched_turns(recipes.default_recipe()) == "all"


def test_the_engine_is_not_told_what_the_command_line_says() -> None:
    body = changed("tokens", model="studio-starter-1") | {"canaries": ["x"]}
    found = recipes.for_engine(body)
    assert "model" not in recipes.step(found, "tokens")["options"]
    assert "canaries" not in found
    assert recipes.step(body, "tokens")["options"]["model"] == "studio-starter-1"
