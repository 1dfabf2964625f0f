"""Which of several runs is better than all others by more than chance, score by score, on the rows that all of them answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import Any

from training_app import gains, looks
from training_app.models import Evaluation, FineTuningJob
from training_app.selectors.answers import groups_of

RESAMPLES = 1000
LOSS = "validation_loss"
Sides = Callable[[int, int], str]  # whether the second run is better, worse, or no different from the first


def share_losses(jobs: Sequence[FineTuningJob]) -> bool:
    """Whether losses can be held against one another: of the same rows, in the same tokens, cut at the same length, and of
    the same kind.
    """
    names = ("objective", "max_length", "dpo_beta")
    settings = {tuple(job.hyperparameters.get(name) for name in names) for job in jobs}
    return len(settings) <= 1 and len({(job.version_id, job.base_model_id) for job in jobs}) <= 1


def clear_best(jobs: Sequence[FineTuningJob]) -> dict[str, int]:
    """By score, and for the validation loss, the place of the run that beats each of the others; nothing where none does or
    where they cannot be compared.
    """
    if len(jobs) < 2 or len({job.version_id for job in jobs}) > 1:
        return {}
    found = _of_scores(jobs)
    losses = [looks.losses(job) for job in jobs]
    if share_losses(jobs) and all(losses):
        best = _beats_all(len(jobs), lambda one, other: gains.gain((1.0, losses[one]), (1.0, losses[other])).said)
        found |= {} if best is None else {LOSS: best}
    return found


def _of_scores(jobs: Sequence[FineTuningJob]) -> dict[str, int]:
    evaluations = [getattr(getattr(job, "model", None), "evaluation", None) for job in jobs]
    kept = [each for each in evaluations if each is not None and each.answers.exists()]
    if len(kept) < len(jobs):
        return {}
    said = _said(kept)
    names = {name for pair in said.values() for name in pair}
    if not share_losses(jobs):
        names.discard("perplexity")
    names = {name for name in names if _is_counted_alike(kept, name)}
    bests = {name: _beats_all(len(jobs), partial(_of_name, said, name)) for name in names}
    return {name: best for name, best in bests.items() if best is not None}


def _is_counted_alike(evaluations: Sequence[Evaluation], name: str) -> bool:
    """Whether a score means the same in all of them: metrics change, and what was kept stays as it was counted then."""
    from training_app.engine.sums import MEASURED_BY

    module = MEASURED_BY.get(name, name)
    signatures = {each.result.get("signatures", {}).get(module) for each in evaluations}
    return len(signatures) == 1 and None not in signatures


def _of_name(said: dict[tuple[int, int], dict[str, str]], name: str, one: int, other: int) -> str:
    return said[one, other].get(name, "")


def _said(evaluations: Sequence[Evaluation]) -> dict[tuple[int, int], dict[str, str]]:
    """For each two runs what each score says of the second, on the rows that all have; nothing where they share none."""
    import pyarrow.parquet as pq

    from training_app.engine.intervals import compare
    from training_app.engine.rowfile import read_statistics

    ids = [pq.read_table(each.answers, columns=["row_id"])["row_id"].to_pylist() for each in evaluations]
    shared = sorted(set(ids[0]).intersection(*ids[1:]))
    places = [[dict(zip(own, range(len(own)), strict=True))[row] for row in shared] for own in ids]
    kept = [read_statistics(each.answers, "tuned") for each in evaluations]
    names = set(kept[0]).intersection(*kept[1:]) if shared else set()
    sides = [{name: each[name][own] for name in names} for each, own in zip(kept, places, strict=True)]
    own_groups = groups_of(evaluations[0])
    groups = [own_groups[place] for place in places[0]]
    found: dict[tuple[int, int], dict[str, str]] = {}
    for one, other in combinations(range(len(sides)), 2):
        compared: dict[str, Any] = compare(sides[one], sides[other], seed=0, resamples=RESAMPLES, groups=groups)
        found[one, other] = {name: each.said for name, each in compared.items() if each.rows}
    return found


def _beats_all(count: int, said: Sides) -> int | None:
    """The run that is better than each other one; `said` is asked with the smaller place first."""
    for place in range(count):
        others = [other for other in range(count) if other != place]
        if all((said(other, place) if other < place else _turned(said(place, other))) == "better" for other in others):
            return place
    return None


def _turned(said: str) -> str:
    return {"better": "worse", "worse": "better"}.get(said, said)
