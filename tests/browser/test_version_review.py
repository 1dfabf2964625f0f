"""A version asked to be looked at: on its own page, in the reviewer's queue, and back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system
from tests.browser.test_every_page import sign_in
from tests.worlds import make_dataset, make_version

pytestmark = [pytest.mark.browser]


def test_a_version_waits_in_the_queue_until_another_person_decides(watched, as_alice, as_bob, workspace) -> None:
    version = make_version(as_bob, dataset=make_dataset(as_bob)[0])
    page, address = watched.page, f"/datasets/versions/{version.id}/"
    sign_in(watched, "bob@care.example", "correct horse battery")
    watched.visit(address)
    page.get_by_role("button", name="Ask for a review").click()
    expect(page.get_by_text("It waits in the review queue now.")).to_be_visible()
    expect(page.get_by_text("It waits for a reviewer.")).to_be_visible()
    expect(page.get_by_role("button", name="Ask for a review")).to_have_count(0)
    page.context.clear_cookies()
    dora = accounts.create_user(email="dora@care.example", name="Dora", password="correct horse battery")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=dora, role="reviewer")
    sign_in(watched, "dora@care.example", "correct horse battery")
    watched.visit(address)
    page.get_by_role("link", name="Open in the queue").click()
    expect(page.get_by_text("somebody asks for a second look")).to_be_visible()
    expect(page.get_by_role("link", name="Open the version")).to_be_visible()
    page.get_by_label("Reason").fill("Too many names left.")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("button", name="Reject")).to_have_count(0)
    watched.visit(address)
    expect(page.get_by_text("A reviewer said no.")).to_be_visible()
    assert "Too many names left." in watched.text
    assert watched.faults == []
