"""Personal data that was found, decided by keyboard: the focus goes on from where it was."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from datasets_app import selectors
from tests.browser.test_every_page import sign_in
from tests.worlds import make_dataset, make_version

pytestmark = [pytest.mark.browser]


def test_hits_are_decided_by_keyboard_one_after_the_other(watched, as_alice) -> None:
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit(f"/datasets/versions/{version.id}/findings")
    page = watched.page
    hits = page.locator(".hit")
    for place, (key, verdict) in enumerate((("r", "not personal"), ("a", "personal"))):
        page.keyboard.press("j")
        expect(hits.nth(place)).to_be_focused()
        page.keyboard.press(key)
        expect(hits.nth(place).get_by_text(verdict, exact=True).first).to_be_visible()
        expect(hits.nth(place).get_by_role("button", name="Take back")).to_be_visible()
    page.keyboard.press("e")  # these rows have no page of their own to edit
    expect(hits.nth(1)).to_be_focused()
    assert sorted(each.verdict for each in selectors.decisions_of(version.dataset)) == ["accept", "reject"]
    assert watched.faults == []
