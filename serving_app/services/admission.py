"""May this caller ask this model, and what would it cost at most? One transaction before the engine is asked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import require
from gptstudio.accounts.selectors import member_budget
from gptstudio.core.errors import Invalid, NotAllowed, NotFound, Unavailable
from gptstudio.review.selectors import is_rejected
from serving_app import selectors
from serving_app.guardrails.guard import Guard
from serving_app.guardrails.prompts import Reading, read_prompt
from serving_app.models import Completion, Deployment, EngineReplica, Preview
from serving_app.prices import texts_bound, upper_bound
from serving_app.selectors import member_account
from serving_app.services.accounts import Account
from serving_app.services.admitted import Admission, Caller
from serving_app.services.breaches import check_readable, check_reading
from serving_app.services.guardrails import guard_for
from serving_app.services.limits import check_room, counted, limits_of
from serving_app.services.storing import Storing, storing_of, without_store
from serving_app.services.strictness import check_fields
from serving_app.services.trips import in_guard_thread, in_ledger_thread
from serving_app.services.usage import reserve
from training_app.models import LanguageModel, ModelKind
from training_app.selectors import is_released, model_asked, models_of
from training_app.selectors.checkpoints import model_of_checkpoint, names_checkpoint

PREVIEW_TIME = timedelta(minutes=15)
LONGEST_NAME = 220  # a model's, and which checkpoint of it
ONE_CHECKPOINT = "Of a fine-tune's checkpoints that one alone answers which its model was made of, once it is made."
EMBEDDINGS = "embeddings"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be made, before anything is reserved for it."""

    attempt_id: str
    caller: Caller
    called: str
    endpoint: str
    body: Mapping[str, Any]
    size: int
    model: LanguageModel
    deployment: Deployment | None
    replica: EngineReplica
    guard: Guard | None
    storing: Storing

    @property
    def reads_prompt(self) -> bool:
        return self.guard is not None and self.guard.reads_prompts

    def read(self) -> Reading:
        """What the workspace's rules make of the prompt."""
        return Reading(self.body) if self.guard is None else read_prompt(self.body, self.guard)


def _unknown(name: str) -> NotFound:
    return NotFound(
        f"The model `{name[:LONGEST_NAME]}` does not exist or you do not have access to it.",
        fix=ONE_CHECKPOINT if names_checkpoint(name) else "Ask GET /v1/models which there are.",
        code="model_not_found",
        param="model",
    )


def _name_in(body: Mapping[str, Any]) -> str:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise Invalid("you must provide a model parameter", code="missing_required_parameter", param="model")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise _unknown("".join(letter for letter in name if letter.isprintable()))
    return name


def _check_released(caller: Caller, model: LanguageModel) -> None:
    """Released, or tried by who may. People may try what a reviewer rejected, to see why; programs may not."""
    if is_released(model):
        return
    if caller.key is not None and is_rejected(model.id, kind="model"):
        raise NotAllowed(
            f"The model `{model.name}` was rejected or taken back by a reviewer.",
            fix="Its page says why; people who may try models can do so in the playground.",
            code="model_not_released",
            param="model",
        )
    if caller.actor.may("models.preview"):
        return
    raise NotAllowed(
        f"The model `{model.name}` is not released yet.",
        fix="A reviewer or an admin of the workspace can release it; a key with the scope models:preview may try it.",
        code="model_not_released",
        param="model",
    )


def _check_embeds(model: LanguageModel, name: str) -> None:
    if not model.embeds:
        raise Invalid(
            f"The model `{name}` is not registered for embeddings.",
            fix="An admin can register a base model for them; ask GET /v1/models which models there are.",
            code="model_not_for_embeddings",
            param="model",
        )


def _check_not_stopped(deployment: Deployment) -> None:
    """Why it was stopped is the workspace's own business: callers may be anybody."""
    if deployment.stopped_at is not None:
        raise NotAllowed(
            f"The deployment `{deployment.name}` is stopped.",
            fix="A reviewer or an admin of the workspace can let it answer again; trying again meanwhile does not help.",
            code="deployment_stopped",
            param="model",
        )


def _target_of(deployment: Deployment) -> LanguageModel:
    """One of the deployment's models that are released and answer, by weight."""
    weights_by_id = {each["model"]: each["weight"] for each in selectors.current_revision(deployment).targets}
    found = models_of(deployment.workspace_id).filter(id__in=weights_by_id)
    released = [(model, weights_by_id[model.id]) for model in found if is_released(model)]
    if not released:
        raise NotAllowed(
            f"No model of the deployment `{deployment.name}` is released any more.",
            fix="Roll it back, or deploy a released model.",
            code="model_not_released",
            param="model",
        )
    ready = [(model, weight) for model, weight in released if selectors.answers(model)] or released
    return random.choices([model for model, _ in ready], weights=[weight for _, weight in ready])[0]


def _resolve(caller: Caller, name: str) -> tuple[LanguageModel, Deployment | None]:
    """The model behind a name: a base model's, a fine-tune's, its checkpoint's, or a deployment's. What answers for a name
    goes on doing so: a base model that was registered under it later does not.
    """
    model = model_asked(caller.actor.workspace_id, name)
    may_be_later = model is None or (model.kind == ModelKind.BASE and model.workspace_id is not None)
    deployment = selectors.deployment_named(caller.actor.workspace_id, name) if may_be_later else None
    if model is not None and deployment is None:
        _check_released(caller, model)
        return model, None
    if deployment is None:
        made = model_of_checkpoint(caller.actor.workspace_id, name)
        if made is None:
            raise _unknown(name)
        _check_released(caller, made)
        return made, None
    _check_not_stopped(deployment)
    return _target_of(deployment), deployment


def _not_loaded(model: LanguageModel, name: str) -> Unavailable:
    """Why no engine answers, and a wish that one shall when the model is a preview."""
    problem = selectors.problem_of(model)
    if problem:
        return Unavailable(f"No engine could load `{name}`: {problem}", code="model_not_loaded")
    if not any(replica.is_up for replica in selectors.replicas()):
        return Unavailable("No inference engine is up.", fix="Try again in a moment.", code="engine_unavailable")
    return Unavailable(f"`{name}` is being loaded.", fix="Try again in a moment.", code="model_not_loaded")


def _wish_for(model: LanguageModel) -> None:
    """Have engines hold a model for a while that they do not hold by themselves: unreleased, or idle."""
    Preview.objects.update_or_create(model=model, defaults={"wanted_until": timezone.now() + PREVIEW_TIME})


def choose(caller: Caller, *, endpoint: str, body: Mapping[str, Any], size: int, attempt_id: str) -> Asked:
    """Check and choose; nothing is written for an answer yet. `endpoint` is the path below the engine's /v1; `size` the
    body's length in bytes. Raises Invalid, NotFound, NotAllowed, TooMuch, Unavailable.
    """
    actor, key = caller.actor, caller.key
    require(actor, "models.use", workspace_id=caller.workspace.id)
    name = _name_in(body)
    if key is not None and not key.may_ask(name):
        raise _unknown(name)
    model, deployment = _resolve(caller, name)
    if key is not None and key.is_publishable and deployment is None:
        raise _unknown(name)
    if endpoint == EMBEDDINGS:
        _check_embeds(model, name)
    replica = selectors.answers_on(model)
    if replica is None:
        _wish_for(model)
        raise _not_loaded(model, name)
    guard = guard_for(caller.workspace)
    storing = storing_of(body, guard, size=size, endpoint=endpoint)
    body = without_store(body)
    if not replica.has_journal:
        check_fields(endpoint, body)
    if guard is not None:
        check_readable(guard, body)
        if guard.reads_prompts and key is not None:
            check_room(key)
    return Asked(attempt_id, caller, name, endpoint, body, size, model, deployment, replica, guard, storing)


def reserve_for(asked: Asked, reading: Reading | None) -> Admission:
    """Reserve. `reading`: what became of the prompt where it is looked at. One that is refused counts as a request, and
    is given back. Raises Invalid, TooMuch, Refused; then nothing stays reserved.
    """
    caller, key, model, body, size = asked.caller, asked.caller.key, asked.model, asked.body, asked.size
    if reading is not None:
        body = reading.body
        size = max(size, len(json.dumps(body))) if reading.masked else size  # a mask may be longer than what it hides
    most = texts_bound if asked.endpoint == EMBEDDINGS else upper_bound
    engine_name = selectors.name_on(asked.replica, model) or model.engine_name
    bound = most(body, size=size, context=asked.replica.contexts.get(engine_name, model.context_length))
    with counted(key, asked.attempt_id, tokens=bound.prompt + bound.completion) as standing, transaction.atomic():
        request = Completion(
            id=asked.attempt_id,
            workspace=caller.workspace,
            api_key=key,
            user_id=caller.actor.user_id or "",
            model=model,
            deployment=asked.deployment,
            replica=asked.replica.name,
            endpoint=asked.endpoint,
            streamed=body.get("stream") is True,
        )
        standing = reserve(
            request,
            model_name=model.name,
            bound=bound,
            accounts=_accounts(caller),
            limits=limits_of(key),
            standing=standing,
        )
    if reading is not None and asked.guard is not None:
        check_reading(
            caller.actor, asked.guard, reading, model_name=model.name, attempt_id=asked.attempt_id,
            is_private=asked.storing.is_private,
        )  # fmt: skip
    return Admission(
        attempt_id=asked.attempt_id,
        called=asked.called,
        served=model.name,
        engine_name=engine_name,
        url=asked.replica.url,
        path=f"/v1/{asked.endpoint}",
        body=body,
        caller=caller,
        replica=asked.replica.name,
        has_journal=asked.replica.has_journal,
        is_vllm=asked.replica.is_vllm,
        guard=asked.guard,
        keeps=asked.storing.keeps,
        is_private=asked.storing.is_private,
        standing=standing,
    )


async def admit(choosing: Callable[[], Asked]) -> Admission:
    """Choose and reserve, in one trip to the database; where prompts are looked at, in two, and the looking between them
    holds up nobody's trip. `choosing` calls `choose`. Raises what it does, and Refused.
    """

    def first() -> Asked | Admission:
        asked = choosing()
        return asked if asked.reads_prompt else reserve_for(asked, None)

    found = await in_ledger_thread(first)
    if isinstance(found, Admission):
        return found
    reading = await in_guard_thread(found.read)
    return await in_ledger_thread(reserve_for, found, reading)


def _accounts(caller: Caller) -> list[Account]:
    workspace, key, user_id = caller.workspace, caller.key, caller.actor.user_id
    accounts = [Account(workspace.id, workspace.budget_micro, "workspace", workspace.monthly_budget_micro)]
    if key is not None:
        accounts.append(Account(key.id, key.budget_micro, "key", key.monthly_budget_micro))
    if user_id:
        limit, of_month = member_budget(workspace.id, user_id)
        accounts.append(Account(member_account(workspace.id, user_id), limit, "member", of_month))
    return accounts
