"""The end of a fine-tune is told once, whichever way it ends."""

from __future__ import annotations

import pytest

from gptstudio.accounts.services import add_destination
from gptstudio.notify.events import EVENTS
from gptstudio.notify.models import Delivery
from training_app import services
from training_app.services.runs import fail_job, stop_job, succeed


@pytest.fixture
def told(as_alice, workspace):
    """Events and bodies in the outbox."""
    hook = {"kind": "webhook", "address": "https://hooks.invalid/in", "events": list(EVENTS)}
    add_destination(as_alice, workspace_id=workspace.id, **hook)
    return lambda: [(each.event, each.body["data"]) for each in Delivery.objects.order_by("id")]


@pytest.fixture
def running(make_job):
    return services.claim_job(make_job(suffix="tone").id, holder="test")


def test_success_is_told_once(running, told, base) -> None:
    assert succeed(running) and not succeed(running)
    [(event, data)] = told()
    assert event == "job.succeeded" and (data["id"], data["name"], data["base_model"]) == (
        running.id,
        "tone",
        base.name,
    )
    assert data["error"] is None and data["fine_tuned_model"] is None


def test_failure_is_told_with_its_sentence(running, told) -> None:
    fail_job(running, code="out_of_memory", message="The run needed more memory.")
    [(event, data)] = told()
    assert (event, data["state"], data["error"]) == ("job.failed", "failed", "The run needed more memory.")


def test_cancelling_is_told_when_the_run_has_stopped(running, told, as_tom) -> None:
    services.cancel_job(as_tom, job=running)
    assert told() == []
    stop_job(running)
    assert [event for event, _ in told()] == ["job.cancelled"]


def test_cancelling_a_job_that_waits_is_told_at_once(make_job, told, as_tom) -> None:
    services.cancel_job(as_tom, job=make_job())
    assert [event for event, _ in told()] == ["job.cancelled"]


def test_a_pause_is_no_end(running, told, as_tom) -> None:
    services.pause_job(as_tom, job=running)
    stop_job(running)
    assert told() == []
