"""Signing in with an account elsewhere in a real browser, whose policy lets no form leave the studio."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_every_page import seen_at, sign_in
from tests.oidc_provider import PASSWORD, openid

pytestmark = [pytest.mark.browser]


def test_an_account_elsewhere_is_connected_and_then_signs_in(watched, alice, workspace, provider, settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = openid(provider)
    page = watched.page
    sign_in(watched, "alice@care.example", "correct horse battery")
    watched.visit("/accounts/connected/")
    page.get_by_role("button", name="Connect Care ID").click()
    page.fill("#id_login", "erin")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Sign In").click()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_text("erin@else.example")).to_be_visible()
    assert seen_at(watched, "/accounts/connected/") == []
    page.context.clear_cookies(domain="localhost")
    watched.visit("/accounts/login/")
    page.get_by_role("button", name="Go on with Care ID").click()
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(watched.address + "/")
    assert seen_at(watched, "/accounts/connected/") == []
    own = [fault for fault in watched.faults if provider not in fault]  # the provider's pages are its own matter
    assert own == []
