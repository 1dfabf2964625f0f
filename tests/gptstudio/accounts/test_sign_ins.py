"""What people do with their accounts stands in the log, without a secret in it."""

from __future__ import annotations

import json

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from gptstudio.accounts import services
from gptstudio.audit import selectors
from gptstudio.audit.models import AuditEvent
from gptstudio.web.acts import ACTS

pytestmark = pytest.mark.django_db
OWN, NEW = "correct horse battery", "a long walk in the rain"


def now_shown(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def sign_in(email: str, password: str = OWN) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def lines(workspace_id: str | None) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(workspace_id=workspace_id, action__startswith="account.").order_by("id"))


def acts(workspace_id: str | None) -> list[str]:
    return [line.action.removeprefix("account.") for line in lines(workspace_id)]


def test_a_sign_in_and_a_sign_out_are_told_in_every_workspace_of_theirs_and_nowhere_else(
    alice, workspace, charlie
) -> None:
    second = services.create_workspace(owner=alice, name="Second")
    sign_in("alice@care.example").post("/accounts/logout/")
    for place in (workspace, second):
        assert acts(place.id) == ["signed_in", "signed_out"]
    first = lines(workspace.id)[0]
    assert (first.actor_label, first.subject_id) == ("alice@care.example", alice.id)
    assert first.data == {"means": ["password"], "from": "127.0.0.1"}
    assert (
        not AuditEvent.objects.exclude(workspace__in=[workspace, second]).filter(action__startswith="account.").exists()
    )


def test_a_failed_one_is_told_to_those_who_know_the_person(alice, workspace) -> None:
    sign_in("ALICE@care.example", "a secret that I typed wrong")
    (line,) = lines(workspace.id)
    assert (line.action, line.actor_kind, line.subject_id) == ("account.sign_in_failed", "anonymous", alice.id)


def test_one_with_an_address_that_nobody_has_is_told_to_the_studio(workspace) -> None:
    sign_in("nobody@else.example")
    (line,) = lines(None)
    assert (line.action, line.subject_label) == ("account.sign_in_failed", "nobody@else.example")
    assert acts(workspace.id) == []


def test_changes_of_password_address_and_factor_are_told(alice, workspace, django_capture_on_commit_callbacks) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    at = sign_in("alice@care.example")
    at.post("/accounts/password/change/", {"oldpassword": OWN, "password1": NEW, "password2": NEW})
    at.post("/accounts/email/", {"action_add": "", "email": "second@care.example"})
    EmailAddress.objects.filter(email="second@care.example").update(verified=True)
    at.post("/accounts/email/", {"action_primary": "", "email": "second@care.example"})
    at.post("/accounts/email/", {"action_remove": "", "email": "alice@care.example"})
    at.post("/accounts/reauthenticate/", {"password": NEW})
    at.get("/accounts/2fa/totp/activate/")
    secret = at.session["mfa.totp.secret"]
    with django_capture_on_commit_callbacks(execute=True):
        at.post("/accounts/2fa/totp/activate/", {"code": now_shown(secret)})
        at.post("/accounts/2fa/recovery-codes/generate/")
    at.post("/accounts/2fa/totp/deactivate/")
    told = acts(workspace.id)
    for act in ("password_changed", "email_added", "email_changed", "email_removed", "factor_added", "codes_renewed"):
        assert act in told
    assert told.count("factor_removed") == 2  # the app, and the codes that go with it


def test_a_wrong_second_factor_is_told_and_the_means_of_a_right_one(alice, workspace) -> None:
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    at = sign_in("alice@care.example")
    at.post("/accounts/2fa/authenticate/", {"code": "000000"})
    at.post("/accounts/2fa/authenticate/", {"code": now_shown("JBSWY3DPEHPK3PXP")})
    assert acts(workspace.id) == ["factor_failed", "signed_in"]
    assert lines(workspace.id)[-1].data["means"] == ["password", "mfa"]


def test_no_secret_stands_in_a_line(alice, workspace) -> None:
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(alice).get_unused_codes()
    sign_in("alice@care.example", "a secret that I typed wrong")
    at = sign_in("alice@care.example")
    at.post("/accounts/2fa/authenticate/", {"code": "123123"})
    at.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert Authenticator.objects.filter(user=alice).count() == 2
    told = json.dumps([[line.subject_label, line.actor_label, line.data] for line in AuditEvent.objects.all()])
    for secret in (OWN, "typed wrong", "123123", *codes, "JBSWY3DPEHPK3PXP", at.session.session_key):
        assert secret not in told


def test_every_act_of_accounts_has_words_and_the_log_stays_whole(alice, workspace) -> None:
    sign_in("alice@care.example").post("/accounts/logout/")
    sign_in("alice@care.example", "wrong")
    assert {line.action for line in AuditEvent.objects.filter(action__startswith="account.")} <= set(ACTS)
    assert selectors.broken_chains() == []
    at = Client()
    at.force_login(alice)
    page = at.get("/activity/").content.decode()
    assert "Failed to sign in as" in page and "Signed out as" in page
