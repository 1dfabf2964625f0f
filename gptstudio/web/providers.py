"""Signing in with somebody else's account (Google, Microsoft, GitHub, any OpenID provider), as far as allauth asks us.

A provider's word is taken for who somebody is there, never for who they are here: an address that an account here has
already opens nothing. Its owner signs in and connects the two.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.userkit import filter_users_by_email
from allauth.core import context
from allauth.socialaccount import app_settings
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.forms import DisconnectForm, SignupForm
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.http import HttpRequest

from gptstudio.accounts.models import User
from gptstudio.accounts.services import end_connection
from gptstudio.core.errors import Conflict, NotAllowed
from gptstudio.web import invited
from gptstudio.web.sign_up import check_invited


def names() -> dict[str, str]:
    """The providers that are set up, by id: what people call them."""
    apps = [(kind, app) for kind, found in app_settings.PROVIDERS.items() for app in found.get("APPS", ())]
    return {app.get("provider_id", kind): app["name"] for kind, app in apps}


def label_of(account: SocialAccount) -> str:
    """How somebody knows their account there: its address or its name."""
    data = account.extra_data.get("userinfo") or account.extra_data.get("id_token") or account.extra_data
    return str(data.get("email") or data.get("login") or data.get("name") or account.uid)


class StudioSocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Sign-up follows the same rule as with a password; nobody is let into an account by an address."""

    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "email_taken": "There is an account with this address. Sign in to it, then connect your %s account.",
        "no_password": "This is your only way in. Set a password first, or connect another account.",
        "no_verified_email": "Verify an e-mail address first: without one nobody could reset your password.",
        "connected_other": "That account is connected to somebody else here.",
    }

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True  # some say "false", which is a word and not a no

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        if settings.SIGN_UP_OPEN:
            return True
        found = invited.at_hand(request)
        if found is None:
            return False
        said = [address.email.lower() for address in sociallogin.email_addresses]
        proven = {address.email.lower() for address in sociallogin.email_addresses if address.verified}
        if said and found.email not in {said[0], *proven}:  # the first is the account's own; others anybody may add
            raise NotAllowed(
                f"The invitation is for {found.email}, and {sociallogin.provider.name} knows you as {said[0]}.",
                fix="Choose the account there that has the invited address, or make an account here with a password.",
            )
        return True

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Who shows an address to be theirs is told that it has an account; anybody else learns nothing by it."""
        for address in sociallogin.email_addresses:
            if address.verified and filter_users_by_email(address.email):
                name = sociallogin.provider.name
                raise Conflict(
                    f"There is an account with {address.email} already.",
                    fix=f"Sign in to it as you always do, then connect {name} under Your account, Connected accounts.",
                )
        return bool(super().is_auto_signup_allowed(request, sociallogin))

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        name = data.get("name") or " ".join(filter(None, (data.get("first_name"), data.get("last_name"))))
        user.name = str(name or "")[:120]
        return user

    def validate_disconnect(self, account: SocialAccount, accounts: Any) -> None:
        """An account at a provider that is not set up any more is no way in."""
        others = accounts.exclude(pk=account.pk).filter(provider__in=names())
        if not others.exists() and not account.user.has_usable_password():
            raise self.validation_error("no_password")


class ConnectedSignUpForm(SignupForm):  # type: ignore[misc]
    """Asks for what the provider did not say: the address. Where sign-up is closed, it is the invited one."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        check_invited(context.request, email)
        return email


class ConnectedEndForm(DisconnectForm):  # type: ignore[misc]
    """Ends a connection, also one to a provider that is not set up any more, which allauth could not find."""

    def save(self) -> None:
        account = self.cleaned_data["account"]
        end_connection(self.request, account=account, is_set_up=account.provider in names())
