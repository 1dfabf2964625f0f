"""An admin's day: somebody is invited, made a trainer, blocked; a key is issued and paused; a deployment stopped and let go on;
and the log that tells of all of it is taken home.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from gptstudio.accounts.models import ApiKey, Membership
from serving_app.services import create_deployment
from tests.browser.test_every_page import sign_in

pytestmark = [pytest.mark.browser]


def test_an_admin_keeps_house_and_the_log_tells_of_it(watched, as_alice, bob, starter, tmp_path) -> None:
    deployment = create_deployment(
        as_alice, workspace_id=as_alice.workspace_id, name="support", targets=[{"model": starter.id, "weight": 1}]
    )
    page = watched.page

    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit("/settings/")
    page.get_by_role("link", name="Invite somebody").click()
    page.get_by_label("E-mail").fill("erin@care.example")
    page.get_by_label("Trainer:").check()
    page.get_by_role("button", name="Invite").click()
    expect(page.locator("#secret")).to_contain_text("/invitations/")

    watched.visit("/settings/members/")
    page.get_by_role("link", name="Bob").click()
    page.get_by_label("Trainer:").check()
    page.get_by_role("button", name="Save the role").click()
    expect(page.get_by_role("row", name="Bob").get_by_role("cell", name="Trainer")).to_be_visible()
    watched.visit(f"/settings/members/{bob.id}/")
    page.get_by_role("button", name="Block Bob").click()
    expect(page.get_by_text("They see nothing of this workspace, and their keys open nothing.")).to_be_visible()
    assert not Membership.objects.filter(user=bob).exists()
    page.get_by_role("button", name="Let them in again").click()
    expect(page.get_by_role("button", name="Block Bob")).to_be_visible()

    watched.visit("/keys/new")
    page.get_by_label("Name").fill("website")
    page.get_by_role("button", name="Issue").click()
    expect(page.locator("#secret")).to_contain_text("sk-studio-")
    watched.visit("/keys/")
    page.get_by_role("link", name="website").click()
    page.get_by_label("Why, for the audit log").fill("It stood in a web page.")
    page.get_by_role("button", name="Pause website").click()
    expect(page.get_by_text("It stood in a web page.")).to_be_visible()
    assert not ApiKey.objects.get(name="website").is_live

    watched.visit(f"/deployments/{deployment.id}/")
    page.get_by_text("Stop it at once").click()
    page.get_by_label("Why, for the audit log").fill("It says what it should not.")
    page.get_by_role("button", name="Stop support").click()
    expect(page.get_by_text("It is stopped and answers nobody.")).to_be_visible()
    page.get_by_label("Why it may, for the audit log").fill("Its model was changed.")
    page.get_by_role("button", name="Let support answer again").click()
    expect(page.get_by_text("It is stopped and answers nobody.")).to_have_count(0)

    watched.visit("/activity/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    download.value.save_as(tmp_path / "audit.jsonl")
    acts = [json.loads(line)["action"] for line in (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    mine = [
        "invitation.made", "member.set", "member.blocked", "member.unblocked", "key.issued", "key.paused",
        "deployment.stopped", "deployment.lifted",
    ]  # fmt: skip
    assert [act for act in acts if act in mine][-len(mine) :] == mine
    assert watched.faults == []
