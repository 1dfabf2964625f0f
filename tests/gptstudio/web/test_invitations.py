"""The page behind an invitation's link, for everybody who may come there, and the sign-up that it opens."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import Invitation, User
from gptstudio.core.ids import mint

pytestmark = pytest.mark.django_db
PASSWORD = "a long walk in the rain"


@pytest.fixture
def invitation(as_alice, workspace) -> Invitation:
    return services.invite(as_alice, workspace_id=workspace.id, email="dora@care.example", role="reviewer")


@pytest.fixture
def address(invitation) -> str:
    return f"/invitations/{invitation.token}"


def said(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def sign_up(browser: Client, email: str = "dora@care.example", **more: str):
    return browser.post("/accounts/signup/", {"email": email, "password1": PASSWORD, **more}, follow=True)


def test_somebody_without_an_account_signs_up_and_joins(address, workspace) -> None:
    browser = Client()
    page = browser.get(address)
    assert "You are invited to Care" in said(page) and "no-store" in page["Cache-Control"]
    sign_up_link = re.search(r'href="(/accounts/signup/[^"]+)"', page.content.decode())[1].replace("&amp;", "&")
    assert 'value="dora@care.example"' in browser.get(sign_up_link).content.decode()
    assert "Join Care" in said(sign_up(browser, next=address))
    answer = browser.post(address, follow=True)
    assert "You are in Care now, as reviewer." in said(answer)
    assert selectors.membership(User.objects.get(email="dora@care.example"), None).workspace == workspace


def test_looking_at_it_spends_nothing_and_lets_nobody_in(address, invitation) -> None:
    dora = services.create_user(email="dora@care.example")
    browser = Client()
    browser.force_login(dora)
    for _ in range(2):
        assert browser.get(address).status_code == 200
        assert browser.head(address).status_code == 200
    assert selectors.membership(dora, None) is None
    invitation.refresh_from_db()
    assert invitation.accepted_at is None


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(address) -> None:
    services.create_user(email="dora@care.example", password=PASSWORD)
    browser = Client()
    assert browser.post(address)["Location"].startswith("/accounts/login/?next=/invitations/")
    browser.get(address)
    answer = browser.post("/accounts/login/", {"login": "dora@care.example", "password": PASSWORD})
    assert answer["Location"].startswith("/invitations/"), "also when the address of the page got lost on the way"
    assert "You are invited to Care" in said(browser.get(answer["Location"]))


def test_an_invitation_opens_a_closed_sign_up_for_its_address_alone(address, settings) -> None:
    settings.SIGN_UP_OPEN = False
    assert "Sign-up is closed" in said(sign_up(Client()))
    browser = Client()
    browser.get(address)
    refused = sign_up(browser, "eve@care.example")
    assert "Make the account with the address that was invited." in said(refused)
    assert not User.objects.filter(email__in=("eve@care.example", "dora@care.example")).exists()
    assert "Join Care" in said(sign_up(browser, "Dora@care.example"))


def test_where_addresses_are_verified_the_way_leads_back_to_the_invitation(address, settings, mailoutbox) -> None:
    settings.SIGN_UP_OPEN, settings.ACCOUNT_EMAIL_VERIFICATION = False, "mandatory"
    browser = Client()
    browser.get(address)
    assert "Verify" in said(sign_up(browser, next=address))
    confirm = re.search(r"/accounts/confirm-email/\S+", mailoutbox[0].body)[0]
    browser.post(confirm)
    answer = browser.post("/accounts/login/", {"login": "dora@care.example", "password": PASSWORD}, follow=True)
    assert "Join Care" in said(answer)


def test_a_withdrawn_invitation_opens_no_sign_up(address, invitation, as_alice, settings) -> None:
    settings.SIGN_UP_OPEN = False
    browser = Client()
    browser.get(address)
    services.withdraw_invitation(as_alice, invitation=invitation)
    assert "Sign-up is closed" in said(sign_up(browser))


def test_each_way_that_it_can_be_over_has_its_sentence(address, invitation, as_alice, workspace) -> None:
    services.withdraw_invitation(as_alice, invitation=invitation)
    answer = Client().get(address)
    assert answer.status_code == 409 and "This invitation to Care was withdrawn. Ask alice@care.example" in said(answer)


def test_somebody_else_who_is_signed_in_can_sign_out_from_there(address, charlie) -> None:
    browser = Client()
    browser.force_login(charlie)
    page = browser.get(address)
    assert page.status_code == 403 and "for dora@care.example, and you are signed in as charlie" in said(page)
    assert "Join Care" not in said(page)
    assert browser.post(address).status_code == 403
    assert browser.post("/accounts/logout/", {"next": address})["Location"] == address


def test_who_signs_in_elsewhere_is_reminded(address, workspace) -> None:
    dora = services.create_user(email="dora@care.example")
    browser = Client()
    browser.force_login(dora)
    browser.get(address)
    assert "You are invited to Care, as reviewer" in said(browser.get("/workspaces/new")).replace("Care ,", "Care,")


def test_a_guess_learns_nothing(invitation, workspace) -> None:
    for guess in (invitation.id, mint("inv_"), f"{invitation.token}x", "a:b:c"):
        for answer in (Client().get(f"/invitations/{guess}"), Client().post(f"/invitations/{guess}")):
            assert answer.status_code == 404
            assert "Care" not in said(answer) and "dora" not in said(answer)
