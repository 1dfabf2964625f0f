"""What workers do for fine-tunes and base models: one job, phase after phase, from wherever it stands."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from celery import shared_task

from gptstudio.core import shutdown, storage
from gptstudio.core.storage import StorageTrouble
from training_app import runner, scorer_client, selectors, services
from training_app.copies import Copies
from training_app.models import FineTuningJob, JobPhase, LanguageModel


def _goes_on(job: FineTuningJob) -> bool:
    """Heartbeat. False when somebody wants the run to stop, or when this worker ends: then it saves, and waits for the next."""
    return services.beat(job) and not shutdown.is_asked()


def _copied(job: FineTuningJob, copies: Copies, copy: Callable[[], None]) -> None:
    """Have something of a run copied to the bucket; its log says once that it cannot be."""
    before = copies.trouble
    copy()
    if copies.trouble and not before:
        said = f"What was learnt lies on this machine alone for now. {copies.trouble}"
        services.note(job, said, severity="warn")


def _finish(job: FineTuningJob, copies: Copies, *, checkpoints: bool) -> None:
    """What a phase leaves goes to the bucket, unless another worker has the job by now."""
    if storage.is_set() and services.holds(job):
        _copied(job, copies, lambda: copies.finish(checkpoints=checkpoints))


def _run(job: FineTuningJob, make_spec: Callable[[float], dict[str, Any]]) -> bool:
    """One phase. True when it finished; else the job's end is recorded already. `make_spec` gets the share of the usual rows
    that may be computed at once; a training has its own setting for that.

    What ran out of memory goes on or begins again with fewer rows at a time; an engine that somebody killed goes on as it
    was.
    """
    phase, share = job.phase, 1.0
    copies = Copies(job)
    copies.bring(checkpoints=phase == JobPhase.TRAIN)
    folder = runner.phase_folder(job, phase)
    if storage.is_set() and copies.is_foreign(folder, last_attempt=services.last_attempt(job)):
        job.offsets = {**job.offsets, phase: 0}
    inputs = [each.stored for each in (job.version, job.base_model) if each is not None]

    def goes_on() -> bool:
        _copied(job, copies, copies.tick)
        storage.touch(*inputs)
        return _goes_on(job)

    while True:
        outcome = runner.run_phase(
            job,
            phase=phase,
            spec=make_spec(share),
            on_events=lambda events, offset: services.record_events(job, phase=phase, events=events, offset=offset),
            on_tick=goes_on,
        )
        if outcome.name == "finished":
            _finish(job, copies, checkpoints=False)
            return True
        if outcome.name == "killed" and services.outlive_kill(job):
            continue
        if outcome.name in ("out_of_memory", "killed"):
            after_kills = outcome.name == "killed"
            if phase == JobPhase.TRAIN and services.shrink_batches(job, after_kills=after_kills):
                continue
            if phase != JobPhase.TRAIN and (less := services.take_fewer(job, share, after_kills=after_kills)):
                share = less
                continue
        break
    _finish(job, copies, checkpoints=phase == JobPhase.TRAIN)
    if outcome.name == "stopped":
        services.stop_job(job, saved=outcome.saved)
    else:
        services.fail_job(job, **outcome.error)
    services.forget_if_erased(job)
    return False


def _train(job: FineTuningJob) -> bool:
    return _run(job, lambda _share: runner.train_spec(job, share=job.rows_share))


def _evaluate(job: FineTuningJob, model: LanguageModel) -> bool:
    if not _run(job, lambda share: runner.evaluate_spec(job, model, share=share)):
        return False
    result = runner.result_of(job, JobPhase.EVALUATE, "evaluation.json")
    return services.record_evaluation(job, model=model, result=result)


def _safety(job: FineTuningJob, model: LanguageModel) -> bool:
    kept = selectors.safety_limits_of(job.workspace_id)
    if not _run(job, lambda share: runner.safety_spec(job, model, limits=kept.limits, share=share)):
        return False
    report = runner.result_of(job, JobPhase.SAFETY, "safety.json")
    if kept.scorer:
        judged = scorer_client.with_opinion(report, scorer=kept.scorer, on_batch=lambda: _goes_on(job))
        if judged is None:
            services.stop_job(job)
            services.forget_if_erased(job)
            return False
        report = judged
    return services.record_safety(job, model=model, report=report)


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


@shared_task(name="training.export_model")
def export_model(export_id: str) -> None:
    """Make a model in a form for elsewhere."""
    held = services.claim_export(export_id, holder=f"{socket.gethostname()}:{os.getpid()}")
    if held is None:
        return
    try:
        with storage.beating(lambda: services.hold_export(held)):
            outcome = runner.export(
                held,
                on_tick=lambda: services.hold_export(held),
                on_made=lambda folder, files: services.finish_export(held, folder=folder, files=files),
            )
    except StorageTrouble as trouble:
        services.fail_export(held, **_error(trouble))
        return
    if outcome.name not in ("finished", "stopped"):
        services.fail_export(held, **outcome.error)


@shared_task(name="training.measure")
def measure(measurement_id: str) -> None:
    """Look a run over, or try a few steps of it, before somebody starts it."""
    held = services.claim_measurement(measurement_id, holder=f"{socket.gethostname()}:{os.getpid()}")
    if held is None:
        return
    was_shared = False

    def look() -> bool:
        nonlocal was_shared
        was_shared = was_shared or selectors.running_count() > 0
        return services.hold_measurement(held)

    try:
        with storage.beating(look):
            outcome = runner.measure(held, on_tick=look)
    except StorageTrouble as trouble:
        services.fail_measurement(held, **_error(trouble))
        return
    if outcome.name == "finished":
        services.finish_measurement(held, result={**outcome.result, "was_shared": was_shared})
    elif outcome.name != "stopped":
        services.fail_measurement(held, **outcome.error)


@shared_task(name="training.run_job")
def run_job(job_id: str) -> None:
    """Train, evaluate, check safety, settle the release. A second message for the same job finds nothing to do.

    A run of a study is over once it is trained: its study looks at validation rows alone, and goes on.
    """
    if shutdown.is_asked():
        return  # the reconciler sends it again
    job = services.claim_job(job_id, holder=f"{socket.gethostname()}:{os.getpid()}")
    if job is None:
        return
    try:
        with storage.beating(lambda: services.beat(job)):
            _live(job)
    except StorageTrouble as trouble:
        services.fail_job(job, **_error(trouble))
        services.forget_if_erased(job)


def _is_lost(job: FineTuningJob) -> bool:
    """Whether it was trained on a machine that died before the model was registered, and is not this one."""
    is_trained = job.phase != JobPhase.TRAIN and storage.is_set()
    return is_trained and selectors.model_of_job(job) is None and not (job.folder / "model").is_dir()


def _error(trouble: StorageTrouble) -> dict[str, str]:
    return {"code": trouble.code, "message": trouble.message, "fix": trouble.fix}


def _live(job: FineTuningJob) -> None:
    if job.study_id is not None:
        if _train(job):
            services.succeed(job)
            services.forget_if_erased(job)
        services.continue_study(job.study_id)
        return
    if _is_lost(job) and not services.train_again(job):
        return
    if job.phase == JobPhase.TRAIN and not (_train(job) and services.advance_job(job)):
        return
    model = services.register_fine_tune(job, folder=job.folder / "model")
    if model is None:
        return
    services.free_run(job)
    if job.phase == JobPhase.EVALUATE and not (_evaluate(job, model) and services.advance_job(job)):
        return
    if job.phase == JobPhase.SAFETY and not _safety(job, model):
        return
    services.settle_release(job, model=model)
