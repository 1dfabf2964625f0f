"""Addresses of fine-tunes and models."""

from __future__ import annotations

from django.urls import path

from training_app.web.views import job, jobs, models, new, steering

app_name = "training"
JOB = "fine-tunes/<slug:job_id>"
MODEL = "models/<slug:model_id>"
urlpatterns = [
    path("fine-tunes/", jobs.jobs, name="jobs"),
    path("fine-tunes/new", new.new, name="job-new"),
    path("fine-tunes/preflight", new.checks, name="preflight"),
    path(f"{JOB}/", job.charts, name="job"),
    path(f"{JOB}/live", job.live_charts, name="job-live"),
    path(f"{JOB}/verdict", job.verdict, name="job-verdict"),
    path(f"{JOB}/samples", job.samples, name="job-samples"),
    path(f"{JOB}/safety", job.safety, name="job-safety"),
    path(f"{JOB}/log", job.log, name="job-log"),
    path(f"{JOB}/settings", job.settings, name="job-settings"),
    path(f"{JOB}/cancel", steering.cancel, name="job-cancel"),
    path(f"{JOB}/pause", steering.pause, name="job-pause"),
    path(f"{JOB}/resume", steering.resume, name="job-resume"),
    path("models/", models.models, name="models"),
    path("models/register", models.register, name="model-register"),
    path("models/imports", models.imports, name="imports"),
    path(f"{MODEL}/", models.model, name="model"),
    path(f"{MODEL}/ask", models.ask, name="model-ask"),
    path(f"{MODEL}/release", models.release, name="model-release"),
    path(f"{MODEL}/withdraw", models.withdraw, name="model-withdraw"),
]
