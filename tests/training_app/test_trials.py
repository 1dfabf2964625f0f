"""What a sweep may choose, what it tries next, and when a trial is hopeless: pure, and the same each time."""

from __future__ import annotations

import math

import pytest

from gptstudio.core.errors import Invalid
from training_app import presets, trials
from training_app.trials import Tried, checked_space, is_behind, propose

START = presets.resolve(
    preset_key="balanced", method="lora", requested={}, parameters=5_000_000, rows=400, context_length=512, seed=1
)


def space(method: str = "lora", requested=None, **said):
    return checked_space(said, method=method, requested=requested or {}, hyperparameters=START)


def loss(settings) -> float:
    return (math.log10(settings["learning_rate"]) + 2.6) ** 2 + 0.1 * abs(settings["n_epochs"] - 5)


def search(count: int, *, seed: int = 3) -> list[Tried]:
    found: list[Tried] = []
    for _ in range(count):
        settings = propose(space(learning_rate={}, n_epochs={}), found, start=START, seed=seed)
        found.append(Tried(settings, loss(settings)))
    return found


def test_the_usual_ranges_lie_around_the_run_that_it_begins_with() -> None:
    found = space(learning_rate={}, n_epochs={}, lora_rank={}, scheduler={}, batch_size={"low": 4})
    assert found["learning_rate"] == {"low": 0.0005, "high": 0.05, "log": True}
    assert found["n_epochs"] == {"low": 1, "high": 6, "log": False}
    assert found["lora_rank"] == {"low": 4, "high": 64, "log": True}
    assert found["batch_size"] == {"low": 4, "high": 32, "log": True}
    assert found["scheduler"]["choices"][0] == "cosine"


@pytest.mark.parametrize("name", trials.SEARCHABLE)
def test_every_setting_that_may_be_searched_over_has_a_usual_range_that_holds_what_one_begins_with(name: str) -> None:
    said = space(**{name: {}})[name]
    first = propose({name: said}, [], start=START, seed=0)
    assert first == {name: trials.value_of(START, name)}
    following = propose({name: said}, [Tried(first, 1.0)], start=START, seed=0)
    assert following != first and presets.checked(following) == following


@pytest.mark.parametrize(
    ("said", "options", "sentence"),
    [
        ({}, {}, "nothing to search over"),
        ({"max_length": {}}, {}, "max_length is not searched over"),
        ({"learning_pace": {}}, {}, "learning_pace is no setting"),
        ({"learning_rate": {"low": 1, "high": 0.1}}, {}, "is no range"),
        ({"learning_rate": {"low": 0.0}}, {}, "learning_rate is 0.0"),
        ({"learning_rate": {"low": "auto"}}, {}, "is no range"),
        ({"learning_rate": {"choices": [0.1]}}, {}, "is a number"),
        ({"learning_rate": {"log": "yes"}}, {}, "log of learning_rate"),
        ({"weight_decay": {"log": True}}, {}, "log of weight_decay"),
        ({"learning_rate": [0.1, 0.2]}, {}, "The range of learning_rate is"),
        ({"n_epochs": {}}, {"requested": {"max_steps": 5}}, "beside max_steps"),
        ({"label_smoothing": {}}, {"requested": {"objective": "dpo"}}, "is for answers"),
        ({"lora_rank": {}}, {"method": "full"}, "when all weights learn"),
        ({"scheduler": {"choices": ["cosine"]}}, {}, "is chosen from words"),
        ({"scheduler": {"choices": ["cosine", "auto"]}}, {}, "is chosen from words"),
        ({"scheduler": {"low": 1}}, {}, "is chosen from words"),
    ],
)
def test_a_range_that_cannot_be_is_refused_with_a_sentence(said, options, sentence) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        space(**options, **said) if said else checked_space({}, method="full", requested={}, hyperparameters=START)
    assert refused.value.param.startswith("space") and refused.value.fix


def test_the_first_trial_is_the_run_as_it_was_and_the_same_past_gives_the_same_next() -> None:
    found, again, other = search(8), search(8), search(8, seed=4)
    assert found[0].settings == {"learning_rate": START["learning_rate"], "n_epochs": 3}
    assert found == again != other
    assert all(isinstance(each.settings["n_epochs"], int) for each in found)
    assert len({tuple(each.settings.values()) for each in found}) == 8


def test_a_search_learns_from_what_it_tried() -> None:
    found = search(24)
    begun, ended = found[1:8], found[17:]
    assert sum(each.loss for each in ended) / 7 < 0.5 * sum(each.loss for each in begun) / 7
    assert min(each.loss for each in found) < 0.5 * found[0].loss


def test_a_start_outside_of_the_ranges_is_no_trial() -> None:
    ranges = space(learning_rate={"low": 0.1, "high": 0.2})
    assert 0.1 <= propose(ranges, [], start=START, seed=0)["learning_rate"] <= 0.2


def test_when_every_combination_was_tried_there_is_none_left() -> None:
    ranges = space(scheduler={"choices": ["cosine", "linear"]})
    tried = [Tried({"scheduler": each}, 1.0) for each in ("cosine", "linear")]
    assert propose(ranges, tried[:1], start=START, seed=0) == {"scheduler": "linear"}
    assert propose(ranges, tried, start=START, seed=0) is None


def test_trials_that_were_stopped_or_failed_are_told_as_what_they_are() -> None:
    ranges = space(learning_rate={"low": 1e-4, "high": 1e-1})
    rates = [10 ** (-4 + 3 * at / 11) for at in range(12)]
    tried = [
        Tried({"learning_rate": rate}, None, looks=[(0.05, 9.0), (0.1, 8.0), (0.15, 8.0)])
        if rate > 1e-2
        else Tried({"learning_rate": rate}, None, diverged=True)
        if at % 5 == 1
        else Tried({"learning_rate": rate}, (math.log10(rate) + 3) ** 2)
        for at, rate in enumerate(rates)
    ] + [Tried({"learning_rate": 0.09}, None)]  # cancelled by a person: tells nothing
    following = [propose(ranges, tried, start=START, seed=seed)["learning_rate"] for seed in range(8)]
    assert sum(rate < 1e-2 for rate in following) >= 6


def at(*losses: float, every: float = 0.1) -> list[tuple[float, float]]:
    """Looks of these losses after equal parts of the planned steps."""
    return [(every * place, loss) for place, loss in enumerate(losses, start=1)]


OTHERS = [at(5.0, 4.0, 3.0, 2.0), at(5.0, 4.5, 4.0, 3.0), at(5.0, 3.0, 2.0)]
SHORT = [at(5.0, 3.0, 1.5, 1.2, every=0.25)] * 3


@pytest.mark.parametrize(
    ("looks", "others", "behind"),
    [
        (at(5.0, 4.5, 3.5), OTHERS, True),
        (at(5.0, 4.5, 3.0), OTHERS, False),
        (at(2.5, 4.5, 9.0), OTHERS, False),
        (at(9.0, 9.0), OTHERS, False),
        (at(9.0, 9.0, 9.0), OTHERS[:2], False),
        (at(5.0, 4.0, 3.0, 2.5, 2.1), OTHERS, True),
        (at(6.0, 5.5, 4.0, every=0.05), SHORT, False),
        (at(6.0, 5.5, 4.0, 3.8, 3.5, every=0.05), SHORT, False),
        (at(6.0, 5.5, 4.0, 3.8, 3.5, every=0.1), SHORT, True),
    ],
    ids=[
        "behind", "level", "was better once", "too early", "too few others", "behind those that ended sooner",
        "shorter runs were not looked at by then", "level by the same share", "behind by the same share",
    ],
)  # fmt: skip
def test_the_median_rule(looks, others, behind) -> None:
    assert is_behind(looks, others) is behind
