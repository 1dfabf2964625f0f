"""Budgets and prices on their pages, and what home and usage say when one is reached."""

from __future__ import annotations

import pytest

from gptstudio.accounts.models import Membership, Workspace
from gptstudio.overview.views import waiting_for
from serving_app.models import ModelPrice
from serving_app.services import create_deployment
from tests.worlds import make_request

pytestmark = pytest.mark.django_db


def test_a_budget_that_is_reached_is_said_on_home_usage_and_its_own_page(
    at_alice, as_alice, starter, workspace
) -> None:
    make_request(as_alice, model=starter)
    at_alice.post("/usage/budgets/workspace/update", {"budget_micro": "1", "soft_budget_micro": "0.000001"})
    assert (Workspace.objects.get().budget_micro, Workspace.objects.get().soft_budget_micro) == (1_000_000, 1)
    assert "The workspace Care has spent 0.000012" in at_alice.get("/usage/").content.decode()
    at_alice.post("/usage/budgets/workspace/update", {"budget_micro": "0.00001"})
    assert "The budget of the workspace Care is used up." in at_alice.get("/usage/").content.decode()
    page = at_alice.get("/usage/budgets").content.decode()
    assert "used up" in page and "0.000012" in page and "Alice" in page


def test_a_months_budget_is_shown_with_what_is_spent_and_when_it_begins_anew(
    at_alice, as_alice, starter, workspace
) -> None:
    make_request(as_alice, model=starter)
    at_alice.post("/usage/budgets/workspace/update", {"monthly_budget_micro": "0.00001"})
    page = at_alice.get("/usage/budgets").content.decode()
    assert "This month" in page and "begins anew" in page and "at midnight by UTC" in page and "used up" in page
    said = "The budget of the workspace Care for this month is used up"
    assert said in at_alice.get("/usage/").content.decode() and said in {each.title for each in waiting_for(as_alice)}
    at_alice.post("/usage/budgets/workspace/update", {"soft_monthly_budget_micro": "0.00001"})
    assert "has spent 0.000012 this month." in at_alice.get("/usage/").content.decode()


def test_a_members_budget_is_set_there_and_a_wrong_one_is_told(at_alice, alice, bob) -> None:
    address = f"/usage/budgets/members/{bob.id}/update"
    at_alice.post(address, {"budget_micro": "2.5"})
    assert Membership.objects.get(user=bob).budget_micro == 2_500_000
    assert "A budget is an amount" in at_alice.post(address, {"budget_micro": "much"}, follow=True).content.decode()
    assert Membership.objects.get(user=bob).budget_micro == 2_500_000


def test_a_price_is_set_seen_in_force_and_taken_back_while_it_is_to_come(at_alice, starter) -> None:
    now = {"model_name": starter.name, "prompt_micro": "0.5", "completion_micro": "2"}
    page = at_alice.post("/usage/prices", now, follow=True).content.decode()
    assert "in force" in page and ModelPrice.objects.get().prompt_micro == 500_000
    at_alice.post("/usage/prices", {**now, "valid_from": "2090-01-01T00:00"})
    coming = ModelPrice.objects.order_by("valid_from").last()
    assert "scheduled" in at_alice.get("/usage/prices").content.decode()
    at_alice.post(f"/usage/prices/{coming.id}/withdraw")
    assert ModelPrice.objects.count() == 1
    refused = at_alice.post("/usage/prices", {**now, "valid_from": "2020-01-01T00:00"})
    assert refused.status_code == 400 and "in the past" in refused.content.decode()


def test_prices_are_offered_for_models_and_not_for_deployments(at_alice, as_alice, starter, workspace) -> None:
    create_deployment(as_alice, workspace_id=workspace.id, name="support", targets=[{"model": starter.id, "weight": 1}])
    page = at_alice.get("/usage/prices").content.decode()
    assert f'<option value="{starter.name}"' in page and '<option value="support"' not in page


def test_an_editor_sees_budgets_and_prices_and_changes_none(at_bob, workspace) -> None:
    assert "Change" not in at_bob.get("/usage/budgets").content.decode()
    assert "Set a price" not in at_bob.get("/usage/prices").content.decode()
    assert at_bob.post("/usage/prices", {"prompt_micro": "1", "completion_micro": "1"}).status_code == 403
