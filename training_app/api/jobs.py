"""/api/v1/fine-tuning-jobs: a run looked over, and what it will take, before anybody starts it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app.selectors import version_of
from gptstudio.api.base import NativeView
from training_app import estimates, looks, presets, selectors, services
from training_app.models import MeasurementKind, MeasurementState
from training_app.preflight import Look, look_up, preflight


class RunBody(serializers.Serializer):
    """A run as it would be started: `version` and `base_model` by id; settings left out are as preset and data say."""

    version = serializers.CharField(max_length=80)
    base_model = serializers.CharField(max_length=80)
    preset = serializers.ChoiceField(choices=[each["key"] for each in presets.PRESETS], default="balanced")
    method = serializers.ChoiceField(choices=presets.METHODS, default="full")
    hyperparameters = serializers.DictField(required=False, default=dict)
    seed = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)
    again = serializers.BooleanField(
        required=False, default=False, help_text="Measure once more what failed, or was measured beside a fine-tune."
    )


class ActShape(serializers.Serializer):
    """What mends a finding. `fill`: send `values` among the hyperparameters, and `method` where it has one; `derive`: post
    the same body, with `values` among its hyperparameters, to `/derive`; `look_again`: send the same with `again`;
    `ask_review`: ask a reviewer about the version; `free`: put models and fine-tunes away."""

    kind = serializers.ChoiceField(choices=["fill", "derive", "look_again", "ask_review", "free"])
    label = serializers.CharField()  # type: ignore[assignment]
    values = serializers.DictField(help_text="Settings by name, as numbers and words.")
    method = serializers.ChoiceField(choices=["", *presets.METHODS])


class FindingShape(serializers.Serializer):
    """One line of the list. A `stop` keeps a run from starting."""

    title = serializers.CharField()
    message = serializers.CharField()
    severity = serializers.ChoiceField(choices=["stop", "warning", "fine"])
    fix = serializers.CharField(allow_blank=True)
    act = ActShape(allow_null=True)


class PreflightShape(serializers.Serializer):
    """`looked_over` is where the worker is that looks at the rows: ask again until it is ready."""

    findings = FindingShape(many=True)
    looked_over = serializers.ChoiceField(choices=["", *MeasurementState.values])
    hyperparameters = serializers.DictField()
    steps = serializers.IntegerField()


class EstimateShape(serializers.Serializer):
    """What training will take, by a few real steps; the figures are null until `state` is ready."""

    state = serializers.ChoiceField(choices=MeasurementState.choices)
    error = serializers.DictField()
    steps = serializers.IntegerField()
    steps_tried = serializers.IntegerField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    memory_bytes = serializers.IntegerField(allow_null=True)
    tokens = serializers.IntegerField(allow_null=True)
    cost_micro = serializers.IntegerField(allow_null=True)
    judging_seconds = serializers.FloatField(
        allow_null=True,
        help_text="On top, about: the comparison on the test rows and the safety check. 0: not measured.",
    )


class LooksShape(serializers.Serializer):
    """What a run lets people see. Empty before it is there, once the rows of its version are erased, and of what holds
    texts of rows to a key that may not read them (`files:read`)."""

    first_batch = serializers.DictField(
        help_text="Rows token by token; of each piece its text, and whether it is learned."
    )
    samples = serializers.ListField(
        child=serializers.DictField(), help_text="Validation questions, their references, answers by step."
    )
    hardest = serializers.DictField(help_text="The validation rows of the highest loss under the kept weights.")
    expected = serializers.DictField(
        help_text="What was measured before the start: seconds, memory_bytes, tokens, cost."
    )
    usage = serializers.DictField(help_text="What training took: seconds, memory_bytes.")


class Looks(NativeView):
    """Looking inside a run."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view"}

    @extend_schema(operation_id="fine_tuning_jobs_looks", responses=LooksShape)
    def get(self, request: Request, job_id: str) -> Response:
        job = selectors.job_of(self.workspace_id, job_id)
        found: dict[str, Any] = {"first_batch": {}, "samples": [], "hardest": {}}
        if self.actor.may("datasets.view"):
            found = {
                "first_batch": looks.first_batch(job),
                "samples": looks.samples(job),
                "hardest": looks.hardest(job),
            }
        return Response({**found, "expected": job.estimate, "usage": job.plan.get("usage") or {}})


class _RunView(NativeView):
    """What both views read of the body."""

    actions: ClassVar[dict[str, str]] = {"POST": "training.edit"}
    parser_classes = [JSONParser]

    def asked(self) -> tuple[dict[str, Any], estimates.Plan, bool]:
        """The run with its whole settings, how many steps it would have, and whether to measure again."""
        body = self.given(RunBody)
        if settings.TRAINING_DEVICE == "cpu":
            presets.refuse_on_cpu(body["method"], presets.checked(body["hyperparameters"]))
        version = version_of(self.workspace_id, body["version"])
        base_model = selectors.start_of(self.workspace_id, body["base_model"])
        splits = version.report.get("splits", {})
        resolved = presets.resolve(
            preset_key=body["preset"],
            method=body["method"],
            requested=body["hyperparameters"],
            parameters=base_model.parameters,
            rows=splits.get("train", 0),
            context_length=base_model.context_length,
            seed=body["seed"],
            token_limit=version.token_limit,
        )
        plan = estimates.plan_of(
            rows=splits.get("train", 0), hyperparameters=resolved, has_validation=splits.get("validation", 0) > 0
        )
        run: dict[str, Any] = {
            "version": version,
            "base_model": base_model,
            "method": body["method"],
            "hyperparameters": resolved,
        }
        return run, plan, body["again"]


class Preflight(_RunView):
    """The list before a start."""

    @extend_schema(operation_id="fine_tuning_jobs_preflight", request=RunBody, responses=PreflightShape)
    def post(self, request: Request) -> Response:
        """Everything that is looked at, the worst first. The first question has a worker look at the rows."""
        run, plan, again = self.asked()
        look = look_up(**run)
        if run["version"].state == "ready" and (again or look.inspection is None):
            asked = services.request_measurement(self.actor, kind=MeasurementKind.INSPECT, **run)
            look = Look(asked, look.estimate)
        body = {
            "findings": [asdict(each) for each in preflight(**run, look=look)],
            "looked_over": look.inspection.state if look.inspection else "",
            "hyperparameters": run["hyperparameters"],
            "steps": plan.steps,
        }
        return Response(body)


class DerivedShape(serializers.Serializer):
    """The version that is being made."""

    version = serializers.CharField()
    state = serializers.CharField()


class Derive(_RunView):
    """A version as a base model needs it."""

    @extend_schema(operation_id="fine_tuning_jobs_derive", request=RunBody, responses={202: DerivedShape})
    def post(self, request: Request) -> Response:
        """The same files and recipe, rows measured with this base model's tokenizer and `max_length`; needs
        `files:write` too."""
        run, _plan, _again = self.asked()
        settled = run["hyperparameters"]
        made = services.derive_version(
            self.actor, version=run["version"], base_model=run["base_model"], max_length=settled["max_length"]
        )
        return Response({"version": made.id, "state": made.state}, status=202)


class EstimateView(_RunView):
    """Time, memory, tokens and cost before a start."""

    @extend_schema(
        operation_id="fine_tuning_jobs_estimate", request=RunBody, responses={200: EstimateShape, 202: EstimateShape}
    )
    def post(self, request: Request) -> Response:
        """200: measured, or failed with a sentence. 202: a worker tries a few steps; ask again."""
        run, plan, again = self.asked()
        held = None if again else look_up(**run).estimate
        if held is None:
            held = services.request_measurement(self.actor, kind=MeasurementKind.ESTIMATE, **run)
        tried = held.result if held.state == MeasurementState.READY else {}
        found = estimates.project(
            tried,
            plan=plan,
            test_rows=run["version"].report.get("splits", {}).get("test", 0),
            price_micro_an_hour=settings.PRICE_TRAINING_HOUR_MICRO,
        ) if tried else None  # fmt: skip
        names = ("seconds", "memory_bytes", "tokens", "cost_micro", "judging_seconds")
        body = {
            "state": held.state,
            "error": held.error,
            "steps": plan.steps,
            "steps_tried": tried.get("steps_tried"),
            **{name: getattr(found, name, None) for name in names},
        }
        is_over = held.state in (MeasurementState.READY, MeasurementState.FAILED)
        return Response(body, status=200 if is_over else 202)
