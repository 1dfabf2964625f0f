"""The pages of one's own account that stand behind a step: the second factor being set up, then with its codes."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from tests.browser.test_every_page import seen_at, sign_in

pytestmark = [pytest.mark.browser]
OWN = "correct horse battery"
WITH_IT = ("", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/")


def test_a_second_factor_is_set_up_and_its_pages_are_whole(watched, alice, workspace) -> None:
    page = watched.page
    sign_in(watched, "alice@care.example", OWN)
    seen = seen_at(watched, "/accounts/reauthenticate/?next=/accounts/2fa/totp/activate/")
    page.fill("#id_password", OWN)
    page.get_by_role("button", name="Go on").click()
    seen += seen_at(watched, "/accounts/2fa/totp/activate/")
    secret = page.locator("#key").input_value()
    page.fill("#id_code", format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))
    page.get_by_role("button", name="Turn it on").click()
    page.wait_for_url("**/recovery-codes/")
    assert Authenticator.objects.filter(user=alice).count() == 2
    seen += [f"{path}: {each}" for path in WITH_IT for each in seen_at(watched, f"/accounts/2fa/{path}")]
    seen += seen_at(watched, "/accounts/sessions/")
    assert seen + watched.faults == []
