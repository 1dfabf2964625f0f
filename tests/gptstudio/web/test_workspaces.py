"""Signing up, the first visit, switching."""

from __future__ import annotations

import pytest
from django.test import Client

from gptstudio.accounts.models import Membership, Workspace

pytestmark = pytest.mark.django_db


def test_a_newcomer_signs_up_makes_a_workspace_and_lands_on_home() -> None:
    client = Client()
    password = "a long walk in the rain"
    answer = client.post("/accounts/signup/", {"email": "new@care.example", "password1": password}, follow=True)
    assert "Make a workspace" in answer.content.decode()
    answer = client.post("/workspaces/new", {"name": "Care", "release_policy": "two_person"}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "What shall it do?" in answer.content.decode()
    assert Membership.objects.get().role == "admin"


def test_a_workspace_without_a_name_keeps_the_page_and_says_so(alice) -> None:
    client = Client()
    client.force_login(alice)
    answer = client.post("/workspaces/new", {"name": " ", "release_policy": "self"})
    assert answer.status_code == 400
    assert 'value="self" selected' in answer.content.decode()
    assert not Workspace.objects.exists()


def test_one_can_only_switch_to_ones_own_workspaces(at_alice, workspace, charlie) -> None:
    theirs = Membership.objects.get(user=charlie).workspace_id
    answer = at_alice.post("/workspaces/switch", {"workspace": theirs})
    assert answer.status_code == 404
    assert "You are not a member of that workspace" in answer.content.decode()


def test_an_admin_changes_the_release_policy_and_it_is_in_the_log(at_alice, workspace) -> None:
    at_alice.post("/settings/", {"policy": "self"})
    workspace.refresh_from_db()
    assert workspace.release_policy == "self"
    assert "Changed who may release models" in at_alice.get("/activity/").content.decode()


def test_an_editor_cannot_change_the_settings(at_bob, workspace) -> None:
    answer = at_bob.post("/settings/", {"policy": "automatic"})
    workspace.refresh_from_db()
    assert answer.status_code == 403 and workspace.release_policy == "two_person"


def test_an_editor_does_not_see_members_nor_the_form(at_bob) -> None:
    page = at_bob.get("/settings/").content.decode()
    assert "alice@care.example" not in page and 'name="policy"' not in page
