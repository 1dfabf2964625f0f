"""The table of steps."""

from __future__ import annotations

from importlib import import_module

import pytest

from datasets_app import recipes
from datasets_app.curation.kinds import KINDS, order_fault, uncovering_fault
from datasets_app.curation.options import Option
from datasets_app.curation.steps import Known, RowStep


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_takes_its_own_defaults_and_has_words_for_people(kind):
    assert kind.fault(kind.defaults()) is None
    assert kind.name in recipes.STEP_HINTS
    assert [option["name"] for option in kind.as_json()["options"]] == list(kind.defaults())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.step], ids=lambda kind: kind.name)
def test_every_step_that_works_row_by_row_can_be_built(kind):
    module, _, name = kind.step.partition(":")
    assert isinstance(getattr(import_module(module), name)(kind.defaults(), Known()), RowStep)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.survey], ids=lambda kind: kind.name)
def test_every_survey_can_be_made_and_finds_nothing_in_nothing(kind):
    module, _, name = kind.survey.partition(":")
    assert not getattr(import_module(module), name)(kind.defaults()).result()


def test_the_cleaning_steps_stand_together():
    moves = [kind.moves for kind in KINDS]
    assert "".join("m" if each else "f" for each in moves).strip("f").count("f") == 0


def test_only_cleaning_steps_change_places():
    assert order_fault(["edits", "personal_data", "spelling", "split"]) is None
    assert "change places" in order_fault(["normalize", "edits"])
    assert "once" in order_fault(["normalize", "normalize"])


def test_what_tidying_would_uncover_is_hidden_after_it():
    assert "Put normalize first" in uncovering_fault(["edits", "personal_data", "normalize", "split"])
    for names in (["normalize", "personal_data"], ["personal_data", "split"], ["normalize"], []):
        assert uncovering_fault(names) is None


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        (Option("a", "bool", False), True, 1),
        (Option("a", "int", 1, least=0), 3, 1.5),
        (Option("a", "int", 1, least=0), 0, -1),
        (Option("a", "float", 1.0, most=2), 2, 2.1),
        (Option("a", "float", 1.0, least=0, most=2), 0.5, float("nan")),
        (Option("a", "float", 1.0), 2, True),
        (Option("a", "choice", "x", choices=("x", "y")), "y", ["y"]),
        (Option("a", "choices", [], choices=("x", "y")), ["y"], ["z"]),
        (Option("a", "text"), None, 1),
        (Option("a", "texts", []), ["b"], "b"),
        (Option("a", "map", {}, choices=("x",)), {"n": "x"}, {"n": "y"}),
        (Option("a", "map", {}), {"n": "y"}, {"n": 1}),
        (Option("a", "map", {}), {}, None),
    ],
)
def test_an_option_takes_its_type_within_its_bounds(option, good, bad):
    assert option.fault(good) is None
    assert option.fault(bad)
