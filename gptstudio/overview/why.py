"""Why a model said that: the training rows nearest to an answer. And from a row, every model that it taught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datasets_app import selectors as data
from datasets_app.contents.nearest import LikeRow, like_rows
from datasets_app.contents.rows import etag, rows_of
from datasets_app.contents.tracing import places_of_row
from datasets_app.curation.browsing.index import TRAIN
from datasets_app.models import DatasetVersion, VersionState, file_behind
from gptstudio.accounts.policies import Actor, require
from gptstudio.core.errors import Invalid, NotFound
from gptstudio.overview import selectors
from serving_app import selectors as serving
from serving_app import services
from serving_app.guardrails.prompts import asked_texts
from serving_app.models import Completion, Deployment
from serving_app.selectors.feedback import feedback_of
from training_app.models import LanguageModel

MOST_CHARACTERS = 100_000
NOT_KEPT = "What this request was answered is not kept, or you may not read it."
HOW_TO_GIVE = "Give the answer, and the question before it."


@dataclass(frozen=True, slots=True)
class Said:
    """A question and what was answered."""

    question: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """The rows nearest to an answer, of the version that taught its model; None where there is none, and `missing` says
    why."""

    rows: list[LikeRow]
    version: DatasetVersion | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands among the training rows of a version; `is_same` where it says what the asked row says."""

    version: DatasetVersion
    place: int
    is_same: bool


@dataclass(frozen=True, slots=True)
class Taught:
    """What one record taught: each model with where it learnt it, and what answers with one of them now."""

    models: list[tuple[LanguageModel, Standing]]
    deployments: list[tuple[Deployment, list[str]]]


def answered(workspace_id: str, request_id: str) -> tuple[Completion, LanguageModel]:
    """One request of the workspace, and the model that answered it."""
    found = serving.request_named(workspace_id, request_id)
    if found is None or found.model is None:
        raise NotFound(f"There is no request {request_id[:60]} in this workspace that a model answered.")
    return found, found.model


def said_in(actor: Actor, *, request: Completion, choice: int = 1) -> Said | None:
    """What was asked and answered as it is kept, for who may read that; the log says who did. None: it is not."""
    workspace_id = request.workspace_id
    if not actor.may("reviews.view") or not serving.kept_among(workspace_id, [request.id]):
        return None
    kept = services.read_texts(actor, workspace_id=workspace_id, request_id=request.id)
    if not 1 <= choice <= len(kept.answers):
        raise Invalid(f"The request has no answer {choice}.", fix=f"It has {len(kept.answers)}.", param="choice")
    answer = kept.answers[choice - 1]
    calls = [f"{call['name']} {call['arguments']}" for call in answer.get("calls", [])]
    return Said(_last_question(kept.question), "\n".join([answer["content"], *calls]).strip())


def question_in_feedback(actor: Actor, *, request: Completion) -> str:
    """The question as feedback on the request has it, for who may read feedback; empty where there is none."""
    if not actor.may("datasets.edit"):
        return ""
    given = feedback_of(request.workspace_id).filter(request_id=request.id).exclude(question=[]).first()
    return _last_question({"messages": given.question}) if given else ""


def _last_question(asked: dict[str, Any]) -> str:
    """What the answer is to: the user's last turn, or the prompt."""
    turns = [turn for turn in asked.get("messages") or [] if isinstance(turn, dict) and turn.get("role") == "user"]
    texts = list(asked_texts({"messages": turns[-1:]} if turns else asked))
    return texts[-1] if texts else ""  # of a content in parts, the last text is all of them


def why(actor: Actor, *, model: LanguageModel, said: Said, limit: int = 10) -> Why:
    """The training rows of the actor's workspace most like an answer of the model. Changes nothing."""
    require(actor, "datasets.view", workspace_id=actor.workspace_id)
    if not said.answer.strip():
        raise Invalid("There is no answer to look for.", fix=HOW_TO_GIVE, param="answer")
    for name, text in (("answer", said.answer), ("prompt", said.question)):
        if len(text) > MOST_CHARACTERS:
            raise Invalid(f"That has more than {MOST_CHARACTERS:,} characters.", fix="Send a part of it.", param=name)
    version = _version_of(model, actor.workspace_id)
    if version is None:
        return Why([], None, _untaught(model))
    try:
        rows = like_rows(version, question=said.question, answer=said.answer, limit=limit)
    except NotFound as error:
        return Why([], None, str(error))
    return Why(rows, version)


def _version_of(model: LanguageModel, workspace_id: str) -> DatasetVersion | None:
    """The version that taught the model."""
    if model.job is None or model.job.version_id is None:
        return None
    return next(iter(selectors.versions_by_id(workspace_id, [model.job.version_id])), None)


def _untaught(model: LanguageModel) -> str:
    if model.job_id is None:
        return f"{model} is a base model. What it was taught with before it came here is not known to this studio."
    return f"{model} was not taught with a data version of this workspace."


def taught_by(workspace_id: str, *, version: DatasetVersion, split: str, place: int) -> Taught:
    """Every model that learnt from the record behind a row, in whichever version that is still here, and what serves it."""
    row = rows_of(version, [(split, place)])[split, place]
    behind = file_behind(data.files_by_name(version), row["file"])
    standing = []
    for each in _versions_that_taught(workspace_id, version, behind[0].id if behind else ""):
        places = (
            places_of_row(each, behind[0], behind[1], row["row"])
            if behind
            else [(split, place)]
            if each.id == version.id
            else []
        )
        trained = [found for found in places if found[0] == TRAIN]
        if (TRAIN, place) in trained and each.id == version.id:
            trained = [(TRAIN, place)]
        if trained:
            said = rows_of(each, trained[:1])[trained[0]]["messages"]
            standing.append(Standing(each, trained[0][1], etag(said) == etag(row["messages"])))
    by_version = {each.version.id: each for each in standing}
    models = selectors.models_from(workspace_id, by_version)
    learnt = [
        (model, by_version[model.job.version_id])
        for model in models
        if model.job and model.job.version_id in by_version
    ]
    return Taught(learnt, selectors.deployments_with(workspace_id, [model.id for model, _ in learnt]))


def _versions_that_taught(workspace_id: str, version: DatasetVersion, file_id: str) -> list[DatasetVersion]:
    """Versions with a model, made from the file, that still have their rows."""
    found = selectors.versions_with(workspace_id, file_ids=[file_id]) if file_id else None
    ids = [each.id for each in found.filter(jobs__model__isnull=False)] if found is not None else [version.id]
    versions = selectors.versions_by_id(workspace_id, dict.fromkeys(ids))
    return [each for each in versions if each.state == VersionState.READY and each.folder.is_dir()]
