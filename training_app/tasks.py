"""What workers do for fine-tunes and base models: one job, phase after phase, from wherever it stands."""

from __future__ import annotations

import os
import socket
from typing import Any

from celery import shared_task

from training_app import runner, services
from training_app.models import FineTuningJob, JobPhase, LanguageModel


def _run(job: FineTuningJob, spec: dict[str, Any]) -> bool:
    """One phase. True when it finished; else the job's end is recorded already."""
    phase = job.phase
    outcome = runner.run_phase(
        job,
        phase=phase,
        spec=spec,
        on_events=lambda events, offset: services.record_events(job, phase=phase, events=events, offset=offset),
        on_tick=lambda: services.beat(job),
    )
    if outcome.name == "finished":
        return True
    if outcome.name == "stopped":
        services.stop_job(job)
    else:
        services.fail_job(job, **outcome.error)
    return False


def _train(job: FineTuningJob) -> bool:
    return _run(job, runner.train_spec(job))


def _evaluate(job: FineTuningJob, model: LanguageModel) -> bool:
    if not _run(job, runner.evaluate_spec(job, model)):
        return False
    result = runner.result_of(job, JobPhase.EVALUATE, "evaluation.json")
    return services.record_evaluation(job, model=model, result=result)


def _safety(job: FineTuningJob, model: LanguageModel) -> bool:
    if not _run(job, runner.safety_spec(job, model)):
        return False
    return services.record_safety(job, model=model, report=runner.result_of(job, JobPhase.SAFETY, "safety.json"))


@shared_task(name="training.import_model")
def import_model(import_id: str) -> None:
    """Fetch a base model from its hub and register it."""
    held = services.claim_import(import_id, holder=f"{socket.gethostname()}:{os.getpid()}")
    if held is None:
        return
    outcome = runner.fetch(held, on_tick=lambda done, total: services.hold_import(held, done=done, total=total))
    if outcome.name == "finished":
        services.finish_import(held, commit=outcome.said["commit"], licence=outcome.said["licence"])
    elif outcome.name == "failed":
        services.fail_import(held, **outcome.said)


@shared_task(name="training.run_job")
def run_job(job_id: str) -> None:
    """Train, evaluate, check safety, settle the release. A second message for the same job finds nothing to do."""
    job = services.claim_job(job_id, holder=f"{socket.gethostname()}:{os.getpid()}")
    if job is None:
        return
    if job.phase == JobPhase.TRAIN and not (_train(job) and services.advance_job(job)):
        return
    model = services.register_fine_tune(job, folder=job.folder / "model")
    if job.phase == JobPhase.EVALUATE and not (_evaluate(job, model) and services.advance_job(job)):
        return
    if job.phase == JobPhase.SAFETY and not _safety(job, model):
        return
    services.settle_release(job, model=model)
