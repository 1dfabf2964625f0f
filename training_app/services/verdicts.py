"""Verdicts: the evaluation and the safety report kept, and the release settled by the workspace's policy."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from gptstudio.accounts.models import ReleasePolicy
from gptstudio.accounts.policies import system
from gptstudio.core import leases
from gptstudio.review.models import ReviewState
from gptstudio.review.services import decide
from training_app.models import Evaluation, FineTuningJob, JobPhase, LanguageModel
from training_app.services.forgetting import forget_if_erased
from training_app.services.models import refresh_request, request_release
from training_app.services.runs import note, succeed, wake_next


def _held(job: FineTuningJob) -> bool:
    return leases.held(FineTuningJob.objects.filter(id=job.id), attempt=job.attempt)


def record_evaluation(job: FineTuningJob, *, model: LanguageModel, result: dict[str, Any]) -> bool:
    """Keep evaluation.json: base and fine-tune side by side on the test rows. False when the lease was lost."""
    with transaction.atomic():
        if not _held(job):
            return False
        assert job.version is not None  # noqa: S101 - an evaluated job has its data
        Evaluation.objects.update_or_create(
            model=model,
            defaults={
                "version": job.version,
                "rows": result["rows"],
                "base_scores": result["base"],
                "tuned_scores": result["tuned"],
                "result": result,
            },
        )
    forget_if_erased(job)
    return True


def record_safety(job: FineTuningJob, *, model: LanguageModel, report: dict[str, Any]) -> bool:
    """Keep safety.json, which the release gate reads. False when the lease was lost."""
    with transaction.atomic():
        if not _held(job):
            return False
        evaluation = Evaluation.objects.get(model=model)
        evaluation.safety = {key: value for key, value in report.items() if key != "judged"}
        evaluation.is_safe = bool(report["passed"])
        evaluation.save(update_fields=["safety", "is_safe"])
    forget_if_erased(job)
    return True


@transaction.atomic
def settle_release(job: FineTuningJob, *, model: LanguageModel) -> None:
    """After evaluation: a model that fails a safety check goes to a reviewer, whatever the policy. Under `automatic` a
    safe one is approved by the policy and the job waits for an engine to answer for it; under the other policies
    somebody has to ask. A worker that lost its lease settles nothing.
    """
    if not _held(job):
        return
    actor = system(job.workspace_id, kind="policy", label="Release policy")
    refresh_request(model)
    if not Evaluation.objects.get(model=model).is_safe:
        request_release(actor, model=model)
        note(job, "A safety check failed: a reviewer decides about the release", severity="warn")
        succeed(job)
        return
    if job.workspace.release_policy != ReleasePolicy.AUTOMATIC:
        note(job, "Evaluated. Ask for release when you are content with the verdict")
        succeed(job)
        return
    item = request_release(actor, model=model)
    if item.state != ReviewState.APPROVED:
        decide(actor, item=item, verdict=ReviewState.APPROVED, reason="Evaluated, and within every safety limit.")
    note(job, "Released by policy; waiting for an engine to answer for it")
    mine = FineTuningJob.objects.filter(id=job.id)
    if leases.release(mine, attempt=job.attempt, phase=JobPhase.RELEASE, progress={}):
        wake_next()  # the training slot is free, although the job is not done
