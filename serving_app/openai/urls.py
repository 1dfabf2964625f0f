"""Addresses beneath /v1. The last one catches what is none, so that it too answers in the envelope."""

from __future__ import annotations

from django.urls import path, re_path

from serving_app.openai.base import unknown
from serving_app.openai.chat_completions import ChatCompletions
from serving_app.openai.completions import Completions
from serving_app.openai.document.view import openapi
from serving_app.openai.embeddings import Embeddings
from serving_app.openai.files import File, FileContent, Files
from serving_app.openai.fine_tuning_jobs import Job, JobCheckpoints, JobEvents, Jobs, SteerJob
from serving_app.openai.models import Model, Models
from serving_app.openai.moderations import Moderations
from serving_app.openai.uploads import CancelUpload, CompleteUpload, UploadParts, Uploads

app_name = "openai"
JOB = "fine_tuning/jobs/<slug:job_id>"
urlpatterns = [
    path("chat/completions", ChatCompletions.as_view(), name="chat_completions"),
    path("completions", Completions.as_view(), name="completions"),
    path("embeddings", Embeddings.as_view(), name="embeddings"),
    path("moderations", Moderations.as_view(), name="moderations"),
    path("models", Models.as_view(), name="models"),
    path("models/<path:name>", Model.as_view(), name="model"),
    path("files", Files.as_view(), name="files"),
    path("files/<slug:file_id>", File.as_view(), name="file"),
    path("files/<slug:file_id>/content", FileContent.as_view(), name="file_content"),
    path("uploads", Uploads.as_view(), name="uploads"),
    path("uploads/<slug:upload_id>/parts", UploadParts.as_view(), name="upload_parts"),
    path("uploads/<slug:upload_id>/complete", CompleteUpload.as_view(), name="upload_complete"),
    path("uploads/<slug:upload_id>/cancel", CancelUpload.as_view(), name="upload_cancel"),
    path("fine_tuning/jobs", Jobs.as_view(), name="jobs"),
    path(JOB, Job.as_view(), name="job"),
    path(f"{JOB}/events", JobEvents.as_view(), name="job_events"),
    path(f"{JOB}/checkpoints", JobCheckpoints.as_view(), name="job_checkpoints"),
    *[path(f"{JOB}/{verb}", SteerJob.as_view(), {"verb": verb}, name=f"job_{verb}") for verb in SteerJob.verbs],
    path("openapi.json", openapi, name="openapi"),
    re_path(r"^(?P<rest>(?s:.*))\Z", unknown, name="unknown"),
]
