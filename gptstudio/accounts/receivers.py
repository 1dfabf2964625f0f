"""allauth and Django say what happened to an account; here it is heard and passed on to the log."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.socialaccount import signals as elsewhere
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.dispatch import receiver

from gptstudio.accounts.services.sign_ins import means_of, tell, tell_of_failure

# What allauth says alike: the account's owner did it, and nothing more is to be told.
PLAIN = {
    account.user_signed_up: "account.made",
    account.password_changed: "account.password_changed",
    account.password_set: "account.password_set",
    account.password_reset: "account.password_reset",
    account.email_added: "account.email_added",
    account.email_removed: "account.email_removed",
}
FACTORS = {
    mfa.authenticator_added: "account.factor_added",
    mfa.authenticator_removed: "account.factor_removed",
    mfa.authenticator_reset: "account.codes_renewed",
}


def _told(signal: Any, request: Any, user: Any, **_more: Any) -> None:
    tell(request, PLAIN[signal], user=user, by=user)


def _factor(signal: Any, request: Any, user: Any, authenticator: Any, **_more: Any) -> None:
    tell(request, FACTORS[signal], user=user, by=user, factor=str(authenticator.type))


for _signal in PLAIN:
    _signal.connect(_told)
for _signal in FACTORS:
    _signal.connect(_factor)


@receiver(account.user_logged_in)
def signed_in(request: Any, user: Any, **_more: Any) -> None:
    tell(request, "account.signed_in", user=user, by=user, means=means_of(request, user))


@receiver(user_logged_out)
def signed_out(request: Any, user: Any, **_more: Any) -> None:
    if user is not None:
        tell(request, "account.signed_out", user=user, by=user)


@receiver(user_login_failed)
def failed(request: Any, credentials: dict[str, Any], **_more: Any) -> None:
    tell_of_failure(request, "account.sign_in_failed", email=str(credentials.get("email", "")))


@receiver(mfa.authentication_failed)
def factor_failed(request: Any, user: Any, **_more: Any) -> None:
    tell(request, "account.factor_failed", user=user)


@receiver(account.email_confirmed)
def verified(request: Any, email_address: Any, **_more: Any) -> None:
    tell(request, "account.email_verified", user=email_address.user, by=email_address.user)


@receiver(account.email_changed)
def address_changed(request: Any, user: Any, from_email_address: Any, to_email_address: Any, **_more: Any) -> None:
    before = from_email_address.email if from_email_address else ""
    tell(request, "account.email_changed", user=user, by=user, before=before, after=to_email_address.email)


@receiver(elsewhere.social_account_added)
def connected(request: Any, sociallogin: Any, **_more: Any) -> None:
    account = sociallogin.account
    tell(request, "account.connected", user=account.user, by=account.user, provider=account.provider)


@receiver(elsewhere.social_account_removed)
def disconnected(request: Any, socialaccount: Any, **_more: Any) -> None:
    owner = socialaccount.user
    tell(request, "account.disconnected", user=owner, by=owner, provider=socialaccount.provider)
