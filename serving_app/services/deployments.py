"""Deployments: a name, and revisions that say which models answer under it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid, NotFound
from serving_app import selectors
from serving_app.models import Deployment, DeploymentRevision
from training_app.selectors import is_released, model_named, models_of

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
HEAVIEST = 1_000
MOST_TARGETS = 8


def _target(workspace_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`{model: id, weight}` from `{model: id or name, weight}`; only a released model can be deployed."""
    wanted, weight = str(asked.get("model", "")), asked.get("weight", 1)
    model = models_of(workspace_id).filter(id=wanted).first() or model_named(workspace_id, wanted)
    if model is None:
        raise NotFound(f"There is no model {wanted!r} in this workspace.", param="targets")
    if not is_released(model):
        raise Conflict(
            f"{model.name} is not released.",
            fix="Ask for its release; a reviewer or an admin decides.",
            code="model_not_released",
            param="targets",
        )
    if not isinstance(weight, int) or isinstance(weight, bool) or not 1 <= weight <= HEAVIEST:
        raise Invalid(f"The weight {weight!r} cannot be.", fix=f"Use 1 to {HEAVIEST}.", param="targets")
    return {"model": model.id, "weight": weight}


def _targets(workspace_id: str, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not 1 <= len(asked) <= MOST_TARGETS:
        raise Invalid(f"A deployment has 1 to {MOST_TARGETS} models.", param="targets")
    targets = [_target(workspace_id, each) for each in asked]
    if len({each["model"] for each in targets}) != len(targets):
        raise Invalid("A model stands twice in the deployment.", fix="Give it one weight.", param="targets")
    return targets


def _revise(actor: Actor, deployment: Deployment, *, targets: list[dict[str, Any]], note: str) -> DeploymentRevision:
    Deployment.objects.select_for_update().get(id=deployment.id)  # numbers count up without gaps or doubles
    latest = deployment.revisions.aggregate(latest=Max("number"))["latest"] or 0
    return DeploymentRevision.objects.create(
        deployment=deployment,
        number=latest + 1,
        targets=targets,
        note=note[:200],
        created_by_label=actor.label[:200],
    )


def _audit(actor: Actor, deployment: Deployment, action: str, **data: Any) -> None:
    record(
        actor,
        workspace_id=deployment.workspace_id,
        action=action,
        subject_kind="deployment",
        subject_id=deployment.id,
        subject_label=deployment.name,
        data=data,
    )


def _check_name(workspace_id: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} cannot be a deployment's name.", fix="Use small letters, digits and dashes.", param="name"
        )
    if model_named(workspace_id, name) is not None:
        raise Conflict(f"There is a model called {name}.", fix="Choose another name.", param="name")
    if Deployment.objects.filter(workspace_id=workspace_id, name=name).exists():
        raise Conflict(f"There is, or was, a deployment called {name}.", fix="Choose another name.", param="name")


@transaction.atomic
def create_deployment(
    actor: Actor, *, workspace_id: str, name: str, targets: Sequence[Mapping[str, Any]]
) -> Deployment:
    """Give models a name that programs call. `targets`: [{model: id or name, weight: 1…1000}]."""
    require(actor, "deployments.edit", workspace_id=workspace_id)
    _check_name(workspace_id, name)
    checked = _targets(workspace_id, targets)
    deployment = Deployment.objects.create(workspace_id=workspace_id, name=name, created_by_id=actor.user_id)
    _revise(actor, deployment, targets=checked, note="Created")
    _audit(actor, deployment, "deployment.created", targets=checked)
    return deployment


def _check_live(deployment: Deployment) -> None:
    if deployment.retired_at is not None:
        raise Conflict(f"The deployment {deployment.name} is retired.", fix="Make a new one.")


@transaction.atomic
def update_deployment(
    actor: Actor, *, deployment: Deployment, targets: Sequence[Mapping[str, Any]], note: str = ""
) -> DeploymentRevision:
    """Let other models answer, or in other shares, from the next request on."""
    require(actor, "deployments.edit", workspace_id=deployment.workspace_id)
    _check_live(deployment)
    revision = _revise(actor, deployment, targets=_targets(deployment.workspace_id, targets), note=note)
    _audit(actor, deployment, "deployment.updated", targets=revision.targets, revision=revision.number)
    return revision


@transaction.atomic
def roll_back(actor: Actor, *, deployment: Deployment, number: int | None = None) -> DeploymentRevision:
    """Write a new revision like revision `number`, or like the one before the one in force."""
    require(actor, "deployments.edit", workspace_id=deployment.workspace_id)
    _check_live(deployment)
    earlier = selectors.revisions_of(deployment).exclude(number=selectors.current_revision(deployment).number)
    wanted = earlier.first() if number is None else earlier.filter(number=number).first()
    if wanted is None:
        raise Conflict("There is no such earlier revision to go back to.")
    targets = _targets(deployment.workspace_id, wanted.targets)
    revision = _revise(actor, deployment, targets=targets, note=f"Back to revision {wanted.number}")
    _audit(actor, deployment, "deployment.rolled_back", to=wanted.number, revision=revision.number)
    return revision


@transaction.atomic
def retire_deployment(actor: Actor, *, deployment: Deployment) -> Deployment:
    """Stop answering under this name. Retiring twice changes nothing."""
    require(actor, "deployments.edit", workspace_id=deployment.workspace_id)
    if Deployment.objects.filter(id=deployment.id, retired_at__isnull=True).update(retired_at=timezone.now()):
        _audit(actor, deployment, "deployment.retired")
    deployment.refresh_from_db()
    return deployment
