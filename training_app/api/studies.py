"""/api/v1/studies: several runs on the same data, looked at together."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app.selectors import version_of
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.core.errors import Conflict, Invalid
from training_app import presets, selectors, services, trials
from training_app.models import FineTuningJob, JobState, Study, StudyKind
from training_app.selectors.studies import losses_of, runs_of, stopped_behind, studies_of, study_of


class StudyBody(serializers.Serializer):
    """What to find out, of which run: that of a fine-tune (`job`), or one described as for `/preflight`."""

    kind = serializers.ChoiceField(choices=StudyKind.choices)
    name = serializers.CharField(max_length=100, required=False, default="")
    job = serializers.CharField(
        max_length=80, required=False, help_text="A fine-tune whose data and settings are taken."
    )
    version = serializers.CharField(max_length=80, required=False)
    base_model = serializers.CharField(max_length=80, required=False)
    preset = serializers.ChoiceField(choices=[each["key"] for each in presets.PRESETS], default="balanced")
    method = serializers.ChoiceField(choices=presets.METHODS, default="full")
    hyperparameters = serializers.DictField(required=False, default=dict)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    space = serializers.DictField(
        required=False,
        default=dict,
        help_text="Of a sweep: by setting {low, high, log} or {choices}; {} searches its usual range.",
    )
    length = serializers.IntegerField(
        required=False,
        min_value=trials.FEWEST,
        max_value=trials.MOST,
        default=trials.USUAL,
        help_text="Of a sweep: trials.",
    )


class StudyRunShape(serializers.Serializer):
    """One run. `validation_loss` is the lowest that was measured, null before that; `settings` what a sweep chose for it;
    `stopped_early`: others had done better by then."""

    job = serializers.CharField()
    place = serializers.IntegerField()
    state = serializers.ChoiceField(choices=JobState.choices)
    rows_share = serializers.FloatField()
    training_rows = serializers.IntegerField(allow_null=True)
    validation_loss = serializers.FloatField(allow_null=True)
    settings = serializers.DictField()
    stopped_early = serializers.BooleanField()


class StudyShape(serializers.ModelSerializer):
    """A study. `result` of a learning curve: `runs` with the loss on the validation rows by share of the training rows,
    `gains` from each share to the next (`change` −0.08 is eight hundredths less, with its 95 % interval), and the `verdict`:
    helps, little_more, enough, unclear or harms.
    """

    version = serializers.CharField(source="version_id")
    base_model = serializers.CharField(source="base_model_id")
    job = serializers.CharField(source="origin_id", allow_null=True)
    space = serializers.DictField()
    length = serializers.IntegerField(help_text="How many runs there shall be.")
    result = serializers.DictField()
    error = serializers.DictField()
    hyperparameters = serializers.DictField(help_text="The whole settings of the run that it begins with.")

    class Meta:
        model = Study
        fields = (
            "id", "kind", "name", "state", "version", "base_model", "job", "method", "hyperparameters", "space", "length",
            "result", "error", "created_at", "finished_at",
        )  # fmt: skip


class StudyWithRunsShape(StudyShape):
    """A study with its runs, in their order."""

    runs = serializers.SerializerMethodField()

    class Meta(StudyShape.Meta):
        fields = (*StudyShape.Meta.fields, "runs")  # type: ignore[assignment]

    @extend_schema_field(StudyRunShape(many=True))
    def get_runs(self, study: Study) -> list[dict[str, Any]]:
        runs = runs_of(study)
        looks, behind = losses_of(runs), stopped_behind(study)
        return [_run(run, study, looks[run.id], run.id in behind) for run in runs]


def _run(run: FineTuningJob, study: Study, looks: list[float], is_behind: bool) -> dict[str, Any]:
    return {
        "job": run.id,
        "place": run.place,
        "state": run.state,
        "rows_share": run.rows_share,
        "training_rows": run.plan.get("train_rows"),
        "validation_loss": min(looks, default=None),
        "settings": {name: run.requested[name] for name in study.space},
        "stopped_early": is_behind and run.state == JobState.CANCELLED,
    }


class Studies(NativeView):
    """The workspace's studies."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view", "POST": "training.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="studies_list", parameters=LIST_PARAMETERS, responses=page_of(StudyShape, "StudiesPage")
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        return self.listed(studies_of(self.workspace_id), lambda each: StudyShape(each).data)

    @extend_schema(operation_id="studies_create", request=StudyBody, responses={201: StudyWithRunsShape})
    def post(self, request: Request) -> Response:
        """Begin one. Its runs take their turns in the queue, one after another."""
        return Response(StudyWithRunsShape(self._made(self.given(StudyBody))).data, status=201)

    def _made(self, body: dict[str, Any]) -> Study:
        is_sweep = body["kind"] == StudyKind.SWEEP
        job = selectors.job_of(self.workspace_id, body["job"]) if body.get("job") else None
        if job is not None and not is_sweep:
            return services.create_learning_curve_of(self.actor, job=job, name=body["name"])
        run = self._run_of(job, body["name"]) if job is not None else self._described(body)
        if not is_sweep:
            return services.create_learning_curve(self.actor, workspace_id=self.workspace_id, **run)
        searched = {"space": body["space"], "length": body["length"], "origin": job}
        return services.create_sweep(self.actor, workspace_id=self.workspace_id, **run, **searched)

    def _described(self, body: dict[str, Any]) -> dict[str, Any]:
        for name in ("version", "base_model"):
            if not body.get(name):
                raise Invalid("The study needs data and a base model.", fix=f"Name a job, or a {name}.", param=name)
        return {
            "version": version_of(self.workspace_id, body["version"]),
            "base_model": selectors.start_of(self.workspace_id, body["base_model"]),
            "seed": body.get("seed"),
            **{name: body[name] for name in ("preset", "method", "hyperparameters", "name")},
        }

    def _run_of(self, job: FineTuningJob, name: str) -> dict[str, Any]:
        if job.version is None:
            raise Conflict("The data of this fine-tune is not ready yet.", fix="Wait until it is trained.")
        settings = {"preset": job.preset, "method": job.method, "hyperparameters": job.requested, "seed": job.seed}
        return {"version": job.version, "base_model": job.base_model, "name": name or job.name, **settings}


class StudyOne(NativeView):
    """One study."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view"}

    @extend_schema(operation_id="studies_read", responses=StudyWithRunsShape)
    def get(self, request: Request, study_id: str) -> Response:
        """With its runs."""
        return Response(StudyWithRunsShape(study_of(self.workspace_id, study_id)).data)


class StudyCancel(NativeView):
    """An end before the end."""

    actions: ClassVar[dict[str, str]] = {"POST": "training.edit"}

    @extend_schema(operation_id="studies_cancel", request=None, responses=StudyWithRunsShape)
    def post(self, request: Request, study_id: str) -> Response:
        """Begin no further run, and cancel the one under way."""
        study = services.cancel_study(self.actor, study=study_of(self.workspace_id, study_id))
        return Response(StudyWithRunsShape(study).data)


class StudyResume(NativeView):
    """A failed study gone on with."""

    actions: ClassVar[dict[str, str]] = {"POST": "training.edit"}

    @extend_schema(operation_id="studies_resume", request=None, responses=StudyWithRunsShape)
    def post(self, request: Request, study_id: str) -> Response:
        """From where it stood."""
        study = services.resume_study(self.actor, study=study_of(self.workspace_id, study_id))
        return Response(StudyWithRunsShape(study).data)
