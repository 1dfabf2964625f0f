"""Measurements before a start: asked for by whoever fills in the form, taken by a worker, kept by what they depend on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets_app.models import DatasetVersion, VersionState
from gptstudio.accounts.policies import Actor, require
from gptstudio.core import leases
from gptstudio.core.errors import Conflict
from gptstudio.core.queue import enqueue
from training_app import selectors
from training_app.models import LanguageModel, Measurement, MeasurementKind, MeasurementState
from training_app.preflight import question

TASK = "training.measure"
UNDER_WAY = (MeasurementState.QUEUED, MeasurementState.RUNNING)
SETTLING, KEPT, MOST_ATTEMPTS = timedelta(seconds=10), timedelta(days=90), 3


@transaction.atomic
def request_measurement(
    actor: Actor,
    *,
    kind: MeasurementKind,
    version: DatasetVersion,
    base_model: LanguageModel,
    method: str,
    hyperparameters: dict[str, Any],
) -> Measurement:
    """Have a run looked over or tried out, unless that was done. `hyperparameters` is the whole, resolved set.

    Only what somebody looks at is worth the machine's time: their earlier tries that have not begun are dropped. Those
    under way are not: they may stand in another window. What was measured beside a fine-tune that shared the machine
    is measured again once nothing runs.
    """
    workspace_id = version.dataset.workspace_id
    require(actor, "training.edit", workspace_id=workspace_id)
    if version.state != VersionState.READY:
        raise Conflict(f"{version} is {version.state}.", fix="Wait until it is ready; then it can be measured.")
    key = question(kind=kind, version=version, base_model=base_model, method=method, hyperparameters=hyperparameters)
    theirs = Measurement.objects.filter(workspace_id=workspace_id, kind=kind, created_by_id=actor.user_id)
    theirs.filter(state=MeasurementState.QUEUED).exclude(key=key).delete()
    found, is_new = Measurement.objects.get_or_create(
        workspace_id=workspace_id,
        kind=kind,
        key=key,
        defaults={
            "version": version,
            "base_model": base_model,
            "method": method,
            "hyperparameters": hyperparameters,
            "created_by_id": actor.user_id,
        },
    )
    if found.state == MeasurementState.FAILED or is_doubtful(found):
        found.state, found.error, found.attempt = MeasurementState.QUEUED, {}, 0
        found.save(update_fields=["state", "error", "attempt"])
    elif not is_new:
        return found
    enqueue(TASK, found.id, queue=queue_of(found))
    return found


def is_doubtful(found: Measurement) -> bool:
    """Whether times were taken beside a fine-tune that is over now, so that they can be had better."""
    is_slow = found.kind == MeasurementKind.ESTIMATE and bool(found.result.get("was_shared"))
    return is_slow and found.state == MeasurementState.READY and not selectors.running_count()


def queue_of(measurement: Measurement) -> str:
    """Where it is measured: real steps need the machine that trains, looking over does not."""
    return settings.TRAINING_QUEUE if measurement.kind == MeasurementKind.ESTIMATE else "cpu"


def claim_measurement(measurement_id: str, *, holder: str) -> Measurement | None:
    """Take one to measure it; None when there is nothing to do."""
    waiting = Measurement.objects.filter(id=measurement_id, state__in=UNDER_WAY)
    if not leases.claim(waiting, holder=holder, state=MeasurementState.RUNNING):
        return None
    return Measurement.objects.select_related("version", "version__dataset", "base_model").get(id=measurement_id)


def hold_measurement(held: Measurement) -> bool:
    """Heartbeat. False when nobody wants it any more, or another worker has taken over."""
    return leases.renew(Measurement.objects.filter(id=held.id), attempt=held.attempt)


def finish_measurement(held: Measurement, *, result: dict[str, Any]) -> bool:
    """Keep what was measured."""
    mine = Measurement.objects.filter(id=held.id)
    return leases.release(mine, attempt=held.attempt, state=MeasurementState.READY, result=result)


def fail_measurement(held: Measurement, *, code: str, message: str, fix: str = "") -> bool:
    """Keep the sentence why it could not be measured."""
    error = {"code": code, "message": message, "fix": fix}
    mine = Measurement.objects.filter(id=held.id)
    return leases.release(mine, attempt=held.attempt, state=MeasurementState.FAILED, error=error)


def requeue_stale_measurements() -> int:
    """Wake workers for what nobody measures although somebody waits; drop what is old. Returns how many were sent."""
    now = timezone.now()
    Measurement.objects.filter(created_at__lt=now - KEPT).exclude(state__in=UNDER_WAY).delete()
    old = Measurement.objects.filter(state__in=UNDER_WAY, created_at__lt=now - SETTLING)
    stale = list(leases.expired(old)[:100])
    for held in stale:
        if held.attempt >= MOST_ATTEMPTS:
            message = f"Measuring was begun {held.attempt} times, and its worker went away each time."
            fail_measurement(held, code="gave_up", message=message, fix="Start without it, or measure again.")
        else:
            enqueue(TASK, held.id, queue=queue_of(held))
    return len(stale)
