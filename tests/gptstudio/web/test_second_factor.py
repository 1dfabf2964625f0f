"""The second factor: set up, asked for at every door, the console's too, and opened by a recovery code once."""

from __future__ import annotations

import importlib
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.apps import apps
from django.test import Client

from gptstudio.accounts import services
from gptstudio.accounts.models import User
from gptstudio.accounts.second_factors import opened
from gptstudio.overview.sign_in import link

pytestmark = pytest.mark.django_db
OWN, SECRET = "correct horse battery", "JBSWY3DPEHPK3PXP"
LOGIN = {"login": "alice@care.example", "password": OWN}


def now_shown(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


@pytest.fixture
def guarded(alice, workspace) -> User:
    """Alice, with a second factor."""
    TOTP.activate(alice, SECRET)
    return alice


def is_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def test_it_is_set_up_with_the_code_that_the_app_shows(alice, workspace, client) -> None:
    client.post("/accounts/login/", LOGIN)
    assert "reauthenticate" in client.get("/accounts/2fa/totp/activate/")["Location"]
    client.post("/accounts/reauthenticate/", {"password": OWN})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="key"[^>]*value="([A-Z2-7]+)"', page)[1]
    wrong = client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).content.decode()
    assert "This is not the right code." in wrong and not Authenticator.objects.exists()
    assert secret in wrong  # the app still fits
    client.post("/accounts/2fa/totp/activate/", {"code": now_shown(secret)})
    assert Authenticator.objects.filter(user=alice, type="totp").exists()
    codes = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert len(re.findall(r"<li>[0-9a-f ]+</li>", codes)) == 10


@pytest.mark.parametrize("to", ["/admin/", "/admin/review/reviewitem/"])
def test_the_consoles_door_leads_to_the_studios(guarded, client, to) -> None:
    answer = client.get(to, follow=True)
    assert answer.request["PATH_INFO"] == "/accounts/login/"
    answer = client.post(f"/admin/login/?next={to}", {"username": LOGIN["login"], "password": OWN, "next": to})
    assert answer["Location"].startswith("/accounts/login/")
    assert not is_in(client)
    client.post(f"/accounts/login/?next={to}", LOGIN)
    assert client.get(to).status_code == 302
    answer = client.post("/accounts/2fa/authenticate/", {"code": now_shown(SECRET)})
    assert answer["Location"] == to and client.get(to).status_code == 200


def test_a_password_alone_opens_nothing(guarded, client) -> None:
    assert client.post("/accounts/login/", LOGIN)["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_in(client)
    for code in ("000000", "", "0" * 5000, "\N{RIGHT-TO-LEFT OVERRIDE}123", "' or 1=1 --"):
        assert client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200
        assert not is_in(client)


def test_nor_does_the_operators_link(guarded, client) -> None:
    address = link(guarded).partition("/sign-in/")[2]
    answer = client.post(f"/sign-in/{address}")
    assert answer["Location"].startswith("/accounts/2fa/authenticate/") and not is_in(client)


def test_nor_a_new_password_by_mail(guarded, client, mailoutbox, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    client.post("/accounts/password/reset/", {"email": "alice@care.example"})
    path = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mailoutbox[0].body)[1]
    form = client.get(path, follow=True).request["PATH_INFO"]
    client.post(form, {"password1": "a long walk in the rain", "password2": "a long walk in the rain"})
    guarded.refresh_from_db()
    assert guarded.check_password("a long walk in the rain")
    assert not is_in(client)


def test_a_recovery_code_opens_once(guarded) -> None:
    code = RecoveryCodes.activate(guarded).get_unused_codes()[0]
    first, second = Client(), Client()
    for client in (first, second):
        client.post("/accounts/login/", LOGIN)
        client.post("/accounts/2fa/authenticate/", {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_code_of_the_app_opens_once(guarded) -> None:
    code = now_shown(SECRET)
    first, second = Client(), Client()
    for client in (first, second):
        client.post("/accounts/login/", LOGIN)
        client.post("/accounts/2fa/authenticate/", {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


def test_to_turn_it_off_one_shows_that_it_is_oneself(guarded, client) -> None:
    client.force_login(guarded)  # a session whose password was typed long ago
    answer = client.post("/accounts/2fa/totp/deactivate/")
    assert "reauthenticate" in answer["Location"]
    assert Authenticator.objects.filter(user=guarded).exists()
    page = client.get("/accounts/reauthenticate/").content.decode()
    assert "Is it you?" in page
    client.post("/accounts/reauthenticate/", {"password": OWN})
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=guarded).exists()


def raw(user: User) -> str:
    """All that the database says of somebody's second factors."""
    return str(list(Authenticator.objects.filter(user=user).values_list("data", flat=True)))


def code_asked(client: Client) -> Client:
    client.post("/accounts/login/", LOGIN)
    return client


def test_its_secrets_do_not_lie_open_in_the_database(guarded) -> None:
    codes = RecoveryCodes.activate(guarded)
    seed = opened(codes.instance.data)["seed"]
    assert len(seed) == 80 and seed not in raw(guarded) and SECRET not in raw(guarded)
    assert len(codes.get_unused_codes()) == 10


def test_factors_from_before_are_sealed_by_the_migration_however_often_it_runs(guarded, client) -> None:
    step = importlib.import_module("gptstudio.accounts.migrations.0012_sealed_factors")
    Authenticator.objects.filter(user=guarded).update(data={"secret": SECRET})
    Authenticator.objects.create(user=guarded, type="recovery_codes", data={"migrated_codes": ["12345678", "87654321"]})
    step.seal_all(apps, None)
    first = raw(guarded)
    step.seal_all(apps, None)
    assert raw(guarded) == first and SECRET not in first and "12345678" not in first
    assert code_asked(client).post("/accounts/2fa/authenticate/", {"code": "12345678"}).status_code == 302
    step.open_all(apps, None)
    assert SECRET in raw(guarded) and "87654321" in raw(guarded)


def test_a_new_secret_key_opens_what_the_one_before_sealed_and_seals_it_anew(guarded, client, settings) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    before = raw(guarded)
    assert code_asked(client).post("/accounts/2fa/authenticate/", {"code": now_shown(SECRET)}).status_code == 302
    assert is_in(client) and services.seal_factors() == 1 and services.seal_factors() == 0
    settings.SECRET_KEY_FALLBACKS = []
    assert raw(guarded) != before and opened(Authenticator.objects.get().data) == {"secret": SECRET}


def test_a_factor_under_a_lost_secret_says_so_opens_nothing_and_can_be_taken_away(guarded, client, settings) -> None:
    settings.SECRET_KEY = "n" * 50
    answer = code_asked(client).post("/accounts/2fa/authenticate/", {"code": now_shown(SECRET)})
    assert answer.status_code == 409 and "SECRET_KEY_FALLBACKS" in answer.content.decode() and not is_in(client)
    assert services.seal_factors() == 0 and services.drop_lost_factors() == 1
    anew = Client()
    anew.post("/accounts/login/", LOGIN)
    assert is_in(anew)
