"""Addresses of fine-tunes and models."""

from __future__ import annotations

from django.urls import path

from training_app.web.views import (
    blind,
    exports,
    inside,
    job,
    jobs,
    limits,
    models,
    new,
    space,
    steering,
    studies,
    sweeps,
)

app_name = "training"
JOB = "fine-tunes/<slug:job_id>"
MODEL = "models/<slug:model_id>"
STUDY = "fine-tunes/studies/<slug:study_id>"
BLIND = "blind/<slug:comparison_id>"
urlpatterns = [
    path("fine-tunes/", jobs.jobs, name="jobs"),
    path("fine-tunes/new", new.new, name="job-new"),
    path("fine-tunes/preflight", new.checks, name="preflight"),
    path("fine-tunes/compare", inside.compare, name="compare"),
    path("fine-tunes/measure", new.measure, name="measure"),
    path("fine-tunes/derive", new.derive, name="derive"),
    path("fine-tunes/more-data", new.more_data, name="more-data"),
    path("fine-tunes/search", sweeps.search, name="search"),
    path("fine-tunes/studies/new", sweeps.new, name="sweep-new"),
    path("fine-tunes/studies/", studies.studies, name="studies"),
    path(f"{STUDY}/", studies.study, name="study"),
    path(f"{STUDY}/live", studies.live_study, name="study-live"),
    path(f"{STUDY}/cancel", studies.cancel, name="study-cancel"),
    path(f"{STUDY}/resume", studies.resume, name="study-resume"),
    path(f"{JOB}/more-data", studies.more_data_of, name="job-more-data"),
    path(f"{JOB}/", job.charts, name="job"),
    path(f"{JOB}/live", job.live_charts, name="job-live"),
    path(f"{JOB}/verdict", job.verdict, name="job-verdict"),
    path(f"{JOB}/samples", job.samples, name="job-samples"),
    path(f"{JOB}/samples/open-test", job.open_test, name="job-open-test"),
    path(f"{JOB}/safety", job.safety, name="job-safety"),
    path(f"{JOB}/saw", inside.saw, name="job-saw"),
    path(f"{JOB}/worst", inside.worst, name="job-worst"),
    path(f"{JOB}/log", job.log, name="job-log"),
    path(f"{JOB}/settings", job.settings, name="job-settings"),
    path(f"{JOB}/cancel", steering.cancel, name="job-cancel"),
    path(f"{JOB}/pause", steering.pause, name="job-pause"),
    path(f"{JOB}/resume", steering.resume, name="job-resume"),
    path(f"{JOB}/archive", space.archive_job, name="job-archive"),
    path("blind/", blind.comparisons, name="blinds"),
    path("blind/new", blind.new, name="blind-new"),
    path(f"{BLIND}/", blind.comparison, name="blind"),
    path(f"{BLIND}/open-test", blind.open_test, name="blind-open-test"),
    path(f"{BLIND}/judge", blind.judge, name="blind-judge"),
    path(f"{BLIND}/end", blind.end, name="blind-end"),
    path("settings/safety", limits.limits, name="safety-limits"),
    path("models/", models.models, name="models"),
    path("models/space", space.space, name="space"),
    path("models/register", models.register, name="model-register"),
    path("models/imports", models.imports, name="imports"),
    path(f"{MODEL}/", models.model, name="model"),
    path(f"{MODEL}/ask", models.ask, name="model-ask"),
    path(f"{MODEL}/release", models.release, name="model-release"),
    path(f"{MODEL}/take", models.take, name="model-take"),
    path(f"{MODEL}/card.md", models.card, name="model-card"),
    path(f"{MODEL}/exports", exports.exports, name="exports"),
    path(f"{MODEL}/exports/make", exports.make, name="export-make"),
    path(f"{MODEL}/exports/<slug:export_id>/take", exports.take, name="export-take"),
    path(f"{MODEL}/exports/<slug:export_id>/delete", exports.delete, name="export-delete"),
    path(f"{MODEL}/withdraw", models.withdraw, name="model-withdraw"),
    path(f"{MODEL}/archive", space.archive_model, name="model-archive"),
]
