"""What people of a big studio made before anybody asked it anything: themselves, keys, data sets and versions, runs, models,
reviews.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone
from pouring import pour

from datasets_app.models import CurationRecipe, Dataset, DatasetFile, DatasetVersion, VersionState
from gptstudio.accounts.models import ApiKey, Membership, User
from gptstudio.core.ids import mint
from gptstudio.review.models import ReviewDecision, ReviewItem, ReviewState
from tests.worlds import RESULT, SAFETY, World
from training_app.models import (
    BlindComparison,
    Evaluation,
    FineTuningJob,
    JobEvent,
    JobState,
    LanguageModel,
    MetricPoint,
    ModelKind,
    Study,
    StudyState,
)

DAYS = 90
WORDS = [
    "refund",
    "parcel",
    "invoice",
    "password",
    "contract",
    "delivery",
    "voucher",
    "account",
    "order",
    "return",
    "size",
    "colour",
    "payment",
]
ENDS = (JobState.SUCCEEDED,) * 8 + (JobState.FAILED, JobState.CANCELLED)
ONE_CURVE = 5_000  # points of the run whose page is opened


@dataclass(frozen=True, slots=True)
class Size:
    """How much: rows of the one version; versions, and as many runs; lines of the ledger. The rest follows the runs."""

    rows: int
    runs: int
    events: int

    def of(self, many: int) -> int:
        """So many of something in a studio of ten thousand runs."""
        return max(20, many * self.runs // 10_000)


class Work:
    """`world` are the things whose pages are opened, made in an empty studio before."""

    def __init__(self, world: World, *, size: Size) -> None:
        self.world, self.size = world, size
        self.workspace_id: str = world.dataset.workspace_id
        self.now = timezone.now()
        self.lot = random.Random(7)

    def ago(self, place: int, of: int) -> Any:
        """When the one at `place` of so many was made: evenly over the three months, the last one just now."""
        return self.now - timedelta(days=DAYS) * (1 - (place + 1) / of)

    def name(self) -> str:
        return " ".join(self.lot.sample(WORDS, 2)).capitalize()

    @cached_property
    def people(self) -> list[User]:
        made = [
            User(email=f"member{n}@care.example", name=f"Member {n}", password="!") for n in range(self.size.of(200))
        ]
        pour(made)
        pour(
            Membership(workspace_id=self.workspace_id, user=user, role="trainer", created_at=self.now) for user in made
        )
        return made

    @cached_property
    def keys(self) -> list[ApiKey]:
        many = self.size.of(300)
        made = [
            ApiKey(
                workspace_id=self.workspace_id, created_by=self.lot.choice(self.people), name=f"{self.name()} {n}",
                prefix=f"sk-studio-{n:04d}", hash=f"{n:064d}", scopes=["chat"], created_at=self.ago(n, many),
                budget_micro=10_000_000 if n % 3 == 0 else None,
            )
            for n in range(many)
        ]  # fmt: skip
        pour(made)
        return made

    def pour_data(self) -> None:
        """A tenth of the versions in the data set that is opened, ten in each other."""
        w, many = self.world, self.size.runs
        sets = [
            Dataset(
                workspace_id=self.workspace_id, name=f"{self.name()} {n}", created_by=self.lot.choice(self.people),
                created_at=self.ago(n, many // 10),
            )
            for n in range(many // 10)
        ]  # fmt: skip
        pour(sets)
        files = [
            DatasetFile(
                dataset=each, name=f"{each.name}.csv", bytes=1 << 20, digest=f"{n:064d}", state="processed",
                detection=w.file.detection, uploaded_by=each.created_by, created_at=each.created_at,
            )
            for n, each in enumerate(sets)
        ]  # fmt: skip
        pour(files)
        self.versions = [
            DatasetVersion(
                dataset=w.dataset if n % 10 == 0 else sets[n % len(sets)], number=2 + n,
                parent=w.version if n % 10 == 0 else None, recipe=w.version.recipe, report=w.version.report,
                state=VersionState.FAILED if n % 50 == 7 else VersionState.READY, digest=f"{n:064d}",
                created_by=self.lot.choice(self.people), created_at=self.ago(n, many), finished_at=self.ago(n, many),
            )
            for n in range(many)
        ]  # fmt: skip
        pour(self.versions)
        of_set = {each.dataset_id: each for each in files} | {w.dataset.id: w.file}
        through = DatasetVersion.files.through
        pour(through(datasetversion_id=v.id, datasetfile_id=of_set[v.dataset_id].id) for v in self.versions)
        pour(
            CurationRecipe(
                workspace_id=self.workspace_id, name=f"{self.name()} {n}", body=w.recipe.body, created_at=self.now,
                changed_at=self.now, created_by=self.lot.choice(self.people),
            )
            for n in range(self.size.of(300))
        )  # fmt: skip

    def pour_runs(self) -> None:
        w, many = self.world, self.size.runs
        self.jobs = []
        for n, version in enumerate(self.versions):
            state = ENDS[n % 10] if n < many - 40 else JobState.QUEUED
            job = FineTuningJob(
                workspace_id=self.workspace_id, name=f"{self.name()} {n}", version=version, base_model=w.job.base_model,
                requested=w.job.requested, hyperparameters=w.job.hyperparameters, estimate=w.job.estimate,
                plan=w.job.plan, state=state, created_by=version.created_by, created_at=self.ago(n, many),
                error={"message": "It ran out of memory."} if state == JobState.FAILED else {},
                finished_at=None if state == JobState.QUEUED else self.ago(n, many),
            )  # fmt: skip
            self.jobs.append(job)
        pour(self.jobs)
        pour(self._points())
        pour(self._events())
        self.models = [
            LanguageModel(
                workspace_id=self.workspace_id, name=f"ft:starter:care:{n}", title=job.name, kind=ModelKind.FINE_TUNE,
                base=w.job.base_model, job=job, digest=f"{n:064d}", created_by=job.created_by, created_at=job.created_at,
            )
            for n, job in enumerate(self.jobs) if job.state == JobState.SUCCEEDED
        ]  # fmt: skip
        pour(self.models)
        pour(
            Evaluation(
                model=model, version=model.job.version, rows=10, base_scores=RESULT["base"], tuned_scores=RESULT["tuned"],
                result=RESULT, safety=SAFETY, is_safe=True, created_at=model.created_at,
            )
            for model in self.models
        )  # fmt: skip
        evaluation = w.model.evaluation
        pour(
            BlindComparison(
                workspace_id=self.workspace_id, first=evaluation, first_side="base", second=evaluation,
                second_side="tuned", rows=[[0, 0]] * 10, created_at=self.ago(n, self.size.of(300)),
            )
            for n in range(self.size.of(300))
        )  # fmt: skip
        pour(
            Study(
                workspace_id=self.workspace_id, kind="learning_curve", name=f"{self.name()} {n}", version=w.version,
                base_model=w.job.base_model, length=2, state=StudyState.SUCCEEDED, result=w.study.result,
                created_at=self.ago(n, self.size.of(300)),
            )
            for n in range(self.size.of(300))
        )  # fmt: skip

    def _points(self) -> Iterator[MetricPoint]:
        """A long curve for the run whose page is opened; ten points for each other."""
        for job, points in ((self.world.job, ONE_CURVE), *((job, 10) for job in self.jobs)):
            for step in range(1, points + 1):
                held_out = 3.0 / step if step % 10 == 0 else None
                yield MetricPoint(
                    job=job, step=1000 + step, epoch=step / points, loss=3.0 / step, validation_loss=held_out,
                    learning_rate=1e-3, grad_norm=1.0, tokens_per_second=900.0,
                )  # fmt: skip

    def _events(self) -> Iterator[JobEvent]:
        for job, events in ((self.world.job, ONE_CURVE), *((job, 10) for job in self.jobs)):
            for n in range(events):
                yield JobEvent(
                    job=job, phase="train", attempt=1, seq=1000 + n, kind="note", message=f"Step {n} is done.",
                    at=job.created_at + timedelta(seconds=n),
                )  # fmt: skip

    def pour_reviews(self) -> None:
        """Of five models three are released, one was refused, one waits; and answers that were stopped wait, too."""
        states = (ReviewState.APPROVED,) * 3 + (ReviewState.REJECTED, ReviewState.PENDING)
        found = {"guardrail": {"rule": "the list of violence", "side": "answers", "who": "website", "count": 3}}
        found["guardrail"] |= {"models": ["support"], "requests": ["req_1"], "excerpts": []}
        items = [
            ReviewItem(
                workspace_id=self.workspace_id, kind="model", subject_id=model.id, title=f"Release {model.title}",
                evidence={"safety": SAFETY}, makers=[], state=states[n % 5], requested_by="member1@care.example",
                created_at=model.created_at, waiting_since=model.created_at,
                decided_at=None if n % 5 == 4 else model.created_at + timedelta(hours=2),
            )
            for n, model in enumerate(self.models)
        ]  # fmt: skip
        items += [
            ReviewItem(
                workspace_id=self.workspace_id, kind="guardrail", subject_id=mint("req_"), title=f"An answer was stopped {n}",
                evidence=found, requested_by="guardrails", created_at=self.ago(n, 2000), waiting_since=self.ago(n, 2000),
            )
            for n in range(self.size.of(2000))
        ]  # fmt: skip
        pour(items)
        pour(
            ReviewDecision(
                item=item, verdict=item.state, reason="It answers better.", decided_by_label="rita@care.example",
                at=item.decided_at, waited_seconds=7200,
            )
            for item in items if item.decided_at is not None
        )  # fmt: skip
