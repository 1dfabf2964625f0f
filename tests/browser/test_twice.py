"""A button that is clicked twice, in Chromium: the form is sent once."""

from __future__ import annotations

import pytest

from gptstudio.accounts.models import Workspace
from tests.browser.test_every_page import sign_in

pytestmark = [pytest.mark.browser]


def test_a_double_click_makes_one_thing(watched, alice, workspace) -> None:
    page = watched.page
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit("/workspaces/new")
    page.fill("#id_name", "Second")
    page.evaluate(
        "() => { const form = document.querySelector('main form'); form.requestSubmit(); form.requestSubmit(); }"
    )
    page.wait_for_url(watched.address + "/")
    assert Workspace.objects.filter(name="Second").count() == 1

    watched.visit("/workspaces/new")
    page.fill("#id_name", "Third")
    page.locator("main form button").last.dblclick()
    page.wait_for_url(watched.address + "/")
    assert Workspace.objects.filter(name="Third").count() == 1
