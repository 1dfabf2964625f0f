"""Where one is signed in, and how to end it: one's own browsers alone."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from gptstudio.audit.models import AuditEvent
from gptstudio.web.browsers import browser_name

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1"


def browser(user, agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.post("/accounts/login/", {"login": user.email, "password": "correct horse battery"})
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/sessions/").status_code == 200


def test_the_page_lists_ones_browsers_and_says_which_is_this_one(alice, workspace) -> None:
    here = browser(alice)
    browser(alice, IPHONE)
    page = here.get("/accounts/sessions/").content.decode()
    assert page.count("this one") == 1
    assert "Firefox on Linux" in page and "Safari on iPhone" in page and "127.0.0.1" in page
    assert "Sign out all others" in page


def test_one_of_them_can_be_ended(alice, workspace) -> None:
    here, there = browser(alice), browser(alice, IPHONE)
    found = UserSession.objects.get(user_agent=IPHONE)
    here.post(f"/accounts/sessions/{found.id}/end/")
    assert (is_in(here), is_in(there)) == (True, False)
    assert AuditEvent.objects.filter(action="account.session_ended", subject_id=alice.id).count() == 1


def test_all_others_can_be_ended_at_once(alice, workspace) -> None:
    here, there, elsewhere = browser(alice), browser(alice, IPHONE), browser(alice, IPHONE)
    here.post("/accounts/sessions/")
    assert (is_in(here), is_in(there), is_in(elsewhere)) == (True, False, False)
    assert AuditEvent.objects.get(action="account.sessions_ended").data["sessions"] == 2


def test_nobody_sees_or_ends_anothers(alice, bob) -> None:
    his, hers = browser(bob), browser(alice, IPHONE)
    found = UserSession.objects.get(user=alice)
    assert "iPhone" not in his.get("/accounts/sessions/").content.decode()
    assert his.post(f"/accounts/sessions/{found.id}/end/").status_code == 404
    assert his.post("/accounts/sessions/999999999/end/").status_code == 404
    assert his.post("/accounts/sessions/").status_code == 302
    assert is_in(hers)


def test_a_new_password_ends_all_others(alice, workspace) -> None:
    here, there = browser(alice), browser(alice, IPHONE)
    new = {
        "oldpassword": "correct horse battery",
        "password1": "a long walk in rain",
        "password2": "a long walk in rain",
    }
    here.post("/accounts/password/change/", new)
    assert (is_in(here), is_in(there)) == (True, False)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/128.0 Safari/537.36 Edg/128.0", "Edge on Windows"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "a program without a name"),
        ("<script>alert(1)</script>" * 9, ("<script>alert(1)</script>" * 9)[:60]),
    ],
)
def test_browsers_are_called_as_people_call_them(agent, name) -> None:
    assert browser_name(agent) == name
