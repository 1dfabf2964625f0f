"""One walk: an account, a workspace, an upload, a version, a fine-tune, a word in the playground."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from datasets_app.models import DatasetFile, DatasetVersion
from tests.worlds import DETECTION, REPORT

pytestmark = [pytest.mark.browser]


@pytest.fixture
def gateway(monkeypatch):
    """A gateway whose model says three words."""
    from serving_app import services

    async def stream(_admission):
        async def pieces():
            for word in ("It ", "is ", "here."):
                yield b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % word.encode()
            yield b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'
            yield b"data: [DONE]\n\n"

        return pieces()

    async def admit(choosing):
        return choosing()

    monkeypatch.setattr(services, "choose", lambda _caller, **asked: SimpleNamespace(attempt_id=asked["attempt_id"]))
    monkeypatch.setattr(services, "admit", admit)
    monkeypatch.setattr(services, "stream", stream)


def work_on_files() -> None:
    """What a worker does for an upload."""
    from datasets_app import services

    for file in DatasetFile.objects.all():
        services.finish_file(services.claim_file(file.id, holder="walk"), detection=DETECTION)


def work_on_versions() -> None:
    """What a worker does for a version."""
    from datasets_app import services

    for version in DatasetVersion.objects.all():
        claimed = services.claim_version(version.id, holder="walk")
        services.finish_version(claimed, report=REPORT, digest="d" * 64)


def test_from_an_account_to_an_answer(watched, starter, gateway, tmp_path) -> None:
    page = watched.page
    tickets = tmp_path / "tickets.csv"
    tickets.write_text("question,answer,topic\nWhere is it?,On its way.,delivery\n", encoding="utf-8")

    watched.visit("/")
    page.get_by_role("link", name="Make an account").click()
    page.fill("#id_email", "dora@care.example")
    page.fill("#id_password1", "a long walk in the rain")
    page.get_by_role("button", name="Make the account").click()
    page.fill("#id_name", "Care")
    page.get_by_role("button", name="Make the workspace").click()
    expect(page.get_by_role("heading", name="What shall it do?")).to_be_visible()

    page.get_by_role("main").get_by_role("link", name="Upload data").first.click()
    page.fill("#id_name", "support")
    page.set_input_files("#id_files", str(tickets))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Being read")).to_be_visible()
    work_on_files()
    expect(page.get_by_text("101 rows, CSV, utf-8, questions with answers")).to_be_visible()

    page.get_by_role("link", name="Make a version").first.click()
    page.get_by_text("A larger exam").click()
    page.get_by_role("button", name="Make the version").click()
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    work_on_versions()
    expect(page.get_by_text("pieces of personal data hidden")).to_be_visible()

    page.get_by_role("link", name="Train with this").click()
    page.locator("#checks summary").click()
    expect(page.get_by_text("80 rows to learn from")).to_be_visible()
    page.get_by_text("Quick look").click()
    expect(page.get_by_text("1 pass: about 10 steps.")).to_be_visible()
    expect(page.get_by_text("80 rows to learn from")).to_be_visible()  # the list was renewed and is open still
    page.fill("#id_name", "First try")
    page.get_by_role("button", name="Start the fine-tune").click()
    expect(page.get_by_role("heading", name="First try")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It was waiting for a worker and will not be taken up.")).to_be_visible()

    page.get_by_role("link", name="Playground").click()
    page.wait_for_url("**/playground/")  # loaded, so its script listens for Enter
    told = {"settled": True, "said": "7 tokens read, 3 written, 0.000004"}
    # Where the gateway is stood in for, so is its ledger.
    page.route("**/playground/*/bill", lambda route: route.fulfill(json=told))
    page.fill("#say", "Where is my parcel?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is here.")).to_be_visible()
    expect(page.get_by_text("7 tokens read, 3 written, 0.000004")).to_be_visible()
    assert watched.faults == []


def test_keyboard_theme_and_the_menu_of_a_phone(watched, alice, workspace) -> None:
    from tests.browser.test_every_page import sign_in

    page = watched.page
    sign_in(watched, "alice@care.example", "correct horse battery")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url(watched.address + "/models/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark", "the theme is remembered"
    watched.visit("/activity/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Tab")
    page.set_viewport_size({"width": 400, "height": 800})
    expect(page.get_by_role("link", name="Data sets")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("button", name="Menu")).to_have_attribute("aria-expanded", "true")
    page.get_by_role("link", name="Data sets").click()
    page.wait_for_url(watched.address + "/datasets/")
    assert watched.faults == []
