"""Two people, two browsers: one invites, the other accepts, becomes reviewer and releases the first one's model."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gptstudio.review.selectors import is_cleared
from tests.browser.conftest import Watched
from tests.browser.test_every_page import sign_in
from tests.chromium import PATIENCE
from tests.worlds import finish_job, make_dataset, make_job, make_version
from training_app.services import request_release

pytestmark = [pytest.mark.browser]


def test_who_is_invited_as_reviewer_decides_on_the_first_ones_model(watched, as_alice, starter, tmp_path) -> None:
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    model = finish_job(make_job(as_alice, version=version, base=starter), folder=tmp_path / "model")
    request_release(as_alice, model=model)

    page = watched.page
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit("/settings/")
    page.get_by_role("link", name="Invite somebody").click()
    page.get_by_label("E-mail").fill("dora@care.example")
    page.get_by_label("Reviewer: sees everything").check()
    page.get_by_role("button", name="Invite").click()
    link = page.locator("#secret").inner_text()
    assert link.startswith(f"{watched.address}/invitations/")

    elsewhere = page.context.browser.new_context(viewport={"width": 390, "height": 844})
    elsewhere.set_default_timeout(PATIENCE)
    second = Watched(elsewhere.new_page(), watched.address)
    second.visit(link.removeprefix(watched.address))
    expect(second.page.get_by_role("heading", name="You are invited to Care")).to_be_visible()
    second.page.get_by_role("link", name="Make an account").click()
    expect(second.page.get_by_label("Email")).to_have_value("dora@care.example")
    second.page.fill("#id_password1", "a long walk in the rain")
    second.page.get_by_role("button", name="Make the account").click()
    second.page.get_by_role("button", name="Join Care").click()
    expect(second.page.get_by_text("You are in Care now, as reviewer.")).to_be_visible()

    second.visit(f"/models/{model.id}/")
    second.page.get_by_role("link", name="Open in the queue").click()
    second.page.get_by_label("Reason").fill("It answers better than the base model.")
    second.page.get_by_role("button", name="Approve").click()
    expect(second.page.get_by_role("button", name="Approve")).to_have_count(0)
    assert is_cleared(model.id, kind="model")

    watched.visit("/settings/members/")
    page.get_by_role("link", name="dora@care.example").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("is no member any more")).to_be_visible()
    second.visit("/models/")
    expect(second.page.get_by_role("heading", name="Make a workspace")).to_be_visible()
    assert watched.faults + second.faults == []
