"""Blind comparisons: started on stored answers, judged row by row, ended; only then anybody learns who won."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from datasets_app.services import open_test_rows
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from training_app.engine.agreement import agreement
from training_app.models import BlindComparison, BlindJudgement, Choice, Evaluation, Side
from training_app.selectors.answers import answers_of, groups_of

FEWEST, MOST, USUAL = 5, 200, 30
SHOWN = ("left", "right", "tie")


def start_comparison(
    actor: Actor, *, workspace_id: str, evaluation: Evaluation, against: Evaluation | None = None, rows: int = USUAL
) -> BlindComparison:
    """Compare a fine-tune with its base model, or with another fine-tune on the test rows that they share."""
    require(actor, "training.edit", workspace_id=workspace_id)
    owners = {each.model.workspace_id for each in (evaluation, against) if each is not None}
    if owners != {workspace_id}:
        raise NotFound("There is no such evaluation in this workspace.")
    if not FEWEST <= rows <= MOST:
        raise Invalid(f"{rows} rows cannot be judged.", fix=f"Choose {FEWEST} to {MOST}.", param="rows")
    if against is not None and against.id == evaluation.id:
        raise Invalid("A model cannot be compared with itself.", fix="Choose its base model, or another fine-tune.")
    pairs = _pairs(evaluation, against)
    if len(pairs) < FEWEST:
        raise Conflict(
            f"The two have {len(pairs)} test rows in common whose answers differ; {FEWEST} are needed.",
            fix="Compare fine-tunes that were evaluated on the same data, or a fine-tune with its base model.",
        )
    chosen = random.SystemRandom().sample(pairs, min(rows, len(pairs)))
    with transaction.atomic():
        made = BlindComparison.objects.create(
            workspace_id=workspace_id,
            first=evaluation,
            first_side=Side.TUNED if against is not None else Side.BASE,
            second=against or evaluation,
            second_side=Side.TUNED,
            rows=chosen,
            groups=_together(chosen, groups_of(evaluation), groups_of(against or evaluation)),
            created_by_id=actor.user_id,
        )
        _audit(actor, made, "blind.started", {"rows": len(chosen)})
    return made


def _pairs(evaluation: Evaluation, against: Evaluation | None) -> list[list[int]]:
    """Places of the rows that both answered, and answered differently: equal answers are a tie without a judge."""
    if against is None:
        return [[row["place"], row["place"]] for row in answers_of(evaluation) if row["base"] != row["tuned"]]
    theirs = {_question(row): row for row in answers_of(against)}
    shared = [(row, theirs[_question(row)]) for row in answers_of(evaluation) if _question(row) in theirs]
    return [[mine["place"], other["place"]] for mine, other in shared if mine["tuned"] != other["tuned"]]


def _together(rows: list[list[int]], first: list[str], second: list[str]) -> list[int]:
    """A number for each row, the same for rows that either data set kept in one group: they are no two opinions. Numbers,
    not the groups' names, which may be people's and would outlive an erasure.
    """
    numbers = list(range(len(rows)))
    by_name: dict[tuple[str, str], int] = {}
    for at, (mine, theirs) in enumerate(rows):
        for name in (("first", first[mine]), ("second", second[theirs])):
            other = by_name.setdefault(name, at)
            if numbers[other] != numbers[at]:
                gone, kept = numbers[at], numbers[other]
                numbers = [kept if each == gone else each for each in numbers]
    return numbers


def _question(row: dict[str, Any]) -> tuple[Any, ...]:
    return (*((turn["role"], turn["content"]) for turn in row["before"]), row["reference"])


def open_comparison(actor: Actor, *, comparison: BlindComparison) -> None:
    """Somebody is going to read its test rows; the audit log says so."""
    require(actor, "training.view", workspace_id=comparison.workspace_id)
    for version in {each.version_id: each.version for each in (comparison.first, comparison.second)}.values():
        open_test_rows(actor, version=version)


def judge(actor: Actor, *, comparison: BlindComparison, number: int, shown: str) -> BlindJudgement:
    """Keep what a person prefers of what stands left and right for them. Until the end it may be changed."""
    require(actor, "training.view", workspace_id=comparison.workspace_id)
    if actor.user_id is None or actor.kind != "user":
        raise NotAllowed("Only people judge.", fix="Sign in and judge in the browser.")
    turn = next((each for each in comparison.turns_of(actor.user_id) if each.number == number), None)
    if turn is None:
        raise NotFound(f"This comparison has no row {number}.")
    if shown not in SHOWN:
        raise Invalid(f"{shown!r} is no choice.", fix="Choose left, right or tie.", param="choice")
    try:
        with transaction.atomic():
            held = BlindComparison.objects.select_for_update().get(id=comparison.id)
            if held.ended_at is not None:
                raise Conflict("This comparison has ended, so nothing is counted any more.")
            kept, _ = BlindJudgement.objects.update_or_create(
                comparison=held, judge_id=actor.user_id, number=number, defaults={"choice": turn.choice(shown)}
            )
    except IntegrityError as error:
        raise Conflict("The same row was judged twice at once.", fix="Reload the page.") from error
    return kept


@transaction.atomic
def end_comparison(actor: Actor, *, comparison: BlindComparison) -> BlindComparison:
    """No more judgements; the results are told from now on."""
    require(actor, "training.edit", workspace_id=comparison.workspace_id)
    held = BlindComparison.objects.select_for_update().get(id=comparison.id)
    if held.ended_at is not None:
        raise Conflict("This comparison has ended already.")
    if not held.judgements.exists():
        raise Conflict("Nobody has judged a row yet.", fix="Judge some, then end it.")
    held.ended_at = timezone.now()
    held.save(update_fields=["ended_at"])
    _audit(actor, held, "blind.ended", {"judgements": held.judgements.count()})
    return held


def results_of(comparison: BlindComparison) -> dict[str, Any] | None:
    """Who was preferred, how sure that is, and how far judges agree; None until it has ended."""
    if comparison.ended_at is None:
        return None
    by_row: dict[int, dict[str, str]] = defaultdict(dict)
    for number, judge_id, choice in comparison.judgements.values_list("number", "judge_id", "choice"):
        by_row[number][judge_id] = choice
    choices = [choice for row in by_row.values() for choice in row.values()]
    alike = agreement(list(by_row.values()))
    return {
        "rows": len(by_row),
        "groups": len(set(_groups(comparison, by_row))),
        "judges": len({judge_id for row in by_row.values() for judge_id in row}),
        "judgements": len(choices),
        "first": choices.count(Choice.FIRST),
        "second": choices.count(Choice.SECOND),
        "ties": choices.count(Choice.TIE),
        "preference": _preference(list(by_row.values()), _groups(comparison, by_row)),
        "agreement": {"rows": alike.rows, "share": alike.share, "kappa": alike.kappa, "name": alike.name},
    }


def _groups(comparison: BlindComparison, numbers: Iterable[int]) -> list[int]:
    """To which group each of these rows belongs."""
    return [comparison.groups[number] if comparison.groups else number for number in numbers]


def _preference(rows: list[dict[str, str]], groups: list[int]) -> dict[str, Any]:
    """How much more often the second is preferred, with the verdict's own interval over groups of rows."""
    import numpy as np

    from training_app.engine.intervals import compare

    sides = {}
    for choice in (Choice.FIRST, Choice.SECOND):
        shares = [list(row.values()).count(choice) / len(row) for row in rows]
        sides[choice] = np.column_stack([np.asarray(shares), np.ones(len(rows))])
    first, second = ({"preference": sides[choice]} for choice in (Choice.FIRST, Choice.SECOND))
    found = compare(first, second, seed=0, groups=groups)["preference"]
    said = {"better": "second", "worse": "first"}.get(found.said, "no_difference")
    ends = {"low": found.low, "high": found.high, "too_few": found.too_few}
    return {"difference": found.difference, **ends, "said": said}


def _audit(actor: Actor, comparison: BlindComparison, action: str, data: dict[str, Any]) -> None:
    record(
        actor,
        workspace_id=comparison.workspace_id,
        action=action,
        subject_kind="comparison",
        subject_id=comparison.id,
        subject_label=str(comparison),
        data=data,
    )
