"""/v1/fine_tuning/jobs: start, look, steer, read the log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import JsonResponse
from rest_framework.request import Request

from datasets_app.selectors import file_of
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import Invalid
from serving_app import selectors
from serving_app.openai.base import OpenAIView, listed, query_cursor, query_number
from serving_app.openai.fine_tuning_bodies import checkpoint_body, event_body, job_body
from serving_app.openai.fine_tuning_request import read_job_request
from training_app import services
from training_app.models import FineTuningJob, LanguageModel
from training_app.selectors import checkpoints_of, events_of, job_of, jobs_of, metrics_of, start_named
from training_app.selectors.checkpoints import kept_checkpoint

MOST = 100
METADATA = re.compile(r"metadata\[(.{1,64})\]", re.DOTALL)


class Jobs(OpenAIView):
    """List and start."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view", "POST": "training.edit"}

    def get(self, request: Request) -> JsonResponse:
        jobs = jobs_of(self.workspace_id)
        for name in request.query_params:
            found = METADATA.fullmatch(name)
            if found is None and name.startswith("metadata["):
                raise Invalid("A name in 'metadata' has 1 to 64 characters.", code="invalid_value", param="metadata")
            if found is not None:
                jobs = selectors.with_metadata(jobs, key=found[1], value=request.query_params[name].replace("\x00", ""))
        page = selectors.page(
            jobs,
            by="created_at",
            limit=query_number(request, "limit", default=20, most=MOST),
            after=query_cursor(request),
        )
        return JsonResponse(listed(page, [job_body(job) for job in page.rows]))

    def post(self, request: Request) -> JsonResponse:
        asked = read_job_request(self.object_body())
        base = start_named(self.workspace_id, asked.model)
        training = file_of(self.workspace_id, asked.training_file)
        validation = file_of(self.workspace_id, asked.validation_file) if asked.validation_file else None
        job = services.create_job(
            self.actor,
            workspace_id=self.workspace_id,
            base_model=base,
            training_file=training,
            validation_file=validation,
            hyperparameters=asked.hyperparameters,
            suffix=asked.suffix,
            seed=asked.seed,
            metadata=asked.metadata,
        )
        return JsonResponse(job_body(job))


class Job(OpenAIView):
    """One job."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view"}

    def get(self, request: Request, job_id: str) -> JsonResponse:
        return JsonResponse(job_body(job_of(self.workspace_id, job_id)))


class SteerJob(OpenAIView):
    """Cancel, pause or resume."""

    actions: ClassVar[dict[str, str]] = {"POST": "training.edit"}
    verbs: ClassVar[dict[str, Callable[..., FineTuningJob]]] = {
        "cancel": services.cancel_job,
        "pause": services.pause_job,
        "resume": services.resume_job,
    }

    def post(self, request: Request, job_id: str, verb: str) -> JsonResponse:
        actor: Actor = self.actor
        job = job_of(self.workspace_id, job_id)
        self.verbs[verb](actor, job=job)
        return JsonResponse(job_body(job_of(self.workspace_id, job_id)))


class JobEvents(OpenAIView):
    """The log, newest first."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view"}

    def get(self, request: Request, job_id: str) -> JsonResponse:
        page = selectors.page(
            events_of(job_of(self.workspace_id, job_id)),
            by="at",
            limit=query_number(request, "limit", default=20, most=MOST),
            after=query_cursor(request),
        )
        return JsonResponse(listed(page, [event_body(event) for event in page.rows]))


class JobCheckpoints(OpenAIView):
    """Verified checkpoints, newest first; once there is a model, the one that it was made of, which answers by its name."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view"}

    def get(self, request: Request, job_id: str) -> JsonResponse:
        job = job_of(self.workspace_id, job_id)
        limit, after = query_number(request, "limit", default=10, most=MOST), query_cursor(request)
        page = selectors.page(checkpoints_of(job), by="step", limit=limit, after=after)
        model: LanguageModel | None = getattr(job, "model", None)
        if model is not None and not after and (kept := kept_checkpoint(job, model)) is not None:
            page = selectors.Page([kept], has_more=False)
        name = services.public_name(job) if model is None else model.name
        points: dict[int, Any] = {point.step: point for point in metrics_of(job)}
        bodies = [checkpoint_body(each, model=name, point=points.get(each.step)) for each in page.rows]
        return JsonResponse(listed(page, bodies))
