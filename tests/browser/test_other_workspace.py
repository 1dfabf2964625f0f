"""Two tabs: one is left open in Care, in the other its owner goes on to Second."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.services import create_workspace
from tests.browser.test_every_page import sign_in
from tests.worlds import make_dataset, make_version

pytestmark = [pytest.mark.browser]


def _to_second(watched, second) -> None:
    other = watched.page.context.new_page()
    other.goto(watched.address + "/workspaces/")
    other.locator(f"form:has(input[value={second.id}]) button").click()
    other.wait_for_url(watched.address + "/")
    other.close()


def test_a_form_of_before_is_sent_where_it_was_meant(watched, alice, workspace) -> None:
    second, page = create_workspace(owner=alice, name="Second"), watched.page
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit("/keys/new")
    page.get_by_label("Name").fill("typed for Care")
    page.get_by_label("Ask models for answers").check()
    _to_second(watched, second)
    page.locator("main form button.main").click()
    expect(page.get_by_role("heading", name="That page was of Care, and you work in Second now.")).to_be_visible()
    assert not ApiKey.objects.exists()
    page.get_by_role("button", name="Switch to Care and send it").click()
    expect(page.locator("#secret")).to_be_visible()
    made = ApiKey.objects.get()
    assert (made.workspace_id, made.name) == (workspace.id, "typed for Care")
    assert [fault for fault in watched.faults if "409" not in fault] == []


def test_a_part_of_a_page_says_so_where_it_stands(watched, as_alice, alice, workspace) -> None:
    version, page = make_version(as_alice, dataset=make_dataset(as_alice)[0]), watched.page
    second = create_workspace(owner=alice, name="Second")
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit(f"/datasets/{version.dataset_id}/version")
    _to_second(watched, second)
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text("That page was of Care, and you work in Second now.")).to_be_visible()
    assert [fault for fault in watched.faults if "409" not in fault] == []
