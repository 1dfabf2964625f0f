"""The road of somebody who never trained a model, on a phone and with a keyboard alone: no mouse, no finger."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.test_walk import gateway, work_on_files, work_on_versions

__all__ = ["gateway"]
pytestmark = [pytest.mark.browser]
FURTHEST = 150  # presses of Tab from one thing to another


class Fingers:
    """A keyboard. What it uses must be reached by Tab, be seen then, and show that it is the one."""

    def __init__(self, page) -> None:
        self.page = page

    def reach(self, thing: Locator) -> None:
        expect(thing).to_be_attached()
        for _ in range(FURTHEST):
            if thing.evaluate("one => one === document.activeElement"):
                expect(thing).to_be_in_viewport()
                assert thing.evaluate("one => one.matches(':focus-visible')")
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {thing}")

    def press(self, thing: Locator, key: str = "Enter") -> None:
        self.reach(thing)
        self.page.keyboard.press(key)

    def type(self, thing: Locator, words: str) -> None:
        self.reach(thing)
        self.page.keyboard.type(words)


def test_from_an_account_to_an_answer_by_keys_on_a_phone(watched, starter, gateway, tmp_path) -> None:
    page, fingers = watched.page, Fingers(watched.page)
    page.set_viewport_size({"width": 390, "height": 844})
    main = page.get_by_role("main")
    tickets = tmp_path / "tickets.csv"
    tickets.write_text("question,answer,topic\nWhere is it?,On its way.,delivery\n", encoding="utf-8")

    watched.visit("/")
    fingers.press(page.get_by_role("link", name="Make an account"))
    fingers.type(page.locator("#id_email"), "dora@care.example")
    fingers.type(page.locator("#id_password1"), "a long walk in the rain")
    page.keyboard.press("Enter")
    fingers.type(page.locator("#id_name"), "Care")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What shall it do?")).to_be_visible()

    fingers.press(main.get_by_role("link", name="Upload data").first)
    fingers.type(page.locator("#id_name"), "support")
    with page.expect_file_chooser() as choosing:
        fingers.press(page.locator("#id_files"), "Space")
    choosing.value.set_files(str(tickets))
    fingers.press(page.get_by_role("button", name="Upload"))
    expect(page.get_by_text("Being read")).to_be_visible()
    work_on_files()
    expect(page.get_by_text("101 rows, CSV, utf-8, questions with answers")).to_be_visible()

    fingers.press(main.get_by_role("link", name="Make a version").first)
    fingers.press(page.get_by_role("button", name="Make the version"))
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    work_on_versions()
    expect(page.get_by_text("pieces of personal data hidden")).to_be_visible()

    fingers.press(page.get_by_role("link", name="Train with this"))
    fingers.reach(page.locator("input[name=preset]:checked"))
    while not page.get_by_label("Quick look").is_checked():
        page.keyboard.press("ArrowUp")
    fingers.type(page.locator("#id_name"), "First try")
    fingers.press(page.get_by_role("button", name="Start the fine-tune"))
    expect(page.get_by_role("heading", name="First try")).to_be_visible()
    fingers.press(page.get_by_role("button", name="Cancel"))
    expect(page.get_by_text("It was waiting for a worker and will not be taken up.")).to_be_visible()

    fingers.press(page.get_by_role("button", name="Menu"))
    fingers.press(page.get_by_role("link", name="Playground"))
    page.wait_for_url("**/playground/")
    page.route("**/playground/*/bill", lambda route: route.fulfill(json={"settled": True, "said": "7 tokens read"}))
    fingers.type(page.locator("#say"), "Where is my parcel?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is here.")).to_be_visible()
    expect(page.get_by_text("7 tokens read")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.faults == []
