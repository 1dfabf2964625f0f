"""Signing in with somebody else's account, walked in real HTTP against a real OpenID provider: allauth's, in a process of its
own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import User
from tests.oidc_provider import PASSWORD, openid
from tests.surfing import Surfer

OWN = "correct horse battery"


@pytest.fixture
def studio(transactional_db, provider, live_server, settings) -> Callable[[], Surfer]:
    """Browsers that nobody used, at a studio with this provider."""
    settings.SOCIALACCOUNT_PROVIDERS = openid(provider)
    return lambda: Surfer(live_server.url)


def go(surfer: Surfer, who: str, *, button: str = "Go on with Care ID") -> Surfer:
    """Over to the provider, be somebody there, agree, and come back."""
    surfer.press(button)
    assert "login" in surfer.path and not surfer.url.startswith(surfer.home)
    return surfer.press("Sign In", login=who, password=PASSWORD).press("Authorize")


def sign_in(surfer: Surfer, email: str) -> Surfer:
    return surfer.open("/accounts/login/").press("Sign in", login=email, password=OWN)


def test_who_is_new_makes_an_account_and_comes_in_by_it_the_next_time(studio) -> None:
    surfer = go(studio().open("/accounts/signup/"), "dora")
    assert surfer.url == f"{surfer.home}/workspaces/new"
    made = User.objects.get(email="dora@care.example")
    assert (made.name, made.has_usable_password()) == ("Dora Green", False)
    assert selectors.verified_addresses_of(made) == {"dora@care.example"}
    again = go(studio().open("/accounts/login/"), "dora")
    assert again.path == "/workspaces/new"
    assert User.objects.count() == 1


def test_an_address_that_the_provider_did_not_see_is_not_verified_here(studio) -> None:
    go(studio().open("/accounts/login/"), "erin")
    assert not EmailAddress.objects.get(email="erin@else.example").verified


@pytest.mark.parametrize("who", ["alice", "mallory"], ids=["verified there", "not even verified there"])
def test_an_address_of_an_account_here_opens_nothing(studio, alice, workspace, who) -> None:
    surfer = go(studio().open("/accounts/login/"), who)
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1
    assert surfer.open("/settings/").path == "/accounts/login/"


def test_who_has_an_account_here_is_told_to_connect_it(studio, alice, workspace) -> None:
    surfer = go(studio().open("/accounts/login/"), "alice")
    assert surfer.answer.status_code == 409
    assert "There is an account with alice@care.example already." in surfer.text
    assert "then connect Care ID under Your account, Connected accounts." in surfer.text


def test_a_connected_account_opens_the_own_one_and_can_be_disconnected(studio, alice, workspace) -> None:
    surfer = sign_in(studio(), "alice@care.example").open("/accounts/connected/")
    assert "None is connected." in surfer.text
    go(surfer, "mallory", button="Connect Care ID")
    assert "From now on you may sign in with that account." in surfer.text
    assert SocialAccount.objects.get().user == alice
    other = go(studio().open("/accounts/login/?next=/settings/"), "mallory")
    assert other.path == "/settings/"
    surfer.open("/accounts/connected/").press("Disconnect")
    assert "That account opens nothing here any more." in surfer.text
    assert not SocialAccount.objects.exists()


def test_an_account_that_is_connected_to_one_person_cannot_be_to_another(studio, alice, bob) -> None:
    go(sign_in(studio(), "alice@care.example").open("/accounts/connected/"), "erin", button="Connect Care ID")
    surfer = sign_in(studio(), "bob@care.example").open("/accounts/connected/")
    go(surfer, "erin", button="Connect Care ID")
    assert "That account is connected to somebody else here." in surfer.text
    assert SocialAccount.objects.get().user == alice


def test_nobody_disconnects_anothers_account(studio, alice, bob) -> None:
    go(sign_in(studio(), "alice@care.example").open("/accounts/connected/"), "erin", button="Connect Care ID")
    stranger = Client()
    stranger.force_login(bob)
    answer = stranger.post("/accounts/connected/", {"account": str(SocialAccount.objects.get().pk)})
    assert answer.status_code == 200 and SocialAccount.objects.exists()


def test_the_last_way_in_stays(studio) -> None:
    surfer = go(studio().open("/accounts/login/"), "dora").open("/accounts/connected/")
    surfer.press("Disconnect")
    assert "This is your only way in. Set a password first, or connect another account." in surfer.text
    assert SocialAccount.objects.count() == 1


def test_an_account_at_a_provider_that_is_gone_is_no_way_in_and_can_be_dropped(studio, settings) -> None:
    surfer = go(studio().open("/accounts/login/"), "dora")
    user = User.objects.get()
    gone = SocialAccount.objects.create(user=user, provider="google", uid="1")
    page = surfer.open("/accounts/connected/")
    assert "google" in page.text
    kept = SocialAccount.objects.get(provider="oidc")
    client = Client()
    client.force_login(user)
    client.post("/accounts/connected/", {"account": str(kept.pk)})
    assert SocialAccount.objects.filter(pk=kept.pk).exists()
    client.post("/accounts/connected/", {"account": str(gone.pk)})
    assert not SocialAccount.objects.filter(pk=gone.pk).exists()


def test_the_second_factor_is_asked_for_all_the_same(studio, alice, workspace) -> None:
    go(sign_in(studio(), "alice@care.example").open("/accounts/connected/"), "erin", button="Connect Care ID")
    TOTP.activate(alice, secret := "JBSWY3DPEHPK3PXP")
    assert Authenticator.objects.filter(user=alice).exists()
    surfer = go(studio().open("/accounts/login/"), "erin")
    assert surfer.path == "/accounts/2fa/authenticate/"
    assert surfer.open("/settings/").path == "/accounts/2fa/authenticate/"  # nothing opens before it
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    surfer.press("Sign in", code=code)
    assert surfer.path == "/"


def test_a_blocked_person_stays_out(studio, alice, workspace) -> None:
    go(sign_in(studio(), "alice@care.example").open("/accounts/connected/"), "erin", button="Connect Care ID")
    User.objects.update(is_active=False)
    surfer = go(studio().open("/accounts/login/"), "erin")
    assert surfer.path == "/accounts/inactive/"


class TestWhereSignUpIsClosed:
    @pytest.fixture(autouse=True)
    def _closed(self, settings) -> None:
        settings.SIGN_UP_OPEN = False

    def test_nobody_makes_an_account(self, studio, workspace) -> None:
        surfer = go(studio().open("/accounts/login/"), "dora")
        assert "Sign-up is closed" in surfer.text
        assert not User.objects.filter(email="dora@care.example").exists()

    def test_who_is_invited_does_with_that_address(self, studio, as_alice) -> None:
        made = services.invite(as_alice, workspace_id=as_alice.workspace_id, email="dora@care.example", role="editor")
        surfer = go(studio().open(f"/invitations/{made.token}").open("/accounts/signup/"), "dora")
        surfer.press("Join Care")
        assert selectors.membership(User.objects.get(email="dora@care.example"), None).role == "editor"

    def test_and_not_with_another(self, studio, as_alice) -> None:
        made = services.invite(as_alice, workspace_id=as_alice.workspace_id, email="flora@care.example", role="editor")
        surfer = go(studio().open(f"/invitations/{made.token}").open("/accounts/signup/"), "dora")
        assert surfer.answer.status_code == 403
        assert "for flora@care.example, and Care ID knows you as dora@care.example" in surfer.text
        assert not User.objects.filter(email="dora@care.example").exists()

    def test_nor_with_one_that_the_provider_does_not_say(self, studio, as_alice) -> None:
        made = services.invite(as_alice, workspace_id=as_alice.workspace_id, email="flora@care.example", role="editor")
        surfer = go(studio().open(f"/invitations/{made.token}").open("/accounts/signup/"), "nobody")
        assert surfer.path == "/accounts/connected/signup/"
        surfer.press("Make the account", email="dora@care.example")
        assert "Make the account with the address that was invited." in surfer.text
        surfer.press("Make the account", email="flora@care.example")
        made = User.objects.get(email="flora@care.example")
        assert selectors.verified_addresses_of(made) == set()


def test_an_answer_to_nothing_that_was_asked_is_refused(studio) -> None:
    surfer = studio().open("/accounts/oidc/oidc/login/callback/?state=made-up&code=made-up")
    assert surfer.answer.status_code == 401
    assert "Begin again." in surfer.text


def test_who_goes_no_further_there_is_told_that_nothing_changed(studio) -> None:
    surfer = studio().open("/accounts/login/").press("Go on with Care ID")
    surfer.press("Sign In", login="dora", password=PASSWORD).press("Cancel")
    assert "You did not sign in" in surfer.text
    assert not User.objects.exists()


def test_a_provider_that_is_away_is_said_to_be(studio, settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = openid("http://127.0.0.1:9")  # where nothing listens
    surfer = studio().open("/accounts/login/").press("Go on with Care ID")
    assert surfer.answer.status_code == 503
    assert "Care ID does not answer as it should." in surfer.text


@pytest.mark.django_db
class TestWithoutAProvider:
    def test_nothing_is_shown_of_it(self, at_alice, client) -> None:
        for page in ("/accounts/login/", "/accounts/signup/"):
            assert "Go on with" not in client.get(page).content.decode()
        assert "Connected accounts" not in at_alice.get("/accounts/email/").content.decode()

    @pytest.mark.parametrize(
        "path", ["oidc/oidc/login/", "oidc/x/login/callback/", "github/login/", "github/login/callback/"]
    )
    def test_its_addresses_are_not_there(self, client, path) -> None:
        assert client.get(f"/accounts/{path}").status_code == 404
        assert client.post(f"/accounts/{path}").status_code == 404


@pytest.mark.django_db
def test_github_is_asked_for_the_address_and_told_where_to_come_back(client, settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [{"client_id": "gh", "secret": "s", "name": "GitHub"}]}}
    assert "Go on with GitHub" in client.get("/accounts/login/").content.decode()
    page = client.post("/accounts/github/login/?process=login").content.decode()
    assert "https://github.com/login/oauth/authorize?client_id=gh" in page.replace("&amp;", "&")
    assert "github%2Flogin%2Fcallback" in page and "user%3Aemail" in page
