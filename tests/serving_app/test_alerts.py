"""Alert rules: what makes them fire, that they tell when they begin and end, and that budgets tell too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import Workspace
from gptstudio.api.models import KeptAnswer
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid, NotAllowed
from gptstudio.core.ids import mint
from gptstudio.notify.models import Delivery
from gptstudio.notify.services import tell
from serving_app import services
from serving_app.models import AlertRule, Completion, EngineReplica
from serving_app.services.alerts import check_rules
from serving_app.services.budgets import alert_budgets
from tests.worlds import make_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(as_alice, workspace):
    """What was put into the outbox, oldest first."""
    accounts.add_destination(as_alice, workspace_id=workspace.id, kind="email", address="ops@care.example")
    return lambda: list(Delivery.objects.order_by("id").values_list("event", "title"))


@pytest.fixture
def ended(workspace, starter):
    def make(count: int, **values) -> None:
        for _ in range(count):
            values = {"state": "completed", "total_ms": 100, **values}
            Completion.objects.create(
                id=mint("req_"),
                workspace=workspace,
                model=starter,
                replica="embedded",
                endpoint="completions",
                **values,
            )

    return make


def rule(as_alice, **values) -> AlertRule:
    return services.create_rule(as_alice, workspace_id=as_alice.workspace_id, **values)


def test_failures_above_the_threshold_are_told_once_when_they_begin_and_once_when_over(
    as_alice, told, ended, as_charlie
) -> None:
    rule(as_alice, kind="errors", threshold=20)
    services.create_rule(as_charlie, workspace_id=as_charlie.workspace_id, kind="errors", threshold=20)
    ended(8)
    ended(2, state="failed")
    assert check_rules() == 0, "exactly the threshold is not above it"
    ended(1, state="failed")
    assert (check_rules(), check_rules()) == (1, 0)
    found = AlertRule.objects.get(workspace_id=as_alice.workspace_id)
    assert found.firing_since and found.detail == "3 of 11 requests failed (27.3 %)."
    Completion.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert (check_rules(), check_rules()) == (1, 0)
    title = "More than 20 % of requests fail over 5 minutes"
    assert told() == [("alert.began", title), ("alert.ended", f"Over: {title}")]
    acts = AuditEvent.objects.filter(action__startswith="alert.", workspace_id=as_alice.workspace_id).order_by("id")
    assert [each.action for each in acts] == ["alert.rule_made", "alert.began", "alert.ended"]


def test_what_an_engine_refused_for_the_callers_mistake_is_neither_a_failure_nor_an_answer(
    as_alice, told, ended
) -> None:
    rule(as_alice, kind="errors", threshold=20)
    ended(9, state="refused", total_ms=None)
    ended(4)
    ended(1, state="failed")
    assert check_rules() == 0, "exactly the threshold"
    ended(1, state="failed")
    assert check_rules() == 1 and AlertRule.objects.get().detail == "2 of 6 requests failed (33.3 %)."


def test_slow_answers_are_told_and_a_handful_is_no_sign(as_alice, told, ended) -> None:
    rule(as_alice, kind="latency", threshold=500, minutes=10)
    ended(4, total_ms=9_000)
    assert check_rules() == 0
    ended(1, total_ms=9_000)
    assert check_rules() == 1
    assert "up to 9,000 ms" in AlertRule.objects.get().detail
    ended(95, total_ms=100)
    assert check_rules() == 1 and told()[-1][0] == "alert.ended"


def test_an_engine_that_is_away_for_long_enough_is_told_by_name(as_alice, told) -> None:
    rule(as_alice, kind="engine_down", minutes=5)
    seen = timezone.now() - timedelta(minutes=4)
    EngineReplica.objects.create(name="attic", url="http://127.0.0.1:1", is_up=False, last_seen_at=seen)
    assert check_rules() == 0
    EngineReplica.objects.update(last_seen_at=seen - timedelta(minutes=2))
    assert check_rules() == 1 and AlertRule.objects.get().detail == "Does not answer: attic."
    EngineReplica.objects.update(is_up=True)
    assert check_rules() == 1


@pytest.mark.parametrize("seen", [None, timedelta(days=1)])
def test_being_away_counts_from_the_start_of_the_watch_at_the_earliest(as_alice, told, seen) -> None:
    rule(as_alice, kind="engine_down", minutes=5)
    now = timezone.now()
    EngineReplica.objects.create(name="attic", url="http://127.0.0.1:1", is_up=False, last_seen_at=seen and now - seen)
    assert check_rules(watched_since=now - timedelta(minutes=4)) == 0
    assert check_rules(watched_since=now - timedelta(minutes=6)) == 1
    assert check_rules(watched_since=now) == 0, "what fired before a restart is not over because of it"
    EngineReplica.objects.update(is_up=True)
    assert check_rules(watched_since=now) == 1
    assert [event for event, _ in told()] == ["alert.began", "alert.ended"]


def test_sending_a_notice_again_is_written_down_with_who_did_it(as_alice, told, workspace, alice) -> None:
    tell(workspace_id=workspace.id, event="alert.began", title="Requests fail", data={})
    sent = Delivery.objects.get()
    accounts.send_again(as_alice, delivery=sent)
    line = AuditEvent.objects.get(action="delivery.sent_again")
    assert (line.subject_id, line.data["delivery"]) == (sent.destination_id, sent.id)
    assert line.subject_label == "ops@care.example" and line.actor_label == as_alice.label


def test_the_answer_with_a_webhooks_secret_is_kept_for_no_repeat(as_alice, workspace) -> None:
    _, secret = accounts.issue_key(as_alice, workspace_id=workspace.id, name="ops", scopes=["alerts:write"])
    hook = {"kind": "webhook", "address": "https://hooks.example/in"}
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"}
    made = Client().post("/api/v1/alerts/destinations", hook, content_type="application/json", headers=headers)
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    assert not KeptAnswer.objects.exists()


def test_a_budget_that_is_reached_is_told_with_its_amounts(as_alice, told, starter, workspace) -> None:
    Workspace.objects.update(soft_budget_micro=1)
    make_request(as_alice, model=starter)
    assert (alert_budgets(), alert_budgets()) == (1, 0)
    assert told() == [("budget.reached", "The workspace Care has reached the amount to tell at")]
    assert Delivery.objects.get().body["data"]["spent_micro"] == 12


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "weather"}, {"kind": "errors", "threshold": 101}, {"kind": "errors", "threshold": float("nan")},
     {"kind": "latency", "threshold": -1}, {"kind": "latency", "threshold": 5, "minutes": 0}, {"kind": "errors"}],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(as_alice, wrong) -> None:
    with pytest.raises(Invalid):
        rule(as_alice, **wrong)
    assert not AlertRule.objects.exists()


def test_only_admins_make_rules_and_say_who_is_told(as_bob, as_charlie, as_alice, workspace) -> None:
    mine = rule(as_alice, kind="engine_down")
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            services.create_rule(actor, workspace_id=workspace.id, kind="engine_down")
        with pytest.raises(NotAllowed):
            services.remove_rule(actor, rule=mine)
        with pytest.raises(NotAllowed):
            accounts.add_destination(actor, workspace_id=workspace.id, kind="email", address="a@b.example")


def test_the_page_adds_shows_and_removes(at_alice, as_alice, workspace) -> None:
    rule = {"kind": "errors", "threshold": "5", "minutes": "10"}
    page = at_alice.post("/alerts/", rule, follow=True).content.decode()
    assert "More than 5 % of requests fail over 10 minutes" in page and "all well" in page and "Nobody is told" in page
    accounts.add_destination(as_alice, workspace_id=workspace.id, kind="email", address="ops@care.example")
    hook = {"kind": "webhook", "address": "https://hooks.example/in", "events": ["job.failed"]}
    accounts.add_destination(as_alice, workspace_id=workspace.id, **hook)
    page = at_alice.get("/alerts/").content.decode()
    assert "ops@care.example" in page and "hooks.example" not in page, "only those who are told of alerts"
    assert at_alice.post("/alerts/", {**rule, "minutes": "0"}).status_code == 400
    at_alice.post(f"/alerts/rules/{AlertRule.objects.get().id}/delete")
    assert "No rule yet" in at_alice.get("/alerts/").content.decode()


@pytest.fixture
def at_alice(alice, workspace):
    client = Client()
    client.force_login(alice)
    return client
