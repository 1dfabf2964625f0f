"""The evidence for one model, as facts: data, settings, scores, safety, decisions, lineage. Counts and digests alone.

No row, no test row, no text of an upload and no list of a recipe is in it: it leaves the house.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from datasets_app import recipes
from datasets_app import selectors as data
from datasets_app.curation.kinds import BY_NAME
from datasets_app.models import DatasetVersion
from gptstudio.accounts.policies import Actor, require
from gptstudio.accounts.selectors import workspace as workspace_with_id
from gptstudio.overview import selectors
from gptstudio.overview.lineage import lineage_of
from gptstudio.review.models import ReviewItem
from gptstudio.review.selectors import decisions_about, item_about
from training_app import selectors as training
from training_app.models import Evaluation, FineTuningJob, LanguageModel
from training_app.verdict_wording import outcome_of, verdict_of

Facts = dict[str, Any]
CHECK = ("key", "title", "tried", "failed", "measured", "unit", "limit", "passed", "detail")
PLAIN = ("choice", "choices", "int", "float", "bool")  # options that cannot hold a person's text
NEEDED = ("models.view", "datasets.view", "training.view")


def evidence_of(actor: Actor, *, model_id: str) -> Facts:
    """All facts on one model of the actor's workspace, as JSON has them. Raises NotAllowed, NotFound."""
    for action in NEEDED:
        require(actor, action, workspace_id=actor.workspace_id)
    model = training.model_of(actor.workspace_id, model_id)
    line = selectors.line_above(model)
    taught = {each.job.version_id: each.job.version for each in line if each.job is not None and each.job.version}
    evaluation = training.evaluation_of(model)
    workspace = workspace_with_id(actor.workspace_id)
    item = item_about(model.id, kind="model")
    return {
        "workspace": workspace.name,
        "made": {"at": _time(timezone.now()), "by": actor.label},
        "model": _model(model),
        "data": [_data(each) for each in taught.values()],
        "training": [_training(each.job) for each in line if each.job is not None],
        "evaluation": _evaluation(evaluation) if evaluation else None,
        "safety": _safety(evaluation) if evaluation and evaluation.safety else None,
        "release": {"policy": workspace.release_policy, "released": training.is_released(model), **_decided(item)},
        "lineage": _lineage(actor.workspace_id, model, line),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _model(model: LanguageModel) -> Facts:
    return {
        **{name: getattr(model, name) for name in ("id", "name", "title", "kind", "digest", "parameters")},
        "is_adapter": model.is_adapter,
        "context_length": model.context_length,
        "licence": model.licence,
        "made_at": _time(model.created_at),
        "made_by": str(model.created_by) if model.created_by else None,
    }


def _data(version: DatasetVersion) -> Facts:
    report = version.report
    rows, splits = report.get("rows", {}), report.get("splits", {})
    return {
        "id": version.id,
        "name": str(version),
        "digest": version.digest,
        "state": version.state,
        "made_at": _time(version.finished_at),
        "made_by": str(version.created_by) if version.created_by else None,
        "files": [
            {
                "id": file.id, "name": file.name, "bytes": file.bytes, "digest": file.digest,
                "erased_at": _time(file.erased_at),
            }
            for file in data.files_of_version(version)
        ],
        "rows": {"in": rows.get("in", 0), "kept": rows.get("kept", 0), "left_out": rows.get("dropped", {})},
        "splits": {name: splits.get(name, 0) for name in ("train", "validation", "test")},
        "leaks": splits.get("leaks"),
        "personal_data": report.get("personal_data") or {},
        "why_seen": data.why_seen(version),
        "is_made_up": version.is_made_up,
        "recipe": list(_steps(version)),
        **_decided(item_about(version.id, kind="version")),
    }  # fmt: skip


def _steps(version: DatasetVersion) -> Iterator[Facts]:
    done = {each["kind"]: each for each in version.report.get("steps", [])}
    for each in version.recipe.get("steps", []):
        kind, counts = each["kind"], done.get(each["kind"], {})
        yield {
            "kind": kind,
            "title": recipes.STEP_HINTS.get(kind, (kind.replace("_", " ").capitalize(), ""))[0],
            "is_on": each.get("enabled", True),
            "changed": counts.get("changed", 0),
            "left_out": counts.get("dropped", 0),
            "options": _options(kind, each.get("options", {})),
        }


def _options(kind: str, given: dict[str, Any]) -> Facts:
    """What a step was told, without people's own words: of lists only how long they are."""
    known = {option.name: option for option in BY_NAME[kind].options} if kind in BY_NAME else {}
    found: Facts = {}
    for name, value in given.items():
        if name in known and known[name].type in PLAIN:
            found[name] = value
        elif isinstance(value, list | dict):
            found[name] = f"{len(value):,} entr{'y' if len(value) == 1 else 'ies'}"
    return found


def _training(job: FineTuningJob) -> Facts:
    base = job.base_model
    return {
        "id": job.id,
        "name": job.name,
        "base_model": {"id": base.id, "name": base.name, "digest": base.digest, "licence": base.licence},
        "version": job.version_id,
        "method": job.method,
        "preset": job.preset,
        "seed": job.seed,
        "settings": job.hyperparameters,
        "rows": job.plan.get("train_rows"),
        "steps": job.plan.get("steps"),
        "tokens": job.trained_tokens,
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "by": str(job.created_by) if job.created_by else None,
    }


def _evaluation(evaluation: Evaluation) -> Facts:
    result = evaluation.result
    verdict = verdict_of(result, rows=evaluation.rows)
    return {
        "id": evaluation.id,
        "version": evaluation.version_id,
        "rows": evaluation.rows,
        "at": _time(evaluation.created_at),
        "verdict": {"said": verdict.said, "title": verdict.title, "detail": verdict.detail},
        "headline": result.get("headline", ""),
        "base": evaluation.base_scores,
        "tuned": evaluation.tuned_scores,
        "intervals": result.get("intervals", {}),
        "interval": result.get("interval", {}),
        "decoding": result.get("decoding", {}),
        "signatures": result.get("signatures", {}),
    }


def _safety(evaluation: Evaluation) -> Facts:
    checks = evaluation.safety.get("checks", [])
    return {
        "passed": evaluation.is_safe,
        "checks": [
            {**{name: check[name] for name in CHECK if name in check}, "outcome": outcome_of(check)} for check in checks
        ],
    }


def _decided(item: ReviewItem | None) -> Facts:
    return {
        "state": item.state if item is not None else None,
        "asked_by": item.requested_by if item is not None else None,
        "decisions": [
            {"verdict": each.verdict, "by": each.decided_by_label, "reason": each.reason, "at": _time(each.at)}
            for each in decisions_about(item)
        ],
    }


def _lineage(workspace_id: str, model: LanguageModel, line: list[LanguageModel]) -> Facts:
    """Up: what it was tuned from, the nearest first. Down: what was tuned from it, and which deployments answer with it."""
    found, above = lineage_of(workspace_id, model.id), {each.id for each in line}
    return {
        "above": [{"id": each.id, "name": each.name, "digest": each.digest} for each in line[1:]],
        "below": [
            {"id": each.id, "name": each.name, "digest": each.digest} for each in found.models if each.id not in above
        ],
        "deployments": [{"id": each.id, "name": each.name} for each, used in found.deployments if model.id in used],
    }
