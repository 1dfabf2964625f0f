"""What a sweep may choose, what it tries next, and when a trial is hopeless. Pure; it knows what it is told of ended trials.

Optuna's sampler (TPE: a tree of Parzen estimators, Bergstra et al. 2011) is made anew for each question from the trials that
ended and a seed that follows from the study's and their number, so nothing of it is kept, and the same past gives the same
next trial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from gptstudio.core.errors import Invalid
from training_app import presets

Space = dict[str, dict[str, Any]]
Look = tuple[float, float]  # the share of its planned steps that a run had made, and its validation loss then
# Only what leaves the validation loss what it is: a longest row or DPO's beta would change what is measured.
BY_FACTOR = {
    "learning_rate": (10, 10),
    "batch_size": (2, 4),
    "gradient_accumulation_steps": (1, 4),
    "max_grad_norm": (4, 4),
    "lora_rank": (4, 4),
    "lora_alpha": (4, 4),
}  # times smaller and larger than the run it begins with; searched by factor, too
BETWEEN = {
    "n_epochs": (1, 6),
    "warmup_ratio": (0.0, 0.3),
    "weight_decay": (0.0, 0.1),
    "label_smoothing": (0.0, 0.2),
    "lora_dropout": (0.0, 0.3),
}
AMONG = {
    "optimizer": ("adamw", "adafactor", "sgd"),
    "scheduler": ("cosine", "linear", "constant"),
    "lora_targets": ("all-linear", "attention"),
}
SEARCHABLE = (
    "learning_rate", "n_epochs", "batch_size", "lora_rank", "lora_alpha", "lora_dropout", "lora_targets", "weight_decay",
    "warmup_ratio", "label_smoothing", "scheduler", "optimizer", "gradient_accumulation_steps", "max_grad_norm",
)  # fmt: skip
FEWEST, MOST, USUAL = 2, 100, 12
BY_LOT = 5  # trials before the sampler begins to learn from them
MOST_DRAWS = 20
FEWEST_OTHERS, FIRST_LOOK = 3, 3
PER_MILLE = 1000


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial that ended. `loss` is None where there is none to go by; `looks` is what it had at each look before it was
    stopped; `diverged`: its loss stopped being a number."""

    settings: Mapping[str, Any]
    loss: float | None
    looks: Sequence[Look] = ()
    diverged: bool = False


def value_of(hyperparameters: Mapping[str, Any], name: str) -> Any:
    """A setting of a whole, resolved set."""
    if name.startswith("lora_"):
        return (hyperparameters.get("lora") or {}).get(name.removeprefix("lora_"))
    return hyperparameters.get(name)


def usual(name: str, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """The range to search where nobody says another, around the run it begins with."""
    if name in AMONG:
        now = value_of(hyperparameters, name)
        return {"choices": list(dict.fromkeys([now, *AMONG[name]]))[: max(2, len(AMONG[name]))]}
    low, high, whole = presets.RANGES[name]
    now = float(value_of(hyperparameters, name))
    if name in BETWEEN:
        first, last = BETWEEN[name]
        return {"low": first, "high": min(high, max(last, 2 * now)), "log": False} | _whole(
            name, first, max(last, 2 * now)
        )
    smaller, larger = BY_FACTOR[name]
    first, last = max(low, now / smaller), min(high, now * larger)
    return {
        "low": round(first) if whole else _short(first),
        "high": round(last) if whole else _short(last),
        "log": True,
    }


def _whole(name: str, low: float, high: float) -> dict[str, Any]:
    return {"low": int(low), "high": int(high)} if name == "n_epochs" else {}


def _short(value: float) -> float:
    """Three significant figures: what people read and type."""
    return float(f"{value:.3g}")


def checked_space(
    space: Mapping[str, Any], *, method: str, requested: Mapping[str, Any], hyperparameters: Mapping[str, Any]
) -> Space:
    """The space with everything said; a setting that says nothing ({}) gets its usual range. Raises Invalid."""
    if not space:
        raise Invalid(
            "There is nothing to search over.", fix=f"Name one setting or more: {', '.join(SEARCHABLE)}.", param="space"
        )
    found: Space = {}
    for name, said in space.items():
        _check_name(name, method=method, requested=requested)
        where = f"space.{name}"
        if not isinstance(said, dict) or set(said) - {"low", "high", "log", "choices"}:
            raise Invalid(f"The range of {name} is {said!r}.", fix="Use {low, high, log} or {choices}.", param=where)
        given = {key: value for key, value in said.items() if value is not None}
        found[name] = _among(name, given, hyperparameters) if name in AMONG else _between(name, given, hyperparameters)
    return found


def _check_name(name: str, *, method: str, requested: Mapping[str, Any]) -> None:
    where = f"space.{name}"
    if name not in SEARCHABLE:
        is_known = name in presets.RANGES or name in presets.CHOICES
        why = "is not searched over: trials could not be compared, or would not differ" if is_known else "is no setting"
        raise Invalid(f"{name} {why}.", fix=f"Choose from {', '.join(SEARCHABLE)}.", param=where)
    if name.startswith("lora_") and method == "full":
        raise Invalid(f"{name} changes nothing when all weights learn.", fix="Choose the method lora.", param=where)
    if name == "n_epochs" and requested.get("max_steps"):
        raise Invalid("n_epochs changes nothing beside max_steps.", fix="Leave max_steps out.", param=where)
    if name == "label_smoothing" and requested.get("objective") == "dpo":
        raise Invalid("label_smoothing is for answers, not for pairs of them.", fix="Leave it out.", param=where)


def _between(name: str, given: dict[str, Any], hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    where, whole = f"space.{name}", presets.RANGES[name][2]
    found = {**usual(name, hyperparameters), **given}
    if "choices" in given:
        raise Invalid(f"{name} is a number.", fix="Give its range as low and high.", param=where)
    try:
        ends = presets.checked({name: found["low"]}), presets.checked({name: found["high"]})
    except Invalid as error:
        raise Invalid(error.message, fix=error.fix, param=where) from error
    low, high = (end.get(name) for end in ends)
    if low is None or high is None or low >= high:
        raise Invalid(
            f"{name} from {found['low']} to {found['high']} is no range.", fix="low must be less.", param=where
        )
    if not isinstance(found["log"], bool) or (found["log"] and low <= 0):
        fix = "Use true or false; by factor (log) a range begins above 0."
        raise Invalid(f"log of {name} is {found['log']!r}.", fix=fix, param=where)
    if name == "n_epochs" and float(low).is_integer() and float(high).is_integer():
        whole = True  # passes that end in the middle of the data are for people who ask for them
    low, high = (int(low), int(high)) if whole else (float(low), float(high))
    return {"low": low, "high": high, "log": found["log"]}


def _among(name: str, given: dict[str, Any], hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    where = f"space.{name}"
    choices = given.get("choices", usual(name, hyperparameters)["choices"])
    known = presets.CHOICES[name]
    is_list = not set(given) - {"choices"} and isinstance(choices, list)
    if not is_list or not all(choice in known for choice in choices) or len(set(choices)) < 2:
        raise Invalid(f"{name} is chosen from words.", fix=f"Name two or more of {', '.join(known)}.", param=where)
    return {"choices": list(dict.fromkeys(choices))}


def propose(space: Space, tried: Sequence[Tried], *, start: Mapping[str, Any], seed: int) -> dict[str, Any] | None:
    """The settings of the next trial; None where every combination was tried. The first has those of `start`, if they lie
    in the space, so that the best is never worse than what one began with."""
    first = {name: value_of(start, name) for name in space}
    if not tried and all(_holds(space[name], value) for name, value in first.items()):
        return {name: _as_in(space[name], value) for name, value in first.items()}
    known = [dict(each.settings) for each in tried]
    for draw in range(MOST_DRAWS):
        asked = _ask(space, tried, seed=(seed + 7919 * len(tried) + 104_729 * draw) % 2**32)
        if asked not in known:
            return asked
    return None


def _holds(said: Mapping[str, Any], value: Any) -> bool:
    if "choices" in said:
        return value in said["choices"]
    return isinstance(value, int | float) and said["low"] <= value <= said["high"]


def _as_in(said: Mapping[str, Any], value: Any) -> Any:
    """A number as the range counts: whole where its ends are whole."""
    return round(value) if isinstance(said.get("low"), int) else value


def _ask(space: Space, tried: Sequence[Tried], *, seed: int) -> dict[str, Any]:
    import optuna
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    from optuna.trial import TrialState, create_trial

    def distribution(said: Mapping[str, Any]) -> BaseDistribution:
        if "choices" in said:
            return CategoricalDistribution(said["choices"])
        kind = IntDistribution if isinstance(said["low"], int) else FloatDistribution
        return kind(said["low"], said["high"], log=said["log"])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    among: dict[str, BaseDistribution] = {name: distribution(said) for name, said in space.items()}
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=BY_LOT))
    for each in tried:
        what: dict[str, Any] = {"params": dict(each.settings), "distributions": among}
        if each.loss is not None:
            study.add_trial(create_trial(value=each.loss, **what))
        elif each.looks or each.diverged:
            looks = {round(PER_MILLE * share): loss for share, loss in each.looks}
            study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values=looks, **what))
    asked = study.ask(among).params
    return {name: _within(space[name], value) for name, value in asked.items()}


def _within(said: Mapping[str, Any], value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return min(max(_short(value), said["low"]), said["high"])


def is_behind(looks: Sequence[Look], others: Sequence[Sequence[Look]]) -> bool:
    """The median rule (Golovin et al. 2017): whether the lowest loss so far is above the median of what the trials that were
    trained to their end had by the same share of their steps. Runs of other lengths are looked at at other shares, so what
    another had later than this one is now does not count. Nothing is said before the third look, or beside fewer than three
    others that were looked at by then.
    """
    if len(looks) < FIRST_LOOK:
        return False
    now = looks[-1][0]
    by_now = [[loss for share, loss in other if share <= now] for other in others]
    lowest = [min(losses) for losses in by_now if losses]
    return len(lowest) >= FEWEST_OTHERS and min(loss for _, loss in looks) > median(lowest)
