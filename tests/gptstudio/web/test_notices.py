"""Who is told of what, on the pages."""

from __future__ import annotations

import pytest

from gptstudio.notify.models import Delivery, Destination
from gptstudio.notify.services import send_due, tell
from gptstudio.notify.webhooks import secret_of

pytestmark = pytest.mark.django_db
HOOK = {"kind": "webhook", "address": "https://hooks.invalid/in", "events": ["job.failed", "review.opened"]}


def test_an_admin_adds_a_url_tests_it_and_sees_what_came_of_it(at_alice) -> None:
    assert "Nobody yet" in at_alice.get("/notices/").content.decode()
    page = at_alice.post("/notices/", HOOK, follow=True).content.decode()
    made = Destination.objects.get()
    assert made.events == HOOK["events"] and secret_of(made.id) in page and "def verified(" in page
    at_alice.post(f"/notices/{made.id}/test")
    send_due()
    for path in ("/notices/", f"/notices/{made.id}/"):
        page = at_alice.get(path).content.decode()
        assert "A test: nothing has happened" in page and "cannot be looked up" in page and "Next try" in page


def test_the_choice_of_events_is_changed_and_needs_one(at_alice) -> None:
    at_alice.post("/notices/", HOOK)
    made = Destination.objects.get()
    at_alice.post(f"/notices/{made.id}/", {"events": ["budget.reached"]})
    made.refresh_from_db()
    assert made.events == ["budget.reached"]
    refused = at_alice.post(f"/notices/{made.id}/", {})
    assert refused.status_code == 400 and "Choose at least one" in refused.content.decode()


def test_an_address_that_is_none_is_refused_beside_its_field(at_alice) -> None:
    wrong = at_alice.post("/notices/", HOOK | {"address": "nowhere"})
    assert wrong.status_code == 400 and "https://example.org/hook" in wrong.content.decode()


def test_what_was_given_up_is_sent_again_and_a_removed_one_hears_nothing(at_alice, workspace) -> None:
    at_alice.post("/notices/", HOOK)
    made = Destination.objects.get()
    tell(workspace_id=workspace.id, event="job.failed", title="It failed", data={})
    Delivery.objects.update(state="failed")
    at_alice.post(f"/notices/deliveries/{Delivery.objects.get().id}/retry")
    assert Delivery.objects.get().state == "pending"
    at_alice.post(f"/notices/{made.id}/delete")
    assert tell(workspace_id=workspace.id, event="job.failed", title="It failed", data={}) == 0
    assert "It failed" in at_alice.get("/notices/").content.decode()


def test_an_editor_neither_sees_nor_changes_who_is_told(at_bob) -> None:
    assert at_bob.get("/notices/").status_code == 403 and at_bob.post("/notices/", HOOK).status_code == 403
