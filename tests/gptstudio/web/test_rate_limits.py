"""Who guesses passwords is held off: counted in the database, by address and by where it comes from."""

from __future__ import annotations

import pytest
from django.conf import settings as given
from django.core.cache import cache, caches
from django.test import Client, RequestFactory

from gptstudio.audit.models import AuditEvent
from gptstudio.server import config_of
from gptstudio.web.adapter import StudioAccountAdapter

pytestmark = pytest.mark.django_db
OWN = "correct horse battery"


@pytest.fixture(autouse=True)
def _limits(settings) -> None:
    """As they are in life; in other tests there are none."""
    settings.ACCOUNT_RATE_LIMITS = {}
    cache.clear()


def tried(email: str, password: str = "wrong", **headers: str) -> str:
    client = Client(headers=headers)
    answer = client.post("/accounts/login/", {"login": email, "password": password})
    return "in" if answer.status_code == 302 else answer.content.decode()


def test_after_five_failures_even_the_right_password_waits(alice, workspace) -> None:
    for _ in range(5):
        assert "do not belong together" in tried(alice.email)
    for password in ("wrong", OWN):
        assert "Too many sign-ins failed. Wait five minutes, then try again." in tried(alice.email, password)
    assert AuditEvent.objects.filter(action="account.locked", workspace=workspace).count() == 1
    assert AuditEvent.objects.filter(action="account.sign_in_failed", workspace=workspace).count() == 5


def test_the_case_of_the_address_changes_nothing(alice) -> None:
    for _ in range(5):
        tried(alice.email.upper())
    assert "Too many sign-ins failed" in tried(alice.email)


def test_others_come_in_meanwhile(alice, bob) -> None:
    for _ in range(5):
        tried(alice.email)
    assert tried(bob.email, OWN) == "in"


def test_a_mistake_now_and_then_costs_nothing(alice) -> None:
    for _ in range(4):
        tried(alice.email)
    for _ in range(3):
        assert tried(alice.email, OWN) == "in"


def test_one_place_that_tries_many_addresses_is_held_off(alice) -> None:
    for number in range(10):
        tried(f"somebody{number}@care.example")
    assert "Too many sign-ins failed" in tried(alice.email, OWN)


def test_what_one_process_counts_all_others_know() -> None:
    assert given.CACHES["default"]["BACKEND"] == "gptstudio.core.json_cache.JsonCache"
    cache.set("studio:seen", 1, 60)
    caches.close_all()
    assert cache.get("studio:seen") == 1
    assert cache.add("studio:seen", 2, 60) is False


def test_a_wrong_second_factor_is_counted_too(alice, workspace) -> None:
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": OWN})
    pages = [client.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode() for _ in range(6)]
    assert "This is not the right code." in pages[4] and "Too many sign-ins failed" in pages[5]


def test_who_asks_too_often_at_all_gets_a_page_that_says_so(client, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    sent = [client.post("/accounts/login/", {"login": "a@b.example", "password": "x"}) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [200, 429]
    assert "Wait a minute, then go back and try again." in sent[1].content.decode()


class TestWhereARequestComesFrom:
    def seen(self, said: str | None) -> str:
        headers = {} if said is None else {"X-Forwarded-For": said}
        request = RequestFactory().post("/", REMOTE_ADDR="10.0.0.9", headers=headers)
        return StudioAccountAdapter(request).get_client_ip(request)

    @pytest.mark.parametrize("said", [None, "1.2.3.4", "1.2.3.4, 5.6.7.8", "nonsense"])
    def test_nobody_is_believed_without_a_proxy(self, said) -> None:
        assert self.seen(said) == "10.0.0.9"

    @pytest.mark.parametrize(
        ("proxies", "said", "found"),
        [
            (1, "5.6.7.8", "5.6.7.8"),
            (1, "1.2.3.4, 5.6.7.8", "5.6.7.8"),  # the first was made up by who asks
            (2, "1.2.3.4, 5.6.7.8, 10.0.0.1", "5.6.7.8"),
            (2, "5.6.7.8", "10.0.0.9"),
            (1, "nonsense", "10.0.0.9"),
            (1, "", "10.0.0.9"),
            (1, "2001:db8::1", "2001:db8::1"),
            (1, None, "10.0.0.9"),
        ],
    )
    def test_so_many_proxies_are_believed_as_there_are(self, settings, proxies, said, found) -> None:
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
        assert self.seen(said) == found

    def test_a_made_up_sender_does_not_get_round_the_limit(self, alice) -> None:
        for number in range(10):
            tried(f"somebody{number}@care.example", **{"X-Forwarded-For": f"1.2.3.{number}"})
        assert "Too many sign-ins failed" in tried(alice.email, OWN, **{"X-Forwarded-For": "9.9.9.9"})

    def test_the_server_itself_believes_nobody(self) -> None:
        assert config_of(host="127.0.0.1", port=1, grace=1).proxy_headers is False
