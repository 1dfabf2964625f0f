"""FineTuningJob: one run, from its whole spec to its model. Events, metric points and checkpoints hang on it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property

from gptstudio.core import storage
from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased
from gptstudio.core.states import Transitions


class JobState(models.TextChoices):
    """OpenAI's states, and `paused`, which `/v1` shows as queued."""

    VALIDATING_FILES = "validating_files", "Checking the data"
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


TRANSITIONS = Transitions(
    {
        JobState.VALIDATING_FILES: {JobState.QUEUED, JobState.FAILED, JobState.CANCELLED, JobState.PAUSED},
        JobState.QUEUED: {JobState.RUNNING, JobState.CANCELLED, JobState.FAILED, JobState.PAUSED},
        JobState.RUNNING: {
            JobState.QUEUED,
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.PAUSED,
        },
        JobState.PAUSED: {JobState.QUEUED, JobState.CANCELLED},
        JobState.FAILED: {JobState.QUEUED},
        JobState.CANCELLED: {JobState.QUEUED},  # see `can_go_on`
    }
)


ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class JobPhase(models.TextChoices):
    """What a running job is at."""

    TRAIN = "train", "Training"
    EVALUATE = "evaluate", "Comparing with the base model"
    SAFETY = "safety", "Checking safety"
    RELEASE = "release", "Being released"


class Wanted(models.TextChoices):
    """What people want of a running job; its runner looks every tick."""

    RUN = "run", "Run"
    PAUSE = "pause", "Pause"
    CANCEL = "cancel", "Cancel"


class FineTuningJob(Leased):
    """`hyperparameters` is the resolved, whole set; `requested` is what was asked for.

    A run of a study (`place` says which of its runs) ends once it is trained. `rows_share` is how much of the training rows
    it learns from.
    """

    id = PublicIdField(prefix="ftjob-")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="jobs")
    name = models.CharField(max_length=120)
    version = models.ForeignKey("datasets.DatasetVersion", on_delete=models.PROTECT, related_name="jobs", null=True)
    training_file = models.ForeignKey("datasets.DatasetFile", on_delete=models.PROTECT, null=True, related_name="+")
    validation_file = models.ForeignKey("datasets.DatasetFile", on_delete=models.PROTECT, null=True, related_name="+")
    base_model = models.ForeignKey("training.LanguageModel", on_delete=models.PROTECT, related_name="jobs_on_it")
    preset = models.CharField(max_length=32, blank=True)
    suffix = models.CharField(max_length=64, blank=True)
    method = models.CharField(max_length=16, default="full")
    requested = models.JSONField(default=dict)
    hyperparameters = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0)
    metadata = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=JobState, default=JobState.QUEUED)
    phase = models.CharField(max_length=16, choices=JobPhase, default=JobPhase.TRAIN)
    wanted = models.CharField(max_length=8, choices=Wanted, default=Wanted.RUN)
    progress = models.JSONField(default=dict, help_text="{step, steps, eta_seconds} of the phase")
    plan = models.JSONField(default=dict, help_text="The engine's plan event.")
    estimate = models.JSONField(default=dict, help_text="{seconds, memory_bytes, tokens, cost_micro} as expected.")
    offsets = models.JSONField(default=dict, help_text="Bytes of each phase's events.jsonl already taken in.")
    error = models.JSONField(default=dict, help_text="{code, message, fix}")
    trained_tokens = models.BigIntegerField(null=True, blank=True)
    study = models.ForeignKey("training.Study", on_delete=models.CASCADE, null=True, related_name="runs")
    place = models.PositiveIntegerField(null=True, help_text="From 1.")
    rows_share = models.FloatField(default=1.0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="jobs_by_workspace"),
            models.Index(fields=["state", "lease_until"], name="jobs_to_run"),
        ]
        constraints = [models.UniqueConstraint(fields=["study", "place"], name="a_run_a_place_in_a_study")]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        """The run folder, as a machine that runs it has it; evaluation and safety have their own below it."""
        return storage.place(self.stored)

    @property
    def stored(self) -> str:
        """The name of its run folder in the store."""
        return f"runs/{self.id}"

    @property
    def stored_checkpoints(self) -> str:
        """The name in the bucket of the folder of its checkpoints."""
        return f"checkpoints/{self.id}"

    @cached_property
    def left(self) -> Path:
        """The run folder with what it left for people to look at, brought up to what the bucket has."""
        return storage.current(self.stored)

    @property
    def weights(self) -> list[Path]:
        """What of the run folder takes room: the folders of its checkpoints and of the model that it saved."""
        return [self.folder / "checkpoints", self.folder / "model"]

    @property
    def kept_step(self) -> int | None:
        """The step whose weights became the model; None before the training is over."""
        finished = self.plan.get("finished") or {}
        best = finished.get("best_step")
        step: int | None = finished.get("steps") if best is None else best
        return step

    @property
    def can_go_on(self) -> bool:
        """Whether it may be resumed: of those that were cancelled, a run that has a checkpoint to go on from, and one that was
        trained and whose model waits for its verdict.
        """
        if self.archived_at is not None:
            return False
        if self.state == JobState.CANCELLED:
            is_training = self.phase == JobPhase.TRAIN
            return self.checkpoints.exists() if is_training else self.phase in (JobPhase.EVALUATE, JobPhase.SAFETY)
        return self.state in (JobState.PAUSED, JobState.FAILED)


class JobEvent(models.Model):
    """One line of an engine's events.jsonl, or a note by the studio itself (phase empty; its attempt is 0, or the one that
    was given back with it).
    """

    id = PublicIdField(prefix="ftevent-")
    job = models.ForeignKey(FineTuningJob, on_delete=models.CASCADE, related_name="events")
    phase = models.CharField(max_length=16, blank=True)
    attempt = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    level = models.CharField(max_length=8, default="info")
    message = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        constraints = [models.UniqueConstraint(fields=["job", "phase", "attempt", "seq"], name="an_event_once")]
        indexes = [models.Index(fields=["job", "-at"], name="events_by_job")]

    def __str__(self) -> str:
        return self.message or self.kind


class MetricPoint(models.Model):
    """What was measured at one step. A resumed run writes the same step again: the later value stands."""

    job = models.ForeignKey(FineTuningJob, on_delete=models.CASCADE, related_name="metrics")
    step = models.PositiveIntegerField()
    epoch = models.FloatField()
    loss = models.FloatField(null=True)
    validation_loss = models.FloatField(null=True)
    learning_rate = models.FloatField(null=True)
    grad_norm = models.FloatField(null=True)
    tokens_per_second = models.FloatField(null=True)

    class Meta:
        ordering = ("step",)
        constraints = [models.UniqueConstraint(fields=["job", "step"], name="a_point_a_step")]

    def __str__(self) -> str:
        return f"step {self.step}"


class Checkpoint(models.Model):
    """A verified checkpoint of a run; `path` is below the run folder."""

    id = PublicIdField(prefix="ftckpt_")
    job = models.ForeignKey(FineTuningJob, on_delete=models.CASCADE, related_name="checkpoints")
    step = models.PositiveIntegerField()
    path = models.CharField(max_length=200)
    validation_loss = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-step",)
        constraints = [models.UniqueConstraint(fields=["job", "step"], name="a_checkpoint_a_step")]

    def __str__(self) -> str:
        return f"step {self.step}"
