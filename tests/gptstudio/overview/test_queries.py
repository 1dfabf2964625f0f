"""How often the main pages ask the database: so many times, with one of everything and with many."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets_app.models import Dataset, DatasetVersion
from gptstudio.accounts.models import ApiKey, Membership, User
from gptstudio.review.models import ReviewItem
from serving_app.models import Completion, Deployment, DeploymentRevision, Feedback
from tests.worlds import RESULT, SAFETY, World
from training_app.models import Evaluation, FineTuningJob, LanguageModel

pytestmark = pytest.mark.django_db
MANY = 13  # fewer than a page of any list
ASKED = {
    "/": 24,
    "/datasets/": 7,
    "/datasets/<dataset_id>/": 16,
    "/datasets/versions/<version_id>/": 10,
    "/lineage/<version_id>/": 10,
    "/fine-tunes/": 7,
    "/fine-tunes/<job_id>/": 12,
    "/fine-tunes/new": 7,
    "/models/": 9,
    "/models/<model_id>/": 17,
    "/models/space": 7,
    "/playground/": 11,
    "/deployments/": 9,
    "/deployments/new": 7,
    "/deployments/<deployment_id>/": 16,
    "/connect/": 8,
    "/keys/": 7,
    "/keys/new": 7,
    "/usage/": 14,
    "/usage/requests": 8,
    "/usage/budgets": 8,
    "/usage/prices": 10,
    "/monitoring/": 13,
    "/feedback/": 8,
    "/activity/": 6,
    "/settings/members/": 9,
    "/admin/review/reviewitem/": 12,
    "/admin/audit/auditevent/": 9,
}


def fill(world: World, numbers: range) -> None:
    """More of what lists show."""
    own: dict[str, Any] = {"workspace_id": world.dataset.workspace_id}
    people = [User.objects.create(email=f"member{n}@care.example", name=f"Member {n}") for n in numbers]
    Membership.objects.bulk_create(Membership(user=each, role="trainer", **own) for each in people)
    for n, person in zip(numbers, people, strict=True):
        by = {"created_by": person}
        key = ApiKey.objects.create(name=f"key {n}", hash=f"{n}", budget_micro=1, **by, **own)
        dataset = Dataset.objects.create(name=f"set {n}", **by, **own)
        for of, number in ((dataset, 1), (world.dataset, 10 + n)):
            version = DatasetVersion.objects.create(
                dataset=of, number=number, state="ready", report=world.version.report, recipe=world.version.recipe,
                parent=world.version, **by,
            )  # fmt: skip
            version.files.add(world.file)
        job = FineTuningJob.objects.create(
            name=f"run {n}", version=version, base_model=world.job.base_model, state="succeeded", **by, **own
        )
        model = LanguageModel.objects.create(
            name=f"ft:{n}", kind="fine_tune", base=world.job.base_model, job=job, digest=f"{n}", **by, **own
        )
        scores = {"base_scores": RESULT["base"], "tuned_scores": RESULT["tuned"], "result": RESULT, "safety": SAFETY}
        Evaluation.objects.create(model=model, version=version, rows=10, **scores)
        ReviewItem.objects.create(
            kind="model", subject_id=model.id, title=f"Release {n}", state=("approved", "pending")[n % 2], **own
        )
        deployment = Deployment.objects.create(name=f"care-{n}", **own)
        for of, number in ((deployment, 1), (world.deployment, 10 + n)):
            DeploymentRevision.objects.create(deployment=of, number=number, targets=[{"model": model.id, "weight": 1}])
        request = Completion.objects.create(
            id=f"req_{n}", api_key=key, model=model, deployment=deployment, state="completed", **own
        )
        Feedback.objects.create(request=request, rating="down", given_by_id=f"{n}", given_by_label="Ann", **own)


@pytest.fixture
def queries(world, at_alice) -> Any:
    """How many each page takes, by its route."""
    ids = world.ids

    def counted() -> dict[str, int]:
        found = {}
        for route in ASKED:
            address = route
            for name, value in ids.items():
                address = address.replace(f"<{name}>", value)
            at_alice.get(address)  # what is kept from the first time on is no concern here
            with CaptureQueriesContext(connection) as asked:
                assert at_alice.get(address).status_code == 200, route
            found[route] = len(asked)
        return found

    return counted


def test_main_pages_ask_the_database_so_often_however_much_there_is(queries, world) -> None:
    fill(world, range(1))
    assert queries() == ASKED
    fill(world, range(1, MANY))
    assert queries() == ASKED
