"""Home: what runs, what waits, what was answered; and the road on every object."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets_app import services
from datasets_app.models import DatasetVersion
from gptstudio.overview import selectors
from gptstudio.overview.views import waiting_for
from gptstudio.review.models import ReviewItem
from gptstudio.review.services import decide, open_item
from gptstudio.web.road import road_of
from serving_app.models import UsageDaily
from serving_app.selectors import spent_by_month, totals
from tests.worlds import make_dataset, make_job, make_version
from training_app.models import BaseModelImport, ModelExport

pytestmark = pytest.mark.django_db


def test_an_empty_workspace_is_told_where_to_begin(at_alice) -> None:
    page = at_alice.get("/").content.decode()
    assert "What shall it do?" in page and 'href="/datasets/new"' in page


def test_what_waits_is_named_with_what_happens_and_where_to_act(world, at_alice) -> None:
    page = at_alice.get("/").content.decode()
    assert "Release Refunds" in page
    assert "You made it: another person decides." in page
    assert re.search(r'href="/admin/review/reviewitem/review_\w+/change/"', page)


def test_an_editor_is_sent_to_the_model_and_not_to_the_console(world, as_bob) -> None:
    (line,) = waiting_for(as_bob)
    assert line.url == f"/models/{world.model.id}/" and "A reviewer decides" in line.detail


def open_items(actor, workspace, kind: str, count: int) -> None:
    for number in range(count):
        open_item(
            actor, workspace_id=workspace.id, kind=kind, subject_id=f"x{number}", title=f"The word “{kind}{number}”",
            evidence={}, makers=[],
        )  # fmt: skip


def test_what_somebodys_words_were_stopped_for_is_for_reviewers_alone(workspace, as_alice, as_bob) -> None:
    open_items(as_bob, workspace, "prompt", 1)
    assert waiting_for(as_bob) == [] and "prompt0" in waiting_for(as_alice)[0].title


def test_what_was_decided_of_somebodys_words_is_told_to_reviewers_alone(
    world, workspace, as_alice, at_alice, at_bob
) -> None:
    open_items(as_alice, workspace, "guardrail", 1)
    decide(as_alice, item=ReviewItem.objects.get(kind="guardrail"), verdict="rejected", reason="It was right to stop.")
    assert "“guardrail0”" in at_alice.get("/").content.decode()
    assert "guardrail0" not in at_bob.get("/").content.decode()


def test_what_runs_stands_before_what_waits_behind_it(world, as_alice) -> None:
    running = world.job
    type(running).objects.filter(id=running.id).update(state="running")
    for _ in range(selectors.MOST_RUNNING + 1):
        waiting = make_job(as_alice, version=world.version, base=running.base_model, is_started=False)
        type(waiting).objects.filter(id=waiting.id).update(state="queued")
    shown = selectors.running_jobs(as_alice.workspace_id)
    assert shown[0].id == running.id and len(shown) == selectors.MOST_RUNNING
    assert selectors.not_under_way(as_alice.workspace_id, {running.id, waiting.id, "ftjob-x"}) == {"ftjob-x"}


def test_of_many_reviews_the_newest_are_shown_and_all_are_counted(workspace, as_alice, as_bob, at_alice) -> None:
    open_items(as_bob, workspace, "prompt", 40)
    titles = [each.title for each in waiting_for(as_alice)]
    assert len(titles) == 7 and titles[-1] == "34 more wait for a reviewer"
    make_dataset(as_alice)
    assert "40 things wait for someone" in at_alice.get("/").content.decode()


def test_the_counts_of_the_side_are_one_query(world, workspace, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        found = selectors.tally(workspace.id)
    assert (found.datasets, found.versions, found.jobs, found.models, found.deployments) == (1, 1, 1, 1, 1)
    assert found.pending == 1 and found.keys == 1 and found.running == 0


def test_home_asks_a_bounded_number_of_queries(world, at_alice, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(24):
        at_alice.get("/")


def test_a_running_fine_tune_shows_its_curve_and_the_part_stays_quiet_while_nothing_changes(
    as_alice, at_alice, starter
) -> None:
    dataset, _file = make_dataset(as_alice)
    make_job(as_alice, version=make_version(as_alice, dataset=dataset), base=starter)
    page = at_alice.get("/").content.decode()
    assert "step 20 of 30" in page and "<polyline" in page
    part = re.search(r'hx-get="(/home/running[^"]+)"', page)
    assert part is not None
    address = part[1].replace("&amp;", "&")
    assert at_alice.get(address).status_code == 204
    assert at_alice.get("/home/running?mark=older").status_code == 200


def test_the_page_is_loaded_again_when_something_that_ran_is_over(world, at_alice) -> None:
    answer = at_alice.get("/home/running?mark=older&seen=ftjob-over")
    assert answer.status_code == 204 and answer.headers["HX-Refresh"] == "true"
    assert "Nothing is running" in at_alice.get("/home/running?mark=older").content.decode()


def test_versions_exports_and_models_on_their_way_run_beside_fine_tunes(world, as_alice, at_alice) -> None:
    version = services.create_version(as_alice, dataset=world.dataset)
    DatasetVersion.objects.filter(id=version.id).update(state="building", progress={"done": 1, "total": 4})
    ModelExport.objects.filter(id=world.export.id).update(state="running")
    BaseModelImport.objects.filter(id=world.fetched.id).update(state="downloading", progress={"done": 10, "total": 100})
    page = at_alice.get("/home/running").content.decode()
    assert "25 %" in page and "10 %" in page
    assert all(f"seen={each.id}" in page for each in (version, world.export, world.fetched))


def test_nothing_of_another_workspace_runs_or_changed_here(world, at_charlie) -> None:
    page = at_charlie.get("/").content.decode()
    assert "Refunds" not in page and "Changed lately" not in page


def test_what_changed_lately_is_told_in_words_with_who_did_it(world, at_bob) -> None:
    page = at_bob.get("/").content.decode().split("Changed lately")[1]
    assert "Made a deployment <b>support</b>" in page and "alice@care.example" in page
    assert "All activity" not in page, "the log itself is for reviewers and admins"


def test_what_this_month_costs_stands_beside_the_last(world, workspace, at_alice) -> None:
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    last = today.replace(day=1) - timedelta(days=1)
    UsageDaily.objects.create(workspace=workspace, day=last, model_name="m", cost_micro=2_500_000)
    UsageDaily.objects.create(workspace=workspace, day=last - timedelta(days=40), model_name="m", cost_micro=9_000_000)
    now, before = spent_by_month(workspace.id, today=today)
    assert before == 2_500_000 and now == totals(workspace.id)["cost_micro"] > 0
    assert "in the whole of last month" in at_alice.get("/").content.decode()


def test_whom_something_waits_for_is_said(world, as_alice, as_bob) -> None:
    assert waiting_for(as_alice)[0].whom == "another reviewer" and waiting_for(as_bob)[0].whom == "a reviewer"
    world.job.state, world.job.finished_at = "failed", timezone.now()
    world.job.save()
    (failed,) = [each for each in waiting_for(as_alice) if "failed" in each.title]
    assert failed.whom == "you"


@pytest.mark.parametrize("noun", ["dataset", "version", "job", "model", "deployment"])
def test_every_object_knows_its_six_steps(world, noun) -> None:
    steps = road_of(noun, getattr(world, noun))
    assert [step.key for step in steps] == ["upload", "curate", "train", "evaluate", "release", "serve"]
    assert sum(step.here for step in steps) == 1


@pytest.mark.parametrize(
    ("phase", "here", "says"),
    [("train", "train", "training"), ("evaluate", "evaluate", "comparing with the base model"),
     ("safety", "evaluate", "checking safety"), ("release", "release", None)],
)  # fmt: skip
def test_a_run_stands_on_the_step_that_it_is_at(world, phase, here, says) -> None:
    world.job.state, world.job.phase = "running", phase
    steps = {step.key: step for step in road_of("job", world.job)}
    assert [key for key, step in steps.items() if step.here] == [here]
    assert says is None or steps[here].says == says
    world.job.state = "failed"
    assert [step.key for step in road_of("job", world.job) if step.tone == "bad"] == [here]


def test_the_road_of_a_version_leads_to_what_came_of_it(world) -> None:
    addresses = {step.key: step.url for step in road_of("version", world.version)}
    assert addresses["upload"] == f"/datasets/{world.dataset.id}/"
    assert addresses["train"] == f"/fine-tunes/{world.job.id}/"
    assert addresses["release"] == f"/models/{world.model.id}/"


def test_a_ready_version_without_a_fine_tune_offers_one(as_alice) -> None:
    dataset, _file = make_dataset(as_alice)
    version = make_version(as_alice, dataset=dataset)
    train = next(step for step in road_of("version", version) if step.key == "train")
    assert train.url == f"/fine-tunes/new?version={version.id}"
